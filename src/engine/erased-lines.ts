/**
 * What of an embedded log is of erased contacts: what is dated up to the erasure, whenever it came; and all that lay in
 * the log before the erasure and can't be in force (dead letters with their lines, outputs), whatever its date.
 */
import { INPUTS } from "../embedded/log.js";
import type { Keep } from "../embedded/scrub.js";
import { type Claim, claimsOf, claimsOfOriginal } from "../events/claims.js";
import { decodeOriginal } from "../events/dead-letter.js";
import type { ContactId, EpochMs, TenantId } from "../events/types.js";
import type { Offset } from "../stream/log.js";
import { DEAD_LETTERS, type StoredLetter, storedLetter } from "./dead-letters.js";

export interface Erased {
  readonly until: EpochMs;
  /** When the log took the erasure: what it took up to then came before. Null: of an erasure that was compacted before. */
  readonly since: EpochMs | null;
}

/** Undefined: not erased. */
export type ErasedOf = (tenantId: TenantId, contactId: ContactId) => Erased | undefined;

/** Whether something that claims to be a contact's, and is no input that can be in force, goes with the contact. */
function goes({ contactId, tenantIds, at }: Claim, timestamp: EpochMs, erasedOf: ErasedOf): boolean {
  return tenantIds.some((tenantId) => {
    const erased = erasedOf(tenantId, contactId);
    if (erased === undefined) return false;
    // What has no instant can't be of later than the erasure either.
    return at === null || at <= erased.until || (erased.since !== null && timestamp <= erased.since);
  });
}

export function letterGoes({ original }: StoredLetter, timestamp: EpochMs, erasedOf: ErasedOf): boolean {
  return claimsOfOriginal(original).some((claim) => goes(claim, timestamp, erasedOf));
}

/** Lines that are kept although their contact is erased: dated later, they are of what came after. */
export interface Later {
  lines: number;
}

/**
 * Keeps every record but those of erased contacts.
 *
 * @param lines offsets of inputs whose dead letters go
 * @param later is counted up
 */
export function keepUnless(erasedOf: ErasedOf, lines: ReadonlySet<Offset>, later: Later): Keep {
  return (topic, value, { offset, timestamp, original }) => {
    if (topic === DEAD_LETTERS) {
      const letter = storedLetter(value);
      return letter !== null && letterGoes(letter, timestamp, erasedOf) ? null : value;
    }
    if (topic !== INPUTS) return claimsOf(value).some((claim) => goes(claim, timestamp, erasedOf)) ? null : value;
    if (lines.has(offset)) return null;
    const decoded = decodeOriginal(original);
    if (!decoded.ok) return claimsOfOriginal(original).some((claim) => goes(claim, timestamp, erasedOf)) ? null : value;
    const { tenantId, contactId, at } = decoded.input;
    const erased = erasedOf(tenantId, contactId);
    if (erased === undefined) return value;
    if (at <= erased.until) return null;
    if (erased.since !== null && timestamp <= erased.since) later.lines += 1;
    return value;
  };
}
