/**
 * Real parts that tests need: each is started once a run, by the process that owns the run, as soon as the first test
 * asks for it; each test makes topics of its own. Whoever asks and the owner meet in a directory: a file `NAME.wanted`
 * asks, `NAME.ready` or `NAME.missing` is the answer.
 */
import { existsSync, readFileSync, renameSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Names the directory of the run, for the processes that run tests. */
export const RUN_DIRECTORY = "SCOREFOLD_TEST_RUN";

export interface Component {
  /** Where it is to be reached. */
  readonly address: string;
  /** What else there is to know of it, where there is more; as JSON to those who ask. */
  readonly details?: object;
  stop(): Promise<void>;
}

/** A part can't be had here, and why. */
export class Missing extends Error {}

/** Resolves when a file of the directory is there that `wanted` chooses. */
export async function fileIn(directory: string, names: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    const watcher = watch(directory, () => look());
    watcher.on("error", reject);
    const look = (): void => {
      const found = names.find((name) => existsSync(join(directory, name)));
      if (found === undefined) return;
      watcher.close();
      resolve(found);
    };
    look();
  });
}

/** Written as a whole, so that nobody reads the half of it. */
export function answer(directory: string, name: string, text: string): void {
  writeFileSync(join(directory, `.${name}`), text);
  renameSync(join(directory, `.${name}`), join(directory, name));
}

/**
 * Where a part is to be reached.
 *
 * @throws Missing where it can't be had
 */
export async function addressOf(name: string): Promise<string> {
  const directory = process.env[RUN_DIRECTORY];
  if (directory === undefined) throw new Error("components are started by test/components/owner.ts");
  writeFileSync(join(directory, `${name}.wanted`), "");
  const found = await fileIn(directory, [`${name}.ready`, `${name}.missing`]);
  const text = readFileSync(join(directory, found), "utf8");
  if (found.endsWith(".missing")) throw new Missing(text);
  return text;
}

/** The same; null where it can't be had, which only outside CI is no failure. */
export async function addressIfThere(name: string): Promise<string | null> {
  try {
    return await addressOf(name);
  } catch (error) {
    if (!(error instanceof Missing) || process.env["CI"] !== undefined) throw error;
    process.stderr.write(`tests are left out: ${error.message}\n`);
    return null;
  }
}

/**
 * What else there is to know of a part that is there.
 *
 * @returns null where there is no more than its address
 */
export function detailsOf(name: string): unknown {
  return JSON.parse(readFileSync(join(process.env[RUN_DIRECTORY]!, `${name}.details`), "utf8"));
}
