/** The order of keys is that of what they name: by tenant, contact, instant, kind and id, texts by their UTF-8 bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareInputs, compareText } from "../../src/events/order.js";
import type { InputKey } from "../../src/events/types.js";
import {
  contactKey,
  contactOf,
  contactOfDue,
  contactOfRow,
  contactRow,
  dueEnd,
  dueRow,
  historyEnd,
  historyRow,
  historyStart,
  snapshotRange,
  snapshotRow,
} from "../../src/store/keys.js";

/** As decoding lets names through: no control characters, no half surrogates. */
const name = fc
  .oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 8 }), fc.constantFrom("a", "ab", "\uff5e", "\u{1f600}"))
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text) && text !== "");
const instant = fc.oneof(fc.integer({ min: -8.64e15, max: 8.64e15 }), fc.constantFrom(-1, 0, 1));
const kind = fc.constantFrom<InputKey["kind"]>("profile", "interaction", "adjustment");
const input: fc.Arbitrary<InputKey> = fc.record({ at: instant, kind, id: fc.oneof(name, fc.constant("")) });
const bytes = (a: string, b: string): number => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));

describe("keys", () => {
  it("name a contact, and give it back", () => {
    fc.assert(
      fc.property(name, name, instant, (tenantId, contactId, at) => {
        const key = contactKey(tenantId, contactId);
        expect(contactOf(key)).toEqual({ tenantId, contactId });
        expect(contactOfRow(contactRow(key))).toBe(key);
        expect(contactOfDue(dueRow(at, key))).toBe(key);
      }),
    );
  });

  it("of a contact's history are in the order of its inputs", () => {
    fc.assert(
      fc.property(name, name, input, input, (tenantId, contactId, a, b) => {
        const key = contactKey(tenantId, contactId);
        fc.pre(compareInputs(a, b) !== 0);
        const order = Math.sign(compareInputs(a, b));
        expect(bytes(historyRow(3, key, a, 7), historyRow(3, key, b, 7))).toBe(order);
        expect(bytes(snapshotRow(key, a), snapshotRow(key, b))).toBe(order);
      }),
    );
  });

  it("of one contact lie together: none of another is between", () => {
    fc.assert(
      fc.property(name, name, name, input, input, fc.nat(99_999_999), (tenantId, one, other, a, b, segment) => {
        const [key, second] = [contactKey(tenantId, one), contactKey(tenantId, other)];
        const isInside = (row: string): boolean =>
          bytes(historyStart(segment, key), row) <= 0 && bytes(row, historyEnd(segment, key)) < 0;
        expect(isInside(historyRow(segment, key, a, 1))).toBe(true);
        expect(isInside(historyRow(segment, second, b, 1))).toBe(one === other);
        const { gte, lt } = snapshotRange(key);
        const row = snapshotRow(second, b);
        expect(bytes(gte, row) <= 0 && bytes(row, lt) < 0).toBe(one === other);
      }),
    );
  });

  it("of the history from an instant on begin at its first input", () => {
    fc.assert(
      fc.property(name, input, instant, (contactId, a, from) => {
        const key = contactKey("acme", contactId);
        expect(bytes(historyStart(1, key, from), historyRow(1, key, a, 1)) <= 0).toBe(a.at >= from);
      }),
    );
  });

  it("of the due index are in the order of instants, and end after those of one", () => {
    fc.assert(
      fc.property(instant, instant, name, name, (a, b, one, other) => {
        const [key, second] = [contactKey("acme", one), contactKey("acme", other)];
        expect(bytes(dueRow(a, key), dueRow(b, second))).toBe(Math.sign(a - b) || Math.sign(compareText(key, second)));
        expect(bytes(dueRow(a, key), dueEnd(b)) < 0).toBe(a <= b);
      }),
    );
  });
});
