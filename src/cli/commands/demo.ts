/** `demo`: a made-up company's stream, scored, shown and explained in under a minute. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { ScorefoldError } from "../../errors.js";
import { formatInstant } from "../../events/time.js";
import type { EpochMs, Input } from "../../events/types.js";
import { compile } from "../../model/compile.js";
import { LineOutput } from "../../rebuild/line-output.js";
import { type ReplayReport, replay } from "../../rebuild/replay.js";
import { clearDemo, type Fed, feed } from "../demo/feed.js";
import { Gallery } from "../demo/gallery.js";
import { generateDemo } from "../demo/generate.js";
import { serveDemo } from "../demo/serve.js";
import { renderGallery } from "../demo/view.js";
import { type Io, painter } from "../io.js";
import { loadModels } from "../models.js";
import { Progress } from "../progress.js";
import { counted, grouped } from "../table.js";

interface Options {
  readonly dir: string;
  readonly contacts: number;
  readonly months: number;
  readonly seed: number;
  readonly serve?: true;
}

const modelNames = ["marketing-suite", "lead-fit-engagement"];
const demoStart = Date.UTC(2026, 0, 1);
const contactsMax = 100_000;
const monthsMax = 36;

export function demoCommand(io: Io): Command {
  return new Command("demo")
    .description("score a made-up company's stream under two models, and explain it; takes seconds, ends by itself")
    .addOption(new Option("--dir <dir>", "where its files go").default(join("data", "demo")))
    .addOption(new Option("--contacts <n>", "so many contacts").default(3000).argParser(Number))
    .addOption(new Option("--months <n>", "so many months").default(6).argParser(Number))
    .addOption(new Option("--seed <n>", "another seed, another company").default(42).argParser(Number))
    .addOption(new Option("--serve", "keep the engine up afterwards, and say how to talk to it"))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold demo
  $ scorefold demo --serve
  $ scorefold demo --contacts 500 --months 12 --seed 7      another company, smaller and older

Everything is made up from the seed: the same seed gives the same bytes. Inputs, log and store stay in --dir for you to
go on with, until the next demo.`,
    )
    .action(async (options: Options) => {
      checkOptions(options);
      await new Demo(io, options).run();
    });
}

class Demo {
  readonly #io: Io;
  readonly #options: Options;
  readonly #progress: Progress;
  readonly #models = modelNames.map(modelPath);

  constructor(io: Io, options: Options) {
    this.#io = io;
    this.#options = options;
    this.#progress = new Progress(io);
  }

  async run(): Promise<void> {
    const { dir, contacts, months, seed, serve } = this.#options;
    const paint = painter(this.#io, this.#io.stdout);
    const write = (text: string): void => void this.#io.stdout.write(text);
    const models = loadModels(this.#models).map(compile);
    await makeDirectory(dir);
    const inputs = [...generateDemo({ seed, contacts, start: demoStart, months })];
    const inputPath = join(dir, "inputs.jsonl");
    await writeInputs(inputPath, inputs);
    write(
      `${paint("bold", "Scorefold demo")}: ${counted(contacts, "made-up contact")}, ${months} months of email, web, forms, ` +
        `meetings and purchases (seed ${seed})\n\n` +
        `  ${counted(inputs.length, "input")} -> ${inputPath}, in the order they came in: some late, some twice\n\n` +
        `${paint("bold", "The engine takes them as they come, a day in a moment")} (store and log in ${dir})\n`,
    );
    const fed = await feed({ dir, models, inputs, start: demoStart, write, paint });
    const gallery = new Gallery(models);
    const scoresPath = join(dir, "scores.jsonl");
    const report = await this.#replay([inputPath], scoresPath, gallery, fed.asOf);
    write(`\n  ${summary(fed)}\n`);
    write(`  ${await sameScores(fed.scores, scoresPath)}\n\n`);
    write(renderGallery(gallery, report.asOf ?? demoStart, paint));
    if (serve) await serveDemo(this.#io, { dir, models, asOf: fed.asOf, contactId: this.#hero(gallery), paint });
    else write(this.#goOn(gallery, paint));
  }

  async #replay(files: string[], scores: string, gallery: Gallery, asOf: EpochMs): Promise<ReplayReport> {
    return await replay({
      models: loadModels(this.#models).map(compile),
      files,
      scores,
      asOf,
      onOutput: (output) => gallery.add(output),
      onContact: (contact) => gallery.close(contact),
      onProgress: ({ phase, done, total }) =>
        this.#progress.update(phase, done, total, phase === "read" ? "bytes" : "inputs"),
    }).finally(() => this.#progress.clear());
  }

  /** Whose story is told. */
  #hero(gallery: Gallery): string {
    return (gallery.story() ?? gallery.top(1)[0])?.contactId ?? "CONTACT";
  }

  #goOn(gallery: Gallery, paint: ReturnType<typeof painter>): string {
    const { dir, months } = this.#options;
    const model = modelNames[0];
    const month = formatInstant(demoStart + (months / 2) * 30 * 86_400_000).slice(0, 10);
    const name = this.#io.env["npm_lifecycle_event"] === "demo" ? "npx scorefold" : "scorefold";
    const commands = [
      [
        `${name} explain ${this.#hero(gallery)} --model ${model} --data ${dir} --as-of ${month}T00:00:00Z`,
        "the same contact, months ago",
      ],
      [`${name} scores --model ${model} --data ${dir} --limit 20`, "everybody, highest first"],
      [`${name} tail threshold-crossed --data ${dir} --limit 20`, "what was published, from the beginning"],
      [`${name} demo --serve`, "the same, and then the engine stays up for you to talk to"],
    ];
    const lines = commands.flatMap(([command = "", why = ""]) => [
      `  ${paint("dim", `# ${why}`)}`,
      `  ${paint("cyan", command)}`,
    ]);
    return `${paint("bold", "Go on")}\n${lines.join("\n")}\n`;
  }
}

function summary({ changes, crossings, late, duplicates, inputs, seconds }: Fed): string {
  return (
    `${counted(inputs, "input")} in ${seconds.toFixed(1)} s, each on disk before it counted: ${counted(changes, "score change")}, ` +
    `${counted(crossings, "crossing")}; ${grouped(late)} came late and took their place, ${grouped(duplicates)} came twice and changed nothing`
  );
}

/** The promise, kept before the reader's eyes: taken live, in any order, or replayed from a file: the same bytes. */
async function sameScores(live: string, replayed: string): Promise<string> {
  const [own, other] = [await digest(live), await digest(replayed)];
  if (own !== other) {
    throw new ScorefoldError(
      "internal",
      `the scores of the engine and of a replay differ (${own} and ${other}): please report it`,
    );
  }
  return `replayed from the file, sorted: the same scores, byte for byte (sha256 ${own.slice(0, 12)}…)`;
}

function checkOptions({ contacts, months, seed }: Options): void {
  const isCount = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  if (!isCount(contacts, contactsMax))
    throw new ScorefoldError("usage", `--contacts is a whole number from 1 to ${contactsMax}`);
  if (!isCount(months, monthsMax))
    throw new ScorefoldError("usage", `--months is a whole number from 1 to ${monthsMax}`);
  if (!Number.isInteger(seed)) throw new ScorefoldError("usage", "--seed is a whole number");
}

async function makeDirectory(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
    await clearDemo(dir);
  } catch (cause) {
    if (cause instanceof ScorefoldError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ScorefoldError("output-failed", `${dir}: the demo's files can't go there (${why}); name another --dir`, {
      cause,
    });
  }
}

async function writeInputs(path: string, inputs: readonly Input[]): Promise<void> {
  const output = await LineOutput.open(path);
  try {
    for (const input of inputs) {
      output.append(JSON.stringify({ ...input, at: formatInstant(input.at) }));
      if (output.isFull) await output.flush();
    }
    await output.commit();
  } finally {
    await output.discard();
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** The models that come with the package. */
function modelPath(name: string): string {
  const path = fileURLToPath(new URL(`../../../models/${name}.yaml`, import.meta.url));
  if (!existsSync(path))
    throw new ScorefoldError("input-missing", `${path}: the demo's model is not there; reinstall scorefold`);
  return path;
}
