/** Copies a database, so that no bytes of what was deleted are left. */
import type { Database, Operation, Range } from "../database/database.js";

/** Of one write, about. */
const COPY_BYTES = 4 * 1024 * 1024;

/** @param without ranges that the copy does not get */
export async function copyInto(
  from: Database,
  openCopy: () => Promise<Database>,
  without: readonly Range[],
  onProgress: (what: string, done: number) => void,
): Promise<void> {
  const copy = await openCopy();
  let done = 0;
  let operations: Operation[] = [];
  let bytes = 0;
  try {
    for await (const rows of from.scan({})) {
      for (const [key, value] of rows) {
        if (without.some(({ gte = "", lt = "" }) => key >= gte && key < lt)) continue;
        operations.push({ type: "put", key, value });
        bytes += key.length + value.length;
      }
      done += rows.length;
      if (bytes < COPY_BYTES) continue;
      await copy.write(operations);
      operations = [];
      bytes = 0;
      onProgress("copying", done);
    }
    await copy.write(operations);
  } finally {
    await copy.close();
  }
}
