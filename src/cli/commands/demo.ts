/** `demo`: a made-up company's stream, scored, shown and explained in under a minute. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { ScorefoldError } from "../../errors.js";
import { formatInstant } from "../../events/time.js";
import type { Input } from "../../events/types.js";
import { compile } from "../../model/compile.js";
import { LineOutput } from "../../rebuild/line-output.js";
import { type ReplayReport, replay } from "../../rebuild/replay.js";
import { Gallery } from "../demo/gallery.js";
import { generateDemo } from "../demo/generate.js";
import { Random } from "../demo/random.js";
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
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold demo
  $ scorefold demo --contacts 500 --months 12 --seed 7      another company, smaller and older

Everything is made up from the seed: the same seed gives the same bytes. The inputs stay in --dir for you to go on with.`,
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
    const { dir, contacts, months, seed } = this.#options;
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
        `  ${counted(inputs.length, "input")} -> ${inputPath}, in the order they came in: some late, some twice\n`,
    );
    const gallery = new Gallery(models);
    const scoresPath = join(dir, "scores.jsonl");
    const report = await this.#replay([inputPath], scoresPath, gallery);
    write(`  ${summary(report)}\n`);
    write(`  ${await this.#sameBytes(inputs, scoresPath)}\n\n`);
    write(renderGallery(gallery, report.asOf ?? demoStart, paint));
    write(this.#goOn(gallery, inputPath, paint));
  }

  async #replay(files: string[], scores: string, gallery?: Gallery): Promise<ReplayReport> {
    return await replay({
      models: loadModels(this.#models).map(compile),
      files,
      scores,
      outputs: scores.replace("scores", "outputs"),
      ...(gallery === undefined
        ? {}
        : { onOutput: (output) => gallery.add(output), onContact: (contact) => gallery.close(contact) }),
      onProgress: ({ phase, done, total }) =>
        this.#progress.update(phase, done, total, phase === "read" ? "bytes" : "inputs"),
    }).finally(() => this.#progress.clear());
  }

  /** The promise, kept before the reader's eyes: another order of arrival, the same bytes. */
  async #sameBytes(inputs: readonly Input[], scores: string): Promise<string> {
    const { dir, seed } = this.#options;
    const shuffledInputs = join(dir, "shuffled-inputs.jsonl");
    const shuffledScores = join(dir, "shuffled-scores.jsonl");
    await writeInputs(shuffledInputs, new Random(seed).shuffled(inputs));
    await this.#replay([shuffledInputs], shuffledScores);
    const [own, other] = [await digest(scores), await digest(shuffledScores)];
    for (const name of ["inputs", "scores", "outputs"]) await rm(join(dir, `shuffled-${name}.jsonl`), { force: true });
    if (own !== other) {
      throw new ScorefoldError(
        "internal",
        `the scores of shuffled inputs differ (${own} and ${other}): please report it`,
      );
    }
    return `the same inputs, shuffled: the same scores, byte for byte (sha256 ${own.slice(0, 12)}…)`;
  }

  #goOn(gallery: Gallery, inputPath: string, paint: ReturnType<typeof painter>): string {
    const contact = (gallery.story() ?? gallery.top(1)[0])?.contactId ?? "CONTACT";
    const model = shownPath(this.#models[0]!, this.#io.cwd);
    const month = formatInstant(demoStart + (this.#options.months / 2) * 30 * 86_400_000).slice(0, 10);
    const name = this.#io.env["npm_lifecycle_event"] === "demo" ? "npx scorefold" : "scorefold";
    const commands = [
      [
        `${name} explain ${contact} --model ${model} --input ${inputPath} --as-of ${month}T00:00:00Z`,
        "the same contact, months ago",
      ],
      [`${name} scores --model ${model} --input ${inputPath} --limit 20`, "everybody, highest first"],
      [`${name} models show ${model}`, "the rules as text; then change some, and run this again"],
    ];
    const lines = commands.flatMap(([command = "", why = ""]) => [
      `  ${paint("dim", `# ${why}`)}`,
      `  ${paint("cyan", command)}`,
    ]);
    return `${paint("bold", "Go on")}\n${lines.join("\n")}\n`;
  }
}

function summary({ duplicates, outputs, elapsedMs, inputs }: ReplayReport): string {
  const count = Object.values(inputs).reduce((sum, one) => sum + one, 0);
  return (
    `scored under two models in ${(elapsedMs / 1000).toFixed(1)} s: ${counted(outputs.ScoreChanged, "score change")}, ` +
    `${counted(outputs.ThresholdCrossed, "crossing")}; ${grouped(duplicates)} of ${grouped(count)} inputs were duplicates and changed nothing`
  );
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
  } catch (cause) {
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

function shownPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near.startsWith("..") || isAbsolute(near) ? path : near;
}
