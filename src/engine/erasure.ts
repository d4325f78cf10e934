/** Erasing a contact: what is known of it, up to when it is erased, and whether that has been taken. */
import type { ErasureAnswer, ErasureOptions } from "../api/engine.js";
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
  /** The present, by the clock of the log where it has one. */
  readonly now: EpochMs;
  /** Null where the log is a cluster's, and they can't be looked through. */
  readonly letters: LettersOfContact | null;
  /** Appends the erasure, and resolves once it is folded and published. */
  readonly append: (erasure: Profile) => Promise<void>;
}

/** Erases a contact whose inputs of before are folded. */
export async function eraseContact(
  { task, now, letters, append }: ErasureParts,
  contactId: ContactId,
  tenantId: TenantId,
  { alsoLater }: ErasureOptions,
): Promise<ErasureAnswer> {
  const key = contactKey(tenantId, contactId);
  const { clock, newest, inputs, erasedUntil } = (await task.contact(key)).fold.record();
  const count = letters?.count ?? 0;
  if (inputs === 0 && count === 0 && erasedUntil === null)
    return { status: "unknown", nearest: await nearestTo(task, tenantId, contactId) };
  const told = { deadLetters: letters?.count ?? null, mentions: letters?.mentions ?? null };
  let until = now;
  if (alsoLater) until = Math.max(now, clock ?? now, newest?.at ?? now, letters?.newest ?? now);
  if (erasedUntil !== null && until <= erasedUntil) {
    if (inputs === 0 && count === 0) return { status: "erased", until: erasedUntil, laterInputs: 0, ...told };
    // What has come since goes with an erasure of its own.
    until = erasedUntil + 1;
  }
  await append(erasureOf(tenantId, contactId, until, now));
  await task.written();
  const { fold } = await task.contact(key);
  if (fold.erasedUntil === null || fold.erasedUntil < until)
    throw new ScorefoldError("internal", "the erasure is in the log, and the contact is not erased: this is a fault");
  return { status: "erased", until: fold.erasedUntil, laterInputs: fold.inputs, ...told };
}

async function nearestTo(task: Task, tenantId: TenantId, contactId: ContactId): Promise<ContactId | null> {
  // What is only in memory gets its place among the rows.
  await task.written();
  return task.store === null ? null : await nearestContact(task.store, tenantId, contactId);
}
