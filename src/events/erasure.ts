/** Erasures: profiles without fields. */
import type { ContactId, EpochMs, Input, Profile, TenantId } from "./types.js";

/**
 * The id of an erasure that is dated ahead on purpose, to cover what is dated later than it was sent. Any other one that
 * is dated too far after its arrival is taken for a mistake, as every input is.
 */
export const ALSO_LATER = "also-later";

/** The erasure of a contact, as a command sends it. @param now the present of whoever sends it */
export function erasureOf(tenantId: TenantId, contactId: ContactId, at: EpochMs, now: EpochMs): Profile {
  return { kind: "profile", id: at > now ? ALSO_LATER : "", tenantId, contactId, at, fields: null };
}

export function isErasure(input: Input): input is Profile & { readonly fields: null } {
  return input.kind === "profile" && input.fields === null;
}

/** Whether an input is dated ahead on purpose: then it says nothing of the present. */
export function isAlsoLater(input: Input): boolean {
  return input.id === ALSO_LATER && isErasure(input);
}
