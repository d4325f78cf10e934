/**
 * Waits until all have ended, and throws what the first of them in order has failed with. Of two connections that are made
 * at once one may come later than the other fails: whoever closes both before that leaves it open, and a process that has
 * one open does not end.
 */
export async function allEnded(work: readonly Promise<unknown>[]): Promise<void> {
  const ended = await Promise.allSettled(work);
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}
