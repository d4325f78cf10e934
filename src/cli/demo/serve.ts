/** `demo --serve`: the demo's engine stays up, its clock going on from the demo's last instant. */
import { DataDirectory } from "../../engine/directory.js";
import { EmbeddedEngine } from "../../engine/embedded-engine.js";
import { formatInstant } from "../../events/time.js";
import type { EpochMs } from "../../events/types.js";
import type { CompiledModel } from "../../model/compile.js";
import { type Clock, systemClock } from "../../stream/clock.js";
import { createLogger } from "../../telemetry.js";
import type { Io, painter } from "../io.js";
import { serveUntilStopped } from "../serving.js";

const PORT = 7070;

export interface ServeOptions {
  readonly dir: string;
  readonly models: readonly CompiledModel[];
  readonly asOf: EpochMs;
  readonly contactId: string;
  readonly paint: ReturnType<typeof painter>;
}

export async function serveDemo(io: Io, { dir, models, asOf, contactId, paint }: ServeOptions): Promise<void> {
  const began = systemClock.now();
  const clock: Clock = { ...systemClock, now: () => asOf + (systemClock.now() - began) };
  const directory = await DataDirectory.open(dir);
  const logger = createLogger("warn", io.stderr);
  const engine = await EmbeddedEngine.start({ directory, models, clock, timers: "clock", logger });
  await engine.task.running().catch(async (error: unknown) => {
    await engine.stop();
    throw error;
  });
  const port = Number(io.env["SCOREFOLD_PORT"] ?? PORT);
  await serveUntilStopped({
    engine,
    directory,
    logger,
    api: { port },
    onListening: (url) => {
      const at = formatInstant(clock.now());
      const input = `{"id":"e-1","contactId":"${contactId}","type":"web.page_viewed","at":"${at}","resource":"/pricing"}`;
      const commands = [
        ["where a contact stands", `curl ${url}/v1/contacts/${contactId}/scores`],
        [
          "something the contact does; it counts as soon as this answers",
          `curl -X POST '${url}/v1/interactions?wait=folded' -H 'content-type: application/json' -d '${input}'`,
        ],
        [
          "what is published from now on; leave it open, and send the one before again with another id",
          `curl -N ${url}/v1/outputs/score-changed`,
        ],
      ];
      const lines = commands.flatMap(([why = "", command = ""]) => [
        `  ${paint("dim", `# ${why}`)}`,
        `  ${paint("cyan", command)}`,
      ]);
      io.stdout.write(
        `${paint("bold", `The engine is up at ${url}`)}, its clock at ${at}; Ctrl+C ends it\n${lines.join("\n")}\n`,
      );
    },
  });
}
