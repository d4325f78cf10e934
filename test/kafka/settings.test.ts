/** What decides what a record means: named by its content, compared by what people are told of it. */
import { expect, it } from "vitest";
import { chosenSettings, differencesOf, type SettingValues, settingsOf } from "../../src/kafka/settings.js";

const values: SettingValues = {
  inputs: new Map([["web", "interaction"]]),
  outputs: { scoreChanged: "score-changed", thresholdCrossed: "threshold-crossed", deadLetters: "dead-letters" },
  inputAheadMsMax: 3_600_000,
  hasRegistry: false,
  foldVersion: 1,
};

it("are the same whatever order topics are named in, and others with any other value", () => {
  const two = new Map([
    ["web", "interaction"],
    ["calls", "interaction"],
  ]);
  const { id } = settingsOf({ ...values, inputs: two });
  expect(settingsOf({ ...values, inputs: new Map([...two].reverse()) }).id).toBe(id);
  const others: SettingValues[] = [
    values,
    { ...values, inputs: new Map([["web", "profile"]]) },
    { ...values, inputs: new Map([["web", "interaction by version 1 of its mapping = {}"]]) },
    { ...values, outputs: { ...values.outputs, deadLetters: "letters" } },
    { ...values, inputAheadMsMax: 60_000 },
    { ...values, hasRegistry: true },
    { ...values, foldVersion: 2 },
  ];
  expect(new Set([id, ...others.map((one) => settingsOf(one).id)]).size).toBe(others.length + 1);
});

it("say in what they differ, not more", () => {
  const mapped = (version: number, content: string) => ({
    "input v": `profile by version ${version} of its mapping = ${content}`,
  });
  expect(differencesOf({ a: "1" }, { a: "1" })).toEqual([]);
  expect(differencesOf(mapped(1, "{}"), mapped(2, "{}"))).toEqual([
    "input v: profile by version 1 of its mapping here, profile by version 2 of its mapping there",
  ]);
  expect(differencesOf(mapped(1, "{}"), mapped(1, "[]"))).toEqual([
    "input v: profile by version 1 of its mapping with other content there",
  ]);
  expect(differencesOf({ a: "1" }, { b: "2" })).toEqual(["a: 1 here, not there", "b: not here, 2 there"]);
});

it("hold as long as one member has them, then those of most", () => {
  expect(chosenSettings("old", ["new", "new", "old"])).toBe("old");
  expect(chosenSettings("old", ["new", "newest", "new"])).toBe("new");
  expect(chosenSettings(null, ["b", "a"])).toBe("a");
  expect(chosenSettings(null, ["b", "a", "b"])).toBe("b");
});
