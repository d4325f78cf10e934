/**
 * The layout of the store, all of it. Names hold no control characters, so NUL ends them, and the order of the keys by
 * bytes is the order of tenants, contacts and inputs.
 *
 * | key | value |
 * |---|---|
 * | `c` tenant contact | the contact: where it stands under each model, without its history |
 * | `d` due tenant contact | nothing: the contact is due then, or later (an entry may be too early, never too late) |
 * | `e` hash | until when a contact is erased of which nothing else is kept; the hash is of its salted name |
 * | `h` segment tenant contact at kind id flush | inputs of one contact, under the key of the last of them |
 * | `m` name | what is known of the whole store |
 * | `p` tenant contact model piece | a piece of a long list of the contact's state under a model |
 * | `s` tenant contact at kind id | the contact's states as of that input |
 * | `x` tenant contact | until when a contact was erased whose bytes may still lie in files |
 *
 * History lies in segments by arrival, not contact by contact over all time: LevelDB would rewrite the old data of every
 * contact for ever, and writes would stall the longer the larger the store has grown. The contact's row says which
 * segments it has rows in.
 */
import { instantKey, kindRank, padded } from "../events/order.js";
import type { ContactId, EpochMs, InputKey, TenantId } from "../events/types.js";

/** `tenant NUL contact`: names a contact in the store and in memory. */
export type ContactKey = string;

export function contactKey(tenantId: TenantId, contactId: ContactId): ContactKey {
  return `${tenantId}\0${contactId}`;
}

export function contactOf(key: ContactKey): { tenantId: TenantId; contactId: ContactId } {
  const end = key.indexOf("\0");
  return { tenantId: key.slice(0, end), contactId: key.slice(end + 1) };
}

export function contactRow(contact: ContactKey): string {
  return `c\0${contact}`;
}

export function contactOfRow(key: string): ContactKey {
  return key.slice(2);
}

export function dueRow(at: EpochMs, contact: ContactKey): string {
  return `d\0${instantKey(at)}\0${contact}`;
}

export function contactOfDue(key: string): ContactKey {
  return key.slice(20);
}

/** The end of all entries that are due at or before `at`. */
export function dueEnd(at: EpochMs): string {
  return `d\0${instantKey(at)}\x01`;
}

export function erasedRow(hash: string): string {
  return `e\0${hash}`;
}

function placeKey({ at, kind, id }: InputKey): string {
  return `${instantKey(at)}${kindRank(kind)}${id}`;
}

export function historyRow(segment: number, contact: ContactKey, last: InputKey, flush: number): string {
  return `${historyStart(segment, contact)}${placeKey(last)}\0${padded(flush, 12)}`;
}

/** Where the rows begin that have inputs at or after `from`; without it, all of the contact in that segment. */
export function historyStart(segment: number, contact: ContactKey, from?: EpochMs): string {
  return `h\0${padded(segment, 8)}\0${contact}\0${from === undefined ? "" : instantKey(from)}`;
}

export function historyEnd(segment: number, contact: ContactKey): string {
  return `h\0${padded(segment, 8)}\0${contact}\x01`;
}

export function snapshotRow(contact: ContactKey, last: InputKey): string {
  return `s\0${contact}\0${placeKey(last)}`;
}

export function snapshotRange(contact: ContactKey): { gte: string; lt: string } {
  return { gte: `s\0${contact}\0`, lt: `s\0${contact}\x01` };
}

/** @param piece `model NUL piece` */
export function pieceRow(contact: ContactKey, piece: string): string {
  return `p\0${contact}\0${piece}`;
}

export function pieceRange(contact: ContactKey): { gte: string; lt: string } {
  return { gte: `p\0${contact}\0`, lt: `p\0${contact}\x01` };
}

export const metaRow = "m\0store";

export function modelRow(name: string): string {
  return `m\0model\0${name}`;
}

/** Contacts erased since the store was last compacted: their bytes are still in its files. */
export function erasedSinceRow(contact: ContactKey): string {
  return `x\0${contact}`;
}
