import { describe, expect, it } from "vitest";
import { claimsOf, claimsOfOriginal } from "../../src/events/claims.js";
import { brokenOriginal } from "../../src/events/dead-letter.js";

const at = Date.UTC(2026, 4, 1);
const owners = (line: string): string[] =>
  claimsOf(line).flatMap(({ contactId, tenantIds }) => tenantIds.map((tenantId) => `${tenantId}/${contactId}`));

describe("a line that is an input", () => {
  it("is the contact's, whatever else it says", () => {
    const line = { contactId: "ann", contact_id: "bob", tenant_id: "acme", type: "email.opened", at };
    expect(claimsOf(JSON.stringify(line))).toEqual([{ contactId: "ann", tenantIds: ["default"], at }]);
  });
});

describe("a line that is none", () => {
  it.each([
    [{ contactId: "ann", at: "5 May 2026" }, ["default/ann"]],
    [{ contactId: "ann", tenantId: "acme" }, ["acme/ann"]],
    [{ contactId: "ann", tenant_id: "acme" }, ["acme/ann", "default/ann"]],
    [{ contact_id: "ann", type: "email.opened", at }, ["default/ann"]],
    [{ ContactID: "ann", at }, ["default/ann"]],
    [{ contcatId: "ann", at }, ["default/ann"]],
    [{ contactId: null, contactid: "ann" }, ["default/ann"]],
    [{ contactId: 42, type: "email.opened", at }, ["default/42"]],
    [{ kind: "profil", contactId: "ann", at }, ["default/ann"]],
    [
      [{ contactId: "ann" }, { contactId: "bob" }, 7],
      ["default/ann", "default/bob"],
    ],
    [JSON.stringify({ contactId: "ann" }), ["default/ann"]],
    [{ id: "ann", type: "email.opened", at }, []],
    [{ contactId: "bob", attributes: { contactId: "ann" } }, ["default/bob"]],
    [null, []],
  ])("as %j is of whom it names", (value, expected) => {
    expect(owners(JSON.stringify(value))).toEqual(expected);
  });

  it.each([
    ['{"contactId": "z\\u00f6ra/\\"q\\"", "type":"email.opened","attributes":{"mail":"z', ['default/zöra/"q"']],
    ['{"contactId":"ann","tenantId":"acme",', ["acme/ann"]],
    ["{'contact_id': 'ann', 'at': 'x'}", ["default/ann"]],
    ["{contactId: ann, type: email.opened}", ["default/ann"]],
    ["contactId=ann type=email.opened", ["default/ann"]],
    // What stands in a text is nobody's name.
    ['{"contactId":"bob","note":"contactId=ann","at', ["default/bob"]],
    ["ann,email.opened,2026-05-01", []],
    ["", []],
  ])("and no JSON, as %s, is of whom it names", (line, expected) => {
    expect(owners(line)).toEqual(expected);
  });

  it("says when, where an input could be of then", () => {
    const of = (line: string): unknown[] => claimsOf(line).map((claim) => claim.at);
    expect(of('{"contact_id":"ann","at":"2026-05-01T00:00:00Z"}')).toEqual([at]);
    expect(of(`{"contact_id":"ann","at":${at},`)).toEqual([at]);
    expect(of('{"contact_id":"ann","at":"2026-05-01T02:00:00+02:00",')).toEqual([at]);
    for (const no of ["5 May 2026", "2026-05-01", "2206-03-01T00:00:00Z", ""])
      expect(of(`{"contact_id":"ann","at":"${no}"}`)).toEqual([null]);
    expect(of('{"contact_id":"ann"}')).toEqual([null]);
    expect(of('{"contactId":"ann","type":"email.opened","at":1780306200}')).toEqual([null]);
  });

  it("and no UTF-8 is read in the encodings that it may be in", () => {
    const line = '{"contactId":"Zürabelle","type":"email.opened"}';
    for (const encoding of ["latin1", "utf16le"] as const) {
      const bytes = Buffer.from(line, encoding);
      const original = brokenOriginal(encoding === "latin1" ? bytes : Buffer.concat([Buffer.of(0xff), bytes]), 1, "ab");
      expect(claimsOfOriginal(original).map(({ contactId }) => contactId)).toContain("Zürabelle");
    }
  });

  it("takes time in its length only", () => {
    for (const part of ["a", "a:", '"', "'", 'k:"', "k:'", "\\", 'k:"\\', " ", "k \t"]) {
      expect(owners(part.repeat(100_000))).toEqual([]);
    }
  });
});
