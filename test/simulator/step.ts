/**
 * The hook before and after everything the models do: a simulator waits in it, or throws. What it throws is what the
 * network or the disk would have said.
 */
export type Step = (name: string) => Promise<void>;

/** Waits for nothing, and fails never. */
export const goOn: Step = async () => undefined;

/** What a call gives whose process is no more. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
