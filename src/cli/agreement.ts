/** Questions to whoever sits at the terminal. Without one nothing is asked, and the answer is no. */
import { createInterface } from "node:readline/promises";
import type { Readable } from "node:stream";
import { type Io, isTerminal } from "./io.js";

/** Whether somebody can be asked. */
export function canAsk(io: Io): boolean {
  return isTerminal(io.stdin) && isTerminal(io.stderr);
}

/** @param question in the words of a sentence, with its question mark */
export async function isAgreed(io: Io, question: string): Promise<boolean> {
  if (!canAsk(io)) return false;
  const lines = createInterface({ input: io.stdin as Readable });
  try {
    io.stderr.write(`${question} [y/N] `);
    for await (const line of lines) return /^\s*(y|yes)\s*$/i.test(line);
    return false;
  } finally {
    lines.close();
  }
}
