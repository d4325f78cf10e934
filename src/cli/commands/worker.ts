/** `worker`: a process of `run` on a cluster. Nobody else starts it. */
import { Command } from "commander";
import type { Io } from "../io.js";
import { runWorker } from "../workers/worker.js";

export function workerCommand(io: Io): Command {
  return new Command("worker").description("a process of `run`").action(async () => await runWorker(io));
}
