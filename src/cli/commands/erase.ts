/** `erase` and `compact`: a contact is forgotten, and then its bytes are. */
import { Command, Option } from "commander";
import type { ErasureAnswer, LeftInTopic } from "../../api/engine.js";
import { compactTaskStores } from "../../engine/cluster-compaction.js";
import { compactDirectory } from "../../engine/compaction.js";
import { DataDirectory } from "../../engine/directory.js";
import { ScorefoldError } from "../../errors.js";
import { formatInstant } from "../../events/time.js";
import { isAgreed } from "../agreement.js";
import { dataOption, tenantOption, urlOption } from "../arguments.js";
import type { Io } from "../io.js";
import { visible } from "../io.js";
import { Progress } from "../progress.js";
import { openEngine, type ReachOptions, runningEngine, whileOpen, withEngine } from "../reach.js";
import { bytesText, counted } from "../table.js";

interface EraseOptions extends ReachOptions {
  readonly tenant: string;
  readonly alsoLater?: true;
}

export function eraseCommand(io: Io): Command {
  return new Command("erase")
    .description("erase a contact: every input up to now is gone, and ContactErased is published")
    .argument("<contact>", "contact id")
    .addOption(dataOption(io))
    .addOption(urlOption())
    .addOption(tenantOption())
    .addOption(new Option("--also-later", "what is dated later than now goes as well, whether it is in force or not"))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold erase c-00042
  $ scorefold erase c-00042 --also-later && scorefold compact

The contact is forgotten at once: no score, no history, no explanation. What is dated after the erasure, as a meeting of
next week that was let in, stays: how much that is is told, and with --also-later the erasure is dated at the newest
instant that is known of the contact. Then what is dated up to there is refused, too. The log still holds what was sent,
and outputs what was published, so that consumers can read ContactErased; \`scorefold compact\` then takes that out of the
files, with the contact's dead letters of any date.

An id that is not known is an error, exit code 1. To keep out what may come of one, send its erasure as an input:
{"kind":"profile","contactId":"c-00042","at":"2026-06-01T00:00:00Z","fields":null}`,
    )
    .action(async (contactId: string, options: EraseOptions) => {
      await withEngine(io, options, async (engine) => {
        const { tenant, alsoLater = false } = options;
        const erased = await engine.erase(contactId, tenant, { alsoLater });
        tellErased(io, contactId, tenant, erased);
        if (erased.status !== "erased" || erased.laterInputs === 0 || alsoLater) return;
        if (await isAgreed(io, `erase ${counted(erased.laterInputs, "later input")} as well?`))
          tellErased(io, contactId, tenant, await engine.erase(contactId, tenant, { alsoLater: true }));
      });
    });
}

/** @throws ScorefoldError where there was nothing to erase */
function tellErased(io: Io, contactId: string, tenantId: string, answer: ErasureAnswer): void {
  const name = `contact ${visible(contactId)} of tenant ${visible(tenantId)}`;
  if (answer.status === "unknown") {
    const near = answer.nearest === null ? "" : `; did you mean ${visible(answer.nearest)}?`;
    throw new ScorefoldError("input-missing", `${name} is not known, and nothing was erased${near}`);
  }
  const { until, laterInputs, deadLetters, mentions, left } = answer;
  io.stderr.write(`${name} is erased: what is dated up to ${formatInstant(until)} is gone, and refused\n`);
  if (laterInputs > 0)
    io.stderr.write(`  ${counted(laterInputs, "input")} of it dated later stay${one(laterInputs)}: --also-later\n`);
  if (left !== null) tellLeft(io, left);
  if (deadLetters === null || mentions === null) return;
  const also = deadLetters === 0 ? "" : `, with ${counted(deadLetters, "dead letter")} of it`;
  io.stderr.write(`  \`scorefold compact\` takes its bytes out of the files${also}\n`);
  if (mentions === 0) return;
  io.stderr.write(
    `  ${counted(mentions, "dead letter")} that can't be said to be of anybody hold${one(mentions)} the id and ` +
      `stay${one(mentions)}: \`scorefold dead-letters list --containing '${visible(contactId)}'\`, and \`drop\`\n`,
  );
}

/** What no command takes out of a cluster's topics, and what does. */
function tellLeft(io: Io, left: readonly LeftInTopic[]): void {
  const places = left.map(({ topic, partition, start, end }) => {
    return `    ${topic}, partition ${partition}${start === null ? "" : `, offsets ${start} up to ${end}`}\n`;
  });
  io.stderr.write(
    `  what was sent of it and published is still in Kafka, among the records of others, and no command of scorefold takes\n  it out:\n${places.join("")}` +
      "    and in other partitions of the inputs, what was sent there; dead letters by a mapping with the values as they came\n" +
      "  it goes with the retention of these topics, or by kafka-delete-records, which takes out everybody's records before\n" +
      "  an offset: inputs that are gone can't be folded again, so first see --history in docs/kafka.md\n" +
      "  in the data directories of the application's processes `scorefold compact` takes out what was stored, each stopped\n",
  );
}

/** Of a verb whose subject was counted. */
function one(count: number): string {
  return count === 1 ? "s" : "";
}

export function compactCommand(io: Io): Command {
  return new Command("compact")
    .description("take what is left of erased contacts out of the data directory, and give back room")
    .addOption(dataOption(io))
    .addHelpText(
      "after",
      `
The engine must not run meanwhile, and there has to be room for a copy of the directory. Afterwards nothing of contacts
erased before is in any file, ContactErased included: run it when your consumers have read that. What is dated after the
erasure stays (\`erase --also-later\`), and so do dead letters that do not say whose they are (\`dead-letters\`).

On Kafka it compacts the stores of the data directory, and says which topics still hold what was sent.`,
    )
    .action(async (options: ReachOptions) => {
      const running = await runningEngine(io, options);
      if (running !== null)
        throw new ScorefoldError(
          "directory-in-use",
          `an engine runs on ${options.data} (${running.url}): stop it first`,
        );
      if (await DataDirectory.isOfCluster(options.data)) return await compactStores(io, options.data);
      if (!(await DataDirectory.exists(options.data)))
        throw new ScorefoldError("input-missing", `${options.data}: there is no data of scorefold here`);
      // What the log holds and the store does not know yet is folded first: there may be erasures in it.
      await whileOpen(await openEngine(io, options.data, null), async ({ task }) => {
        await task.caughtUp();
        // A run of timers that was broken off names the contact that it has come to: it is ended.
        const run = task.position?.timer.run ?? null;
        if (run !== null) await task.fireUntil(run.until);
        await task.written();
      });
      const progress = new Progress(io);
      const report = await compactDirectory(await DataDirectory.open(options.data), (what, done) =>
        progress.update(what, done, undefined, "rows"),
      ).finally(() => progress.clear());
      io.stderr.write(
        `${counted(report.contacts, "erased contact")}, ${counted(report.records, "record")} removed from the log; ` +
          `${bytesText(report.bytesBefore)} -> ${bytesText(report.bytesAfter)}\n`,
      );
      if (report.laterLines > 0)
        io.stderr.write(
          `  ${counted(report.laterLines, "line")} of these contacts dated after the erasure stay${one(report.laterLines)}; ` +
            "`scorefold erase CONTACT --also-later`, and compact again, takes them out\n",
        );
    });
}

/** On Kafka a host has stores only. */
async function compactStores(io: Io, data: string): Promise<void> {
  const progress = new Progress(io);
  const onProgress = (what: string, done: number): void => progress.update(what, done, undefined, "rows");
  const report = await compactTaskStores(await DataDirectory.open(data), onProgress).finally(() => progress.clear());
  const { stores, damaged, bytesBefore, bytesAfter } = report;
  const erased = stores.reduce((sum, store) => sum + store.erased, 0);
  const aside = damaged === 0 ? "" : `, ${counted(damaged, "store")} that had been put aside removed`;
  io.stderr.write(
    `${counted(erased, "erased contact")} taken out of ${counted(stores.length, "store")}${aside}; ` +
      `${bytesText(bytesBefore)} -> ${bytesText(bytesAfter)}\n`,
  );
  if (erased === 0) return;
  const of = new Set(stores.flatMap(({ app }) => app ?? []));
  io.stderr.write(
    `  Kafka still holds what was sent of ${erased === 1 ? "it" : "them"}${of.size === 0 ? "" : ` to application ${[...of].join(", ")}`}, among the records of others, and no command of scorefold takes it out:\n`,
  );
  for (const { task, offsets } of stores.filter((store) => store.erased > 0)) {
    const places = [...offsets].filter(([, end]) => end > 0).map(([topic, end]) => `${topic} up to ${end}`);
    io.stderr.write(`    partition ${task}: ${places.join(", ")}\n`);
  }
  io.stderr.write(
    "    and in the partitions of these numbers of the outputs and dead letters\n" +
      "  it goes with the retention of these topics, or by kafka-delete-records, which takes out everybody's records before\n" +
      "  an offset: inputs that are gone can't be folded again, so first see --history in docs/kafka.md\n",
  );
}
