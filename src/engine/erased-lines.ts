/**
 * What of an embedded log is of erased contacts: what is dated up to the erasure, whenever it came; and all that lay in
 * the log before the erasure and can't be in force (dead letters with their lines, outputs), whatever its date.
 */
import { INPUTS } from "../embedded/log.js";
import type { Keep } from "../embedded/scrub.js";
import { type Claim, claimsOf, claimsOfOriginal } from "../events/claims.js";
import { decodeOriginal } from "../events/dead-letter.js";
import type { ContactId, EpochMs, TenantId } from "../events/types.js";
import type { Offset, Topic } from "../stream/log.js";
import { DEAD_LETTERS, type StoredLetter, storedLetter } from "./dead-letters.js";

/** The topic that has `ContactErased`. */
export const ERASURES: Topic = "score-changed";

/** Where the log has an erasure: what lies before it came before it. */
export interface ErasurePlace {
  /** The offset of its line. */
  readonly line: Offset;
  /** `ContactErased`; null: none was published, since the contact was not known. */
  readonly output: { readonly offset: Offset; readonly timestamp: EpochMs } | null;
}

export interface Erased {
  readonly until: EpochMs;
  /** Null: of an erasure that was compacted before. */
  readonly place: ErasurePlace | null;
}

/** Undefined: not erased. */
export type ErasedOf = (tenantId: TenantId, contactId: ContactId) => Erased | undefined;
/** Whether something lay in the log before an erasure. */
type IsBefore = (place: ErasurePlace) => boolean;

/** Whether something that claims to be a contact's, and is no input that can be in force, goes with the contact. */
function goes({ contactId, tenantIds, at }: Claim, isBefore: IsBefore, erasedOf: ErasedOf): boolean {
  return tenantIds.some((tenantId) => {
    const erased = erasedOf(tenantId, contactId);
    if (erased === undefined) return false;
    // What has no instant can't be of later than the erasure either.
    return at === null || at <= erased.until || (erased.place !== null && isBefore(erased.place));
  });
}

export function letterGoes({ original, topic, offset }: StoredLetter, erasedOf: ErasedOf): boolean {
  // A letter is published when its line is folded, which may be together with an erasure that came after it.
  const isBefore: IsBefore = ({ line }) => topic === INPUTS && offset < line;
  return claimsOfOriginal(original).some((claim) => goes(claim, isBefore, erasedOf));
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
      return letter !== null && letterGoes(letter, erasedOf) ? null : value;
    }
    if (topic !== INPUTS) {
      const isBefore: IsBefore = ({ output }) =>
        output !== null && (topic === ERASURES ? offset < output.offset : timestamp <= output.timestamp);
      return claimsOf(value).some((claim) => goes(claim, isBefore, erasedOf)) ? null : value;
    }
    if (lines.has(offset)) return null;
    const isBefore: IsBefore = ({ line }) => offset < line;
    const decoded = decodeOriginal(original);
    if (!decoded.ok) return claimsOfOriginal(original).some((claim) => goes(claim, isBefore, erasedOf)) ? null : value;
    const { tenantId, contactId, at } = decoded.input;
    const erased = erasedOf(tenantId, contactId);
    if (erased === undefined) return value;
    if (at <= erased.until) return null;
    if (erased.place !== null && isBefore(erased.place)) later.lines += 1;
    return value;
  };
}
