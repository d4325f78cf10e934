/** The points of a match: a number, or looked up, banded, by keywords, or in proportion to a field. */
import type { Interaction, Json, JsonObject } from "../events/types.js";
import { comparedNumber, comparedText } from "./conditions.js";
import { fieldReader } from "./fields.js";
import { comparedForm } from "./text.js";
import type { Points } from "./types.js";

export type PointsOf = (interaction: Interaction | null, profile: JsonObject | null) => number;

export function pointsOf(points: Points): PointsOf {
  if (points.kind === "number") {
    const { value } = points;
    return () => value;
  }
  const read = fieldReader(points.by);
  const look = lookup(points);
  const otherwise = points.else;
  return (x, profile) => {
    const value = read(x, profile);
    return value === undefined ? otherwise : (look(value) ?? otherwise);
  };
}

/** True where the points read the contact's profile: they are judged again when it changes. */
export function readsContact(points: Points): boolean {
  return points.kind !== "number" && points.by[0] === "contact";
}

function lookup(points: Exclude<Points, { kind: "number" }>): (value: Json) => number | undefined {
  switch (points.kind) {
    case "values": {
      const table = new Map(points.values.map(([text, value]) => [comparedForm(text), value]));
      return (value) => {
        const text = comparedText(value);
        return text === undefined ? undefined : table.get(text);
      };
    }
    case "bands": {
      const { bands } = points;
      return (value) => {
        const number = comparedNumber(value);
        if (number === undefined) return undefined;
        let found: number | undefined;
        for (const band of bands) if (band.from <= number) found = band.points;
        return found;
      };
    }
    case "keywords":
      return keywordLookup(points.keywords, points.pick);
    case "times": {
      const factor = points.times;
      return (value) => {
        const number = comparedNumber(value);
        return number === undefined ? undefined : number * factor;
      };
    }
  }
}

function keywordLookup(keywords: readonly (readonly [string, number])[], pick: "highest" | "sum") {
  // A keyword without a letter or digit has no words: it is never found.
  const wanted = keywords
    .map(([phrase, value]) => ({ words: words(comparedForm(phrase)), value }))
    .filter((keyword) => keyword.words.length > 0)
    .map((keyword) => ({ phrase: ` ${keyword.words.join(" ")} `, value: keyword.value }));
  return (value: Json): number | undefined => {
    const compared = comparedText(value);
    if (compared === undefined) return undefined;
    // Words joined by single blanks: a phrase is found as a run of whole words.
    const text = ` ${words(compared).join(" ")} `;
    let found: number | undefined;
    for (const keyword of wanted) {
      if (!text.includes(keyword.phrase)) continue;
      if (found === undefined) found = keyword.value;
      else found = pick === "sum" ? found + keyword.value : Math.max(found, keyword.value);
    }
    return found;
  };
}

/** Runs of letters, marks and digits: a vowel sign of Devanagari is a mark, and part of its word. */
function words(text: string): string[] {
  return text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}
