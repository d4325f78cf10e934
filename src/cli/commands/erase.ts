/** `erase` and `compact`: a contact is forgotten, and then its bytes are. */
import { Command } from "commander";
import { compactDirectory } from "../../engine/compaction.js";
import { DataDirectory } from "../../engine/directory.js";
import { ScorefoldError } from "../../errors.js";
import { dataOption, tenantOption, urlOption } from "../arguments.js";
import type { Io } from "../io.js";
import { visible } from "../io.js";
import { Progress } from "../progress.js";
import { openEngine, type ReachOptions, runningEngine, withEngine } from "../reach.js";
import { bytesText, counted } from "../table.js";

export function eraseCommand(io: Io): Command {
  return new Command("erase")
    .description("erase a contact: every input up to now is gone, and ContactErased is published")
    .argument("<contact>", "contact id")
    .addOption(dataOption(io))
    .addOption(urlOption())
    .addOption(tenantOption())
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold erase c-00042
  $ scorefold erase c-00042 && scorefold compact

The contact is forgotten at once: no score, no history, no explanation. The log still holds what was sent, and outputs
what was published, so that consumers can read ContactErased; \`scorefold compact\` then takes that out of the files.`,
    )
    .action(async (contactId: string, options: ReachOptions & { tenant: string }) => {
      await withEngine(io, options, async (engine) => {
        const known = await engine.scores(contactId, { tenantId: options.tenant });
        await engine.erase(contactId, options.tenant);
        const name = `contact ${visible(contactId)} of tenant ${visible(options.tenant)}`;
        io.stderr.write(
          known === null
            ? `${name} was not known; whatever arrives of it dated before now is refused\n`
            : `${name} is erased; \`scorefold compact\` takes its bytes out of the files\n`,
        );
      });
    });
}

export function compactCommand(io: Io): Command {
  return new Command("compact")
    .description("take what is left of erased contacts out of the data directory, and give back room")
    .addOption(dataOption(io))
    .addHelpText(
      "after",
      `
The engine must not run meanwhile, and there has to be room for a copy of the directory. Afterwards nothing of contacts
erased before is in any file, ContactErased included: run it when your consumers have read that.`,
    )
    .action(async (options: ReachOptions) => {
      const running = await runningEngine(io, options);
      if (running !== null)
        throw new ScorefoldError(
          "directory-in-use",
          `an engine runs on ${options.data} (${running.url}): stop it first`,
        );
      if (!(await DataDirectory.exists(options.data)))
        throw new ScorefoldError("input-missing", `${options.data}: there is no data of scorefold here`);
      // What the log holds and the store does not know yet is folded first: there may be erasures in it.
      const engine = await openEngine(io, options.data, null);
      await engine.task.caughtUp();
      await engine.stop();
      const progress = new Progress(io);
      const report = await compactDirectory(await DataDirectory.open(options.data), (what, done) =>
        progress.update(what, done, undefined, "rows"),
      ).finally(() => progress.clear());
      io.stderr.write(
        `${counted(report.contacts, "erased contact")}, ${counted(report.records, "record")} removed from the log; ` +
          `${bytesText(report.bytesBefore)} -> ${bytesText(report.bytesAfter)}\n`,
      );
    });
}
