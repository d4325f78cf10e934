/** Scenario files, read: YAML with problems -> `Scenario`s. The language itself is told in scenario-types.ts. */
import { decodeLine } from "../events/decode.js";
import { encodeInput } from "../events/encode.js";
import { parseInstant } from "../events/time.js";
import type { Adjustment, EpochMs, Input, Interaction, JsonObject, TenantId } from "../events/types.js";
import { RETRACTION } from "../events/types.js";
import type { FileKind } from "../model/parse.js";
import { type Field, type Fields, YamlReader } from "../model/yaml-reader.js";
import { parseOffset } from "./offset.js";
import {
  CONTACT_DEFAULT,
  type Expectation,
  type ExpectedChange,
  type ExpectedCrossing,
  type ExpectedErasure,
  type ModelSource,
  type Scenario,
  type ScenarioFile,
  START_DEFAULT,
  TENANT_DEFAULT,
} from "./scenario-types.js";

const fileKeys = ["model", "models", "start", "tenant", "scenarios"] as const;
const scenarioKeys = [
  "name",
  "model",
  "models",
  "start",
  "until",
  "inputs",
  "expect",
  "crossings",
  "changes",
  "erasures",
] as const;
const inputKeys = ["at", "contact", "id", "type", "resource", "automated", "attributes"] as const;
const otherInputKinds = ["profile", "erase", "adjust", "retract"] as const;
const expectationKeys = [
  "at",
  "contact",
  "model",
  "none",
  "score",
  "grade",
  "dimensions",
  "salesReady",
  "suppressed",
  "lastActivityAt",
] as const;
const crossingKinds = ["threshold", "trigger", "salesReady", "grade"] as const;
const crossingKeys = ["at", "contact", "model", ...crossingKinds, "direction", "previous", "score", "route", "cause"];
const changeKeys = ["at", "contact", "model", "score", "previous", "grade", "route", "cause"] as const;
const causeKinds = [
  "interaction",
  "profile",
  "population",
  "adjustment",
  "decay",
  "expiry",
  "inactivity",
  "late",
  "model",
] as const;

const scenarioKind: FileKind = {
  plural: "scenario files",
  split: "split the scenarios over several files",
  start: "expected model and scenarios",
  single: "take out the line `---`",
};

/** Reads a scenario file; all its problems at once, each with line and column. */
export function parseScenarioFile(text: string, file: string): ScenarioFile {
  const reader = new YamlReader(text, file, scenarioKind);
  const { root } = reader;
  // What follows a mistake of YAML itself would only be noise.
  const scenarios = root === undefined || reader.problems.length > 0 ? [] : new ScenarioParser(reader).file(root);
  const { problems } = reader;
  return problems.length > 0 ? { ok: false, problems } : { ok: true, scenarios };
}

class ScenarioParser {
  #start: EpochMs = START_DEFAULT;
  #latest: EpochMs = START_DEFAULT;
  #tenantId: TenantId = TENANT_DEFAULT;
  readonly #names = new Set<string>();

  constructor(readonly reader: YamlReader) {}

  file(root: Field): Scenario[] {
    const fields = this.reader.fields(root, fileKeys);
    if (fields === undefined) {
      return [];
    }
    this.#tenantId = this.reader.textOf(fields, "tenant") ?? TENANT_DEFAULT;
    const start = this.#startOf(fields) ?? START_DEFAULT;
    const models = this.#models(fields);
    const list = this.reader.required(root, fields, "scenarios");
    const scenarios: Scenario[] = [];
    for (const item of list === undefined ? [] : this.reader.items(list)) {
      this.#start = start;
      const scenario = this.#scenario(item, models);
      if (scenario !== undefined) {
        scenarios.push(scenario);
      }
    }
    if (list !== undefined && this.reader.problems.length === 0 && scenarios.length === 0) {
      this.reader.report(list, "expected at least one scenario: a file without any would pass whatever the model does");
    }
    return scenarios;
  }

  #scenario(item: Field, fileModels: readonly ModelSource[]): Scenario | undefined {
    const fields = this.reader.fields(item, scenarioKeys);
    if (fields === undefined) {
      return undefined;
    }
    this.#start = this.#startOf(fields) ?? this.#start;
    this.#latest = this.#start;
    const name = this.#name(item, fields);
    const own = this.#models(fields);
    const models = own.length > 0 ? own : fileModels;
    if (models.length === 0) {
      this.reader.report(item, "no model: name one with `model:`, here or at the top of the file");
    }
    const inputs = this.reader.list(fields, "inputs", (field, index) => this.#input(field, index)) ?? [];
    const expectations = this.reader.list(fields, "expect", (field) => this.#expectation(field)) ?? [];
    const crossings = this.reader.list(fields, "crossings", (field) => this.#crossing(field));
    const changes = this.reader.list(fields, "changes", (field) => this.#change(field));
    const erasures = this.reader.list(fields, "erasures", (field) => this.#output(field, ["at", "contact"])?.output);
    const until = fields.get("until");
    if (until !== undefined) {
      this.#instant(until);
    }
    if (!["expect", "crossings", "changes", "erasures"].some((key) => fields.has(key))) {
      this.reader.report(item, "expects nothing: write at least one of expect, crossings, changes, erasures");
    }
    return {
      name,
      line: item.place.line,
      models,
      start: this.#start,
      tenantId: this.#tenantId,
      until: this.#latest,
      inputs,
      expectations,
      ...(crossings !== undefined && { crossings }),
      ...(changes !== undefined && { changes }),
      ...(erasures !== undefined && { erasures }),
    };
  }

  #name(item: Field, fields: Fields): string {
    const field = this.reader.required(item, fields, "name");
    const name = (field && this.reader.string(field)) ?? "";
    if (field !== undefined && name !== "" && this.#names.has(name)) {
      this.reader.report(field, `there is a scenario "${name}" already; names tell failures apart`);
    }
    this.#names.add(name);
    return name;
  }

  #models(fields: Fields): ModelSource[] {
    const one = fields.get("model");
    const many = fields.get("models");
    if (one !== undefined && many !== undefined) {
      this.reader.report(many, "`model` and `models` are one or the other");
    }
    const sources = many === undefined ? (one === undefined ? [] : [one]) : this.reader.items(many);
    return sources.flatMap((field): ModelSource[] => {
      if (this.reader.isMapping(field)) {
        return [{ tree: this.reader.tree(field) }];
      }
      const name = this.reader.scalar(field);
      if (typeof name !== "string" || name === "") {
        this.reader.report(field, "expected the name of a model file beside this one, or a model in place");
        return [];
      }
      return [{ name, place: field.place }];
    });
  }

  #startOf(fields: Fields): EpochMs | undefined {
    const field = fields.get("start");
    if (field === undefined) {
      return undefined;
    }
    const text = this.reader.string(field);
    const start = text === undefined ? undefined : parseInstant(text);
    if (text !== undefined && start === undefined) {
      this.reader.report(field, `"${text}" is no instant; write 2026-03-02T09:00:00Z, with a zone`);
    }
    return start;
  }

  /** Reads `2026-03-02T09:00:00Z` or an offset from the start, `+3d2h`. */
  #instant(field: Field): EpochMs | undefined {
    const value = this.reader.scalar(field);
    const text = typeof value === "string" ? value : String(value);
    const offset = parseOffset(text);
    const at = offset === undefined ? parseInstant(text) : this.#start + offset;
    if (at === undefined) {
      this.reader.report(
        field,
        `"${text}" is no instant; write 2026-03-02T09:00:00Z, or an offset from the start such as +3d2h (w d h m s ms)`,
      );
      return undefined;
    }
    this.#latest = Math.max(this.#latest, at);
    return at;
  }

  #input(field: Field, index: number): Input | undefined {
    const known = this.reader.problems.length;
    const input = this.#readInput(field, index);
    if (input === undefined || this.reader.problems.length > known) return undefined;
    // A scenario shows what happens: what would be a dead letter everywhere else does not.
    const named = input.kind === "adjustment" && input.model === "" ? { ...input, model: "m" } : input;
    const decoded = decodeLine(encodeInput(named));
    if (!decoded.ok) this.reader.report(field, `it would be a dead letter, ${decoded.reason}: ${decoded.error}`);
    return input;
  }

  #readInput(field: Field, index: number): Input | undefined {
    const fields = this.reader.fields(field, [...inputKeys, ...otherInputKinds]);
    const atField = fields && this.reader.required(field, fields, "at");
    const at = atField && this.#instant(atField);
    if (fields === undefined || at === undefined) {
      return undefined;
    }
    const kinds = ["type", ...otherInputKinds].filter((kind) => fields.has(kind));
    if (kinds.length !== 1) {
      this.reader.report(field, `expected exactly one of type, ${otherInputKinds.join(", ")}`);
      return undefined;
    }
    const base = {
      // The order of the file is the order of inputs at one instant.
      id: this.reader.textOf(fields, "id") ?? `input-${String(index + 1).padStart(4, "0")}`,
      tenantId: this.#tenantId,
      contactId: this.reader.textOf(fields, "contact") ?? CONTACT_DEFAULT,
      at,
    };
    const kind = kinds[0] as "type" | (typeof otherInputKinds)[number];
    this.#onlyOfType(fields, kind);
    const body = fields.get(kind) as Field;
    switch (kind) {
      case "type":
        return { ...base, kind: "interaction", ...this.#interaction(fields, body) };
      case "profile":
        return { ...base, kind: "profile", fields: this.reader.object(body) };
      case "erase":
        if (this.reader.scalar(body) !== true) this.reader.report(body, "expected `erase: true`");
        return { ...base, kind: "profile", fields: null };
      case "adjust":
        return { ...base, kind: "adjustment", ...this.#adjustment(body) };
      case "retract":
        return { ...base, kind: "interaction", type: RETRACTION, attributes: this.#retraction(body) };
      default:
        return kind satisfies never;
    }
  }

  #onlyOfType(fields: Fields, kind: string): void {
    for (const key of ["resource", "automated", "attributes"]) {
      const field = fields.get(key);
      if (field !== undefined && kind !== "type") {
        this.reader.report(field, `"${key}" goes with "type" only, not with "${kind}"`);
      }
    }
  }

  #interaction(
    fields: Fields,
    typeField: Field,
  ): Pick<Interaction, "type" | "attributes"> & Partial<Pick<Interaction, "resource" | "automated">> {
    const resource = this.reader.textOf(fields, "resource");
    const automatedField = fields.get("automated");
    const automated = automatedField && this.reader.oneOf(automatedField, ["yes", "maybe", "no"]);
    const attributes = fields.get("attributes");
    return {
      type: this.reader.string(typeField) ?? "",
      ...(resource !== undefined && { resource }),
      ...(automated !== undefined && automated !== "no" && { automated }),
      attributes: attributes === undefined ? {} : this.reader.object(attributes),
    };
  }

  #adjustment(field: Field): Omit<Adjustment, "kind" | "id" | "tenantId" | "contactId" | "at"> {
    const fields: Fields = this.reader.fields(field, ["model", "dimension", "add", "set", "reason", "by"]) ?? new Map();
    if (fields.has("add") === fields.has("set")) {
      this.reader.report(field, "expected exactly one of add, set");
    }
    const add = this.reader.numberOf(fields, "add");
    const set = this.reader.numberOf(fields, "set");
    const dimension = this.reader.textOf(fields, "dimension");
    const reason = this.reader.textOf(fields, "reason");
    const by = this.reader.textOf(fields, "by");
    return {
      model: this.reader.textOf(fields, "model") ?? "",
      ...(dimension !== undefined && { dimension }),
      ...(add !== undefined && { add }),
      ...(set !== undefined && { set }),
      ...(reason !== undefined && { reason }),
      ...(by !== undefined && { by }),
    };
  }

  #retraction(field: Field): JsonObject {
    const fields: Fields = this.reader.fields(field, ["id", "at"]) ?? new Map();
    const id = this.reader.required(field, fields, "id");
    const at = this.reader.required(field, fields, "at");
    return { id: (id && this.reader.string(id)) ?? "", at: (at && this.#instant(at)) ?? 0 };
  }

  #expectation(field: Field): Expectation | undefined {
    const fields = this.reader.fields(field, expectationKeys);
    const atField = fields && this.reader.required(field, fields, "at");
    const at = atField && this.#instant(atField);
    if (fields === undefined || at === undefined) {
      return undefined;
    }
    const compared = expectationKeys.slice(3).filter((key) => fields.has(key));
    const noneField = fields.get("none");
    if (compared.length === 0 || (noneField !== undefined && compared.length > 1)) {
      this.reader.report(field, `expected \`none: true\` alone, or some of ${expectationKeys.slice(4).join(", ")}`);
    }
    if (noneField !== undefined && this.reader.scalar(noneField) !== true) {
      this.reader.report(noneField, "expected `none: true`");
    }
    const last = fields.get("lastActivityAt");
    const lastActivityAt = last && (this.reader.isNull(last) ? null : this.#instant(last));
    return {
      at,
      line: field.place.line,
      contactId: this.reader.textOf(fields, "contact") ?? CONTACT_DEFAULT,
      ...(noneField !== undefined && { none: true }),
      ...(lastActivityAt !== undefined && { lastActivityAt }),
      ...given("model", this.reader.textOf(fields, "model")),
      ...given("score", this.reader.numberOf(fields, "score")),
      ...given("grade", this.reader.textOrNullOf(fields, "grade")),
      ...given("dimensions", this.#dimensions(fields)),
      ...given("salesReady", this.reader.booleanOf(fields, "salesReady")),
      ...given("suppressed", this.reader.booleanOf(fields, "suppressed")),
    };
  }

  #output(field: Field, keys: readonly string[]): { fields: Fields; output: ExpectedErasure } | undefined {
    const fields = this.reader.fields(field, keys);
    const atField = fields && this.reader.required(field, fields, "at");
    const at = atField && this.#instant(atField);
    if (fields === undefined || at === undefined) {
      return undefined;
    }
    const contactId = this.reader.textOf(fields, "contact") ?? CONTACT_DEFAULT;
    return { fields, output: { at, contactId, line: field.place.line } };
  }

  #crossing(field: Field): ExpectedCrossing | undefined {
    const read = this.#output(field, crossingKeys);
    if (read === undefined) {
      return undefined;
    }
    const { fields, output } = read;
    const kinds = crossingKinds.filter((kind) => fields.has(kind));
    const crossing = kinds[0];
    if (crossing === undefined || kinds.length > 1) {
      this.reader.report(field, `expected exactly one of ${crossingKinds.join(", ")}`);
      return undefined;
    }
    const id = fields.get(crossing) as Field;
    const directionField = this.reader.required(field, fields, "direction");
    return {
      ...output,
      crossing,
      // A threshold's id is its number as text.
      id: crossing === "threshold" ? String(this.reader.number(id)) : (this.reader.string(id) ?? ""),
      direction: (directionField && this.reader.oneOf(directionField, ["up", "down"])) ?? "up",
      ...given("model", this.reader.textOf(fields, "model")),
      ...given("previous", this.reader.numberOrNullOf(fields, "previous")),
      ...given("score", this.reader.numberOf(fields, "score")),
      ...given("route", this.reader.textOrNullOf(fields, "route")),
      ...given("cause", this.#cause(fields)),
    };
  }

  #change(field: Field): ExpectedChange | undefined {
    const read = this.#output(field, changeKeys);
    if (read === undefined) {
      return undefined;
    }
    const { fields, output } = read;
    const score = this.reader.required(field, fields, "score");
    return {
      ...output,
      score: (score && this.reader.number(score)) ?? 0,
      ...given("model", this.reader.textOf(fields, "model")),
      ...given("previous", this.reader.numberOrNullOf(fields, "previous")),
      ...given("grade", this.reader.textOrNullOf(fields, "grade")),
      ...given("route", this.reader.textOrNullOf(fields, "route")),
      ...given("cause", this.#cause(fields)),
    };
  }

  #cause(fields: Fields): string | undefined {
    const field = fields.get("cause");
    return field && this.reader.oneOf(field, causeKinds);
  }

  #dimensions(fields: Fields): Readonly<Record<string, number>> | undefined {
    const field = fields.get("dimensions");
    if (field === undefined) {
      return undefined;
    }
    const values = this.reader.object(field);
    if (!Object.values(values).every((value) => typeof value === "number")) {
      this.reader.report(field, "expected dimension ids with their points: { engagement: 25, fit: 10 }");
    }
    return values as Readonly<Record<string, number>>;
  }
}

/** `{ [key]: value }`, or nothing where there is no value: optional keys are absent, never undefined. */
function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return (value === undefined ? {} : { [key]: value }) as Partial<Record<K, V>>;
}
