/**
 * Files and directories that must not outlive the process: they are removed when it ends, also by a signal. Whoever
 * made one removes it when done and calls `forgetScratch`; this is for when that did not happen.
 */
import { rmSync } from "node:fs";

const scratch = new Set<string>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Has `path`, a file or a directory with all that is in it, removed when the process ends. */
export function rememberScratch(path: string): void {
  if (scratch.size === 0) {
    process.on("exit", removeScratch);
    for (const signal of signals) process.on(signal, endBySignal);
  }
  scratch.add(path);
}

/** The opposite of `rememberScratch`: the path was removed, or is to stay. */
export function forgetScratch(path: string): void {
  if (!scratch.delete(path) || scratch.size > 0) return;
  process.off("exit", removeScratch);
  for (const signal of signals) process.off(signal, endBySignal);
}

function removeScratch(): void {
  // Tried again where the database is still putting files there; each wait is longer by the delay.
  for (const path of scratch) rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}

function endBySignal(signal: NodeJS.Signals): void {
  removeScratch();
  // A listener keeps a signal from ending the process. If there is another, what happens next is its decision.
  if (process.listenerCount(signal) > 1) return;
  process.off(signal, endBySignal);
  process.kill(process.pid, signal);
}
