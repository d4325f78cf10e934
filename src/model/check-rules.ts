/** Checks rules: which of the four families each one is, that its keys belong to it, and what they say. */
import { readPatterns, readWhere, reportNoEffect } from "./check-conditions.js";
import { readCaps, readDimension, readPoints, readRecency, readRepeat, readTimes } from "./check-points.js";
import {
  Fields,
  type Findings,
  found,
  type Item,
  isMapItem,
  readBoolean,
  readDuration,
  readId,
  readList,
  readNumber,
  readWord,
  reportRepeated,
} from "./check-values.js";
import type { MapNode } from "./parse.js";
import type { AccumulatingRule, Condition, InactiveRule, ProfileRule, Rule, StandingRule } from "./types.js";

/** Ledger lines of these names are no rule's. */
const reservedIds = ["adjustment", "cut"];
const automatedPolicies = ["skip", "skipMaybe", "count"] as const;

const keysOfAll = ["id", "dimension", "where", "weight", "cap"];
const keysOf = {
  accumulating: ["when", "points", "set", "suppress", "repeat", "scope", "decays", "automated"],
  standing: ["when", "points", "times", "within", "recency", "after", "scope", "repeat", "automated"],
  profile: ["points"],
  inactive: ["inactive", "points", "set", "decays"],
} as const;
type Family = keyof typeof keysOf;

const allKeys = [...new Set([...keysOfAll, ...Object.values(keysOf).flat()])];
const keysWithEffect = {
  set: ["id", "dimension", "when", "where", "scope", "automated", "set"],
  suppress: ["id", "when", "where", "scope", "automated", "suppress"],
};

/** What rules refer to. `ids` is empty where the dimensions themselves have problems. */
export interface DimensionNames {
  readonly ids: readonly string[];
  /** Those with decay. */
  readonly decaying: ReadonlySet<string>;
}

/** The list of rules, in model order. */
export function readRules(findings: Findings, item: Item | undefined, dimensions: DimensionNames): readonly Rule[] {
  const items = readList(findings, item, "[{ id: clicked, when: email.clicked, points: 10 }]") ?? [];
  const ids: { at: Item; key: string | undefined }[] = [];
  const rules = items.flatMap((each) => {
    if (!isMapItem(each)) {
      findings.error(
        each,
        `expected a rule such as \`{ id: clicked, when: email.clicked, points: 10 }\`, found ${found(each.node)}`,
      );
      return [];
    }
    const reader = new RuleReader(findings, each, dimensions);
    const rule = reader.rule();
    ids.push({ at: reader.fields.get("id") ?? each, key: rule.id === "" ? undefined : rule.id });
    return [rule];
  });
  reportRepeated(findings, ids, "rule id");
  return rules;
}

/** A rule with a problem comes out with stand-ins for what could not be read; its model is never used. */
class RuleReader {
  readonly fields: Fields;
  readonly #findings: Findings;
  readonly #dimensions: DimensionNames;
  readonly #family: Family;
  readonly #toldBy: string;

  constructor(findings: Findings, item: Item & { readonly node: MapNode }, dimensions: DimensionNames) {
    this.#findings = findings;
    this.#dimensions = dimensions;
    this.fields = new Fields(findings, item, allKeys);
    const { family, toldBy } = familyOf(this.fields);
    this.#family = family;
    this.#toldBy = toldBy;
  }

  rule(): Rule {
    const { fields } = this;
    const findings = this.#findings;
    const idItem = fields.require("id", "what explanations call the rule, as in `id: clicked`");
    const id = readId(findings, idItem, "a rule id such as `clicked`") ?? "";
    if (idItem !== undefined && reservedIds.includes(id)) {
      findings.error(idItem, `\`${id}\` names a ledger line of its own; choose another rule id`);
    }
    const strange = this.#reportStrangeKeys();
    const interaction = this.#family === "accumulating" || this.#family === "standing";
    const where = readWhere(findings, fields.get("where"), { interaction });
    switch (this.#family) {
      case "accumulating":
        return this.#accumulating(id, where);
      case "standing":
        return this.#standing(id, where, strange);
      case "profile":
        return this.#profile(id, where, strange);
      case "inactive":
        return this.#inactive(id, where);
    }
  }

  /** Keys that are known, but not for this family. */
  #reportStrangeKeys(): ReadonlySet<string> {
    const allowed = [...keysOfAll, ...keysOf[this.#family]];
    const strange = new Set<string>();
    for (const key of allKeys) {
      const item = this.fields.get(key);
      if (item !== undefined && !allowed.includes(key)) {
        strange.add(key);
        const article = this.#family === "accumulating" || this.#family === "inactive" ? "an" : "a";
        const message = `\`${key}\` is no key of ${article} ${this.#family} rule (${this.#toldBy}); remove it, or see its keys: ${allowed.join(", ")}`;
        this.#findings.error(item, message);
      }
    }
    return strange;
  }

  #accumulating(id: string, where: readonly Condition[]): AccumulatingRule {
    const { fields } = this;
    const findings = this.#findings;
    const common = { family: "accumulating", id, where, ...this.#matching() } as const;
    const effects = (["points", "set", "suppress"] as const).filter((key) => fields.get(key) !== undefined);
    if (effects.length > 1) {
      findings.error(
        fields.at,
        `a rule has one of points, set and suppress, found ${effects.join(", ")}; make a rule of each`,
      );
    }
    const [effect = "points"] = effects;
    if (effects.length === 0 && !["points", "set", "suppress"].some((key) => fields.has(key))) {
      findings.error(fields.at, "`points` is missing: what a match gives (or `set` or `suppress`)");
    }
    if (effect === "suppress") {
      this.#only("suppress");
      const suppress = fields.get("suppress");
      if (suppress !== undefined && readBoolean(findings, suppress) === false) {
        findings.error(suppress, "write `suppress: true`, or remove the rule");
      }
      return { ...common, effect: { kind: "suppress" } };
    }
    if (effect === "set") {
      this.#only("set");
      return { ...common, effect: this.#set() };
    }
    const { cap, periodCaps } = readCaps(findings, fields.get("cap"), undefined);
    const repeat = readRepeat(findings, fields.get("repeat"));
    const points = readPoints(findings, fields.get("points"));
    const given = this.#given(points);
    return {
      ...common,
      effect: {
        kind: "points",
        ...given,
        ...(repeat && { repeat }),
        ...(cap !== undefined && { cap }),
        periodCaps,
        decays: this.#decays(given.dimension, this.#dimensions.decaying.has(given.dimension)),
      },
    };
  }

  #standing(id: string, where: readonly Condition[], strange: ReadonlySet<string>): StandingRule {
    const { fields } = this;
    const findings = this.#findings;
    const hasTimes = fields.has("times");
    const within = readDuration(findings, fields.get("within"), "window");
    const times = readTimes(findings, fields.get("times"));
    const after = readDuration(findings, fields.get("after"), "duration");
    const recency = readRecency(findings, fields.get("recency"));
    const repeat = readRepeat(findings, fields.get("repeat"));
    this.#notWith(hasTimes, "recency", "`times` gives its points once, whatever the age of the matches");
    this.#notWith(hasTimes, "repeat", "`times` gives its points once");
    this.#notWith(fields.has("scope"), "repeat", "`scope: resource` takes one match of each resource");
    this.#notWith(!hasTimes, "after", "it holds back a rule with `times`, and this one has none");
    if (!strange.has("set") && !strange.has("suppress")) {
      fields.require("points", "what the rule gives while it holds");
    }
    const contactOnly = hasTimes ? "in a rule with `times`, which gives its points once for all matches" : undefined;
    const points = readPoints(findings, fields.get("points"), contactOnly);
    const { cap } = readCaps(findings, fields.get("cap"), "a standing rule");
    return {
      family: "standing",
      id,
      where,
      ...this.#matching(),
      ...this.#given(points),
      ...(cap !== undefined && { cap }),
      ...(within !== undefined && { within }),
      ...(times && { times }),
      ...(after !== undefined && { after }),
      ...(recency && { recency }),
      ...(repeat && { repeat }),
    };
  }

  #profile(id: string, where: readonly Condition[], strange: ReadonlySet<string>): ProfileRule {
    const { fields } = this;
    const findings = this.#findings;
    if (strange.size === 0) {
      fields.require("points", "what the profile gives (or `when`, for a rule about interactions)");
    }
    const points = readPoints(findings, fields.get("points"), "in a profile rule: no interaction is at hand");
    const { cap } = readCaps(findings, fields.get("cap"), "a profile rule");
    return { family: "profile", id, where, ...this.#given(points), ...(cap !== undefined && { cap }) };
  }

  #inactive(id: string, where: readonly Condition[]): InactiveRule {
    const { fields } = this;
    const findings = this.#findings;
    const inactive = readDuration(findings, fields.get("inactive"), "duration") ?? 0;
    const common = { family: "inactive", id, where, inactive } as const;
    const { cap } = readCaps(findings, fields.get("cap"), "an inactive rule");
    if (fields.get("points") !== undefined && fields.get("set") !== undefined) {
      findings.error(fields.at, "a rule has one of points and set, found both; make a rule of each");
    }
    if (fields.get("points") === undefined && fields.get("set") !== undefined) {
      reportNoEffect(findings, fields, ["weight", "cap", "decays"], "beside `set`");
      return { ...common, effect: this.#set() };
    }
    if (!fields.has("set")) {
      fields.require("points", "what a spell of silence gives (or `set`)");
    }
    const points = readPoints(findings, fields.get("points"), "in an inactive rule: no interaction is at hand");
    const given = this.#given(points);
    return {
      ...common,
      effect: {
        kind: "points",
        ...given,
        ...(cap !== undefined && { cap }),
        decays: this.#decays(given.dimension, false),
      },
    };
  }

  #matching(): Pick<StandingRule, "when" | "automated" | "scopeResource"> {
    const { fields } = this;
    const findings = this.#findings;
    const item = fields.get("when");
    if (item?.node.kind === "list" && item.node.items.length === 0) {
      findings.error(item, "the list is empty: name at least one type, or `*` for all");
    }
    const when = readPatterns(findings, item);
    const automated = readWord(findings, fields.get("automated"), automatedPolicies) ?? "skip";
    return { when, automated, scopeResource: readWord(findings, fields.get("scope"), ["resource"]) !== undefined };
  }

  #given(points: StandingRule["points"] | undefined): Pick<StandingRule, "dimension" | "points" | "weight"> {
    const dimension = readDimension(this.#findings, this.fields, this.#dimensions.ids, false) ?? "";
    const weight = readNumber(this.#findings, this.fields.get("weight")) ?? 1;
    return { dimension, points: points ?? { kind: "number", value: 0 }, weight };
  }

  #set(): { readonly kind: "set"; readonly dimension: string; readonly set: number } {
    const set = readNumber(this.#findings, this.fields.get("set")) ?? 0;
    const dimension = readDimension(this.#findings, this.fields, this.#dimensions.ids, true) ?? "";
    return { kind: "set", dimension, set };
  }

  #decays(dimension: string, otherwise: boolean): boolean {
    const item = this.fields.get("decays");
    const decays = readBoolean(this.#findings, item) ?? otherwise;
    if (item !== undefined && decays && dimension !== "" && !this.#dimensions.decaying.has(dimension)) {
      this.#findings.warning(
        item,
        `dimension \`${dimension}\` has no decay, so nothing decays; remove \`decays\` or add a decay`,
      );
    }
    return decays;
  }

  /** Reports keys that mean nothing beside `set` or `suppress`. */
  #only(effect: keyof typeof keysWithEffect): void {
    const allowed = keysWithEffect[effect];
    for (const key of keysOfAll.concat(keysOf.accumulating)) {
      const item = this.fields.get(key);
      if (item !== undefined && !allowed.includes(key) && key !== "points" && key !== "set" && key !== "suppress") {
        this.#findings.error(item, `\`${key}\` does not go with \`${effect}\`; its keys: ${allowed.join(", ")}`);
      }
    }
  }

  #notWith(condition: boolean, key: string, why: string): void {
    const item = this.fields.get(key);
    if (condition && item !== undefined) {
      this.#findings.error(item, `\`${key}\` does not go here: ${why}; remove it`);
    }
  }
}

function familyOf(fields: Fields): { readonly family: Family; readonly toldBy: string } {
  if (fields.has("inactive")) {
    return { family: "inactive", toldBy: "it is one because of `inactive`" };
  }
  if (!fields.has("when")) {
    return { family: "profile", toldBy: "it is one because it has no `when`" };
  }
  const standing = ["times", "within", "recency"].find((key) => fields.has(key));
  return standing === undefined
    ? { family: "accumulating", toldBy: "it is one because of `when` without times, within or recency" }
    : { family: "standing", toldBy: `it is one because of \`${standing}\`` };
}
