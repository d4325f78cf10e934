/** Fields of a match: own properties only, null and what is behind no object is missing. */
import { describe, expect, test } from "vitest";
import { fieldReader } from "../../src/model/fields.js";
import { interaction, json, path } from "./given.js";

const read = (
  name: string,
  x: Parameters<ReturnType<typeof fieldReader>>[0],
  contact: Parameters<ReturnType<typeof fieldReader>>[1] = null,
) => fieldReader(path(name))(x, contact);

const x = interaction(
  { kind: "demo", list: [1, 2], deep: { er: { n: 5 } }, none: null, empty: "", zero: 0, no: false },
  { resource: "/a", automated: "maybe" },
);

test.each([
  ["resource", "/a"],
  ["type", "web.page_viewed"],
  ["id", "i1"],
  ["tenantId", "acme"],
  ["contactId", "ann"],
  ["automated", "maybe"],
  ["attributes.kind", "demo"],
  ["attributes.deep.er.n", 5],
  ["attributes.list", [1, 2]],
  ["attributes.empty", ""],
  ["attributes.zero", 0],
  ["attributes.no", false],
  ["attributes.none", undefined],
  ["attributes.other", undefined],
  ["attributes.kind.length", undefined],
  ["attributes.list.0", undefined],
  ["attributes.list.length", undefined],
  ["attributes.none.more", undefined],
  ["nothing", undefined],
])("%s of an interaction is %j", (name, value) => {
  expect(read(name, x)).toEqual(value);
});

test("automated is no where nothing is said; resource is missing", () => {
  expect(read("automated", interaction({}))).toBe("no");
  expect(read("resource", interaction({}))).toBeUndefined();
});

test("contact fields are those of the profile; before the first there are none", () => {
  const contact = { city: "Bonn", account: { parent: { employees: 12 } } };
  expect(read("contact.city", x, contact)).toBe("Bonn");
  expect(read("contact.account.parent.employees", null, contact)).toBe(12);
  expect(read("contact.account.parent.employees.more", null, contact)).toBeUndefined();
  expect(read("contact.city", x, null)).toBeUndefined();
});

describe("names of the language's own objects", () => {
  test.each([
    "constructor",
    "__proto__",
    "toString",
    "hasOwnProperty",
  ])("%s is a field only where it is written", (name) => {
    expect(read(`attributes.${name}`, interaction({}))).toBeUndefined();
    expect(read(`contact.${name}.name`, null, {})).toBeUndefined();
    expect(read(`contact.${name}`, null, json(`{"${name}":"own"}`))).toBe("own");
  });
});

test("without an interaction there is nothing of it", () => {
  for (const name of ["resource", "type", "id", "automated", "tenantId", "contactId", "attributes.kind"])
    expect(read(name, null, { kind: "demo" })).toBeUndefined();
});
