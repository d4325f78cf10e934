/** Erasing a contact: what is known of it, up to when it is erased, and whether that has been taken. */
import type { ErasureAnswer, ErasureOptions, LeftInTopic } from "../api/engine.js";
import { ScorefoldError } from "../errors.js";
import { erasureOf } from "../events/erasure.js";
import type { ContactId, EpochMs, Profile, TenantId } from "../events/types.js";
import { contactKey } from "../store/keys.js";
import type { Task } from "../stream/task.js";
import type { LettersOfContact } from "./dead-letters.js";
import { nearestContact } from "./nearest-contact.js";

/** What an erasure needs of the engine that has the contact. */
export interface ErasureParts {
  readonly task: Task;
  /** All of this process: an id that is misspelt may belong to another one than the id that was meant. */
  readonly tasks: readonly Task[];
  /** The present, by the host's clock. */
  readonly now: EpochMs;
  /** Null where the log is a cluster's, and they can't be looked through. */
  readonly letters: LettersOfContact | null;
  /** Where records of the contact stay; null where a compaction takes all of them. */
  readonly left: (() => Promise<readonly LeftInTopic[]>) | null;
  /** Appends the erasure, and resolves once it is folded and published. */
  readonly append: (erasure: Profile) => Promise<void>;
}

/** Erases a contact whose inputs of before are folded. */
export async function eraseContact(
  { task, tasks, now, letters, left, append }: ErasureParts,
  contactId: ContactId,
  tenantId: TenantId,
  { alsoLater }: ErasureOptions,
): Promise<ErasureAnswer> {
  const key = contactKey(tenantId, contactId);
  const { clock, newest, inputs, erasedUntil } = (await task.contact(key)).fold.record();
  const count = letters?.count ?? 0;
  if (inputs === 0 && count === 0 && erasedUntil === null)
    return { status: "unknown", nearest: await nearestTo(tasks, tenantId, contactId) };
  const told = async () => {
    const places = left === null ? null : await left();
    return { deadLetters: letters?.count ?? null, mentions: letters?.mentions ?? null, left: places };
  };
  let until = now;
  if (alsoLater) until = Math.max(now, clock ?? now, newest?.at ?? now, letters?.newest ?? now);
  if (erasedUntil !== null && until <= erasedUntil) {
    if (inputs === 0 && count === 0) return { status: "erased", until: erasedUntil, laterInputs: 0, ...(await told()) };
    // What has come since goes with an erasure of its own.
    until = erasedUntil + 1;
  }
  await append(erasureOf(tenantId, contactId, until, now));
  await task.written();
  const { fold } = await task.contact(key);
  if (fold.erasedUntil === null || fold.erasedUntil < until)
    throw new ScorefoldError("internal", "the erasure is in the log, and the contact is not erased: this is a fault");
  return { status: "erased", until: fold.erasedUntil, laterInputs: fold.inputs, ...(await told()) };
}

async function nearestTo(tasks: readonly Task[], tenantId: TenantId, contactId: ContactId): Promise<ContactId | null> {
  const running = tasks.filter(({ state }) => state.state === "running");
  // What is only in memory gets its place among the rows.
  for (const task of running) await task.written();
  return await nearestContact(
    running.flatMap(({ store }) => store ?? []),
    tenantId,
    contactId,
  );
}
