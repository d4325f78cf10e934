/** What a command may touch of the process it runs in: its streams and its environment, nothing else. */
import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";

export interface Io {
  readonly stdin: Readable;
  /** Data. */
  readonly stdout: Writable;
  /** Talk: progress, summaries, errors. */
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export type Style = Parameters<typeof styleText>[0];

/** Colours where a person reads along and has not said no (https://no-color.org). */
export function paints(io: Io, stream: Writable): boolean {
  return isTerminal(stream) && !io.env["NO_COLOR"] && io.env["TERM"] !== "dumb";
}

export function isTerminal(stream: Readable | Writable): boolean {
  return "isTTY" in stream && stream.isTTY === true;
}

/** @returns a function that colours texts for this stream, or leaves them as they are. */
export function painter(io: Io, stream: Writable): (style: Style, text: string) => string {
  return paints(io, stream) ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
}

/** Those that move the cursor, hide text, break lines or turn the direction of writing. */
const unseen = /[\p{Cc}\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Text from users and data on its way to a terminal: characters that would act on it are shown as escapes instead. */
export function visible(text: string): string {
  return text.replace(unseen, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}
