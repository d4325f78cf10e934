import { expect, test } from "vitest";
import { nearest, suggestion } from "../src/nearest.js";

test("the nearest name is the one with the fewest letters to change", () => {
  expect(nearest("dimention", ["dimension", "decay"])).toBe("dimension");
  expect(nearest("isnot", ["is", "isNot", "in"])).toBe("isNot");
  expect(nearest("tpye", ["attributes", "automated", "type", "at"])).toBe("type");
  expect(nearest("wehn", ["when", "where"])).toBe("when");
  expect(nearest("xyz", ["when", "where"])).toBeUndefined();
  expect(nearest("a".repeat(100_000), ["when"])).toBeUndefined();
  expect(suggestion("xyz", ["when", "where"])).toBe("; known: when, where");
  expect(suggestion("xyz", [])).toBe("");
});
