/** Reads the values of a YAML text that is no model, and gathers every problem instead of stopping at the first. */
import type { Json, JsonObject } from "../events/types.js";
import { nearest as nearestName } from "../nearest.js";
import { Findings, found, type Item } from "./check-values.js";
import { type FileKind, joinKey, parseTree, type ScalarNode, type Tree } from "./parse.js";
import type { ModelProblem } from "./types.js";

/** A value of the file: where it stands, and what it is called there (`scenarios[2].inputs[0].at`). */
export type Field = Item;

/** The fields of a mapping by key. */
export type Fields = ReadonlyMap<string, Field>;

export class YamlReader {
  readonly #findings: Findings;
  readonly #placeIn: Tree["placeIn"];
  /** The whole file; undefined where its syntax has problems that leave nothing to read. */
  readonly root: Field | undefined;

  constructor(text: string, file: string, kind: FileKind) {
    const { root, problems, placeIn } = parseTree(text, kind);
    this.#placeIn = placeIn;
    this.#findings = new Findings(file, placeIn);
    for (const { line, column, path, message } of problems) {
      this.report({ path, place: { line, column } }, message);
    }
    this.root = root && { node: root, path: "", place: root.place };
  }

  /** All that was reported, in the order of the file. */
  get problems(): readonly ModelProblem[] {
    return this.#findings.inOrder();
  }

  report(at: Pick<Field, "path" | "place">, message: string): void {
    this.#findings.error(at, message);
  }

  /** The fields of a mapping; unknown keys are problems. Undefined (and a problem) when it is no mapping. */
  fields(field: Field, known: readonly string[]): Fields | undefined {
    const { node } = field;
    if (node.kind !== "map") {
      this.report(field, `expected a mapping with ${known.join(", ")}`);
      return undefined;
    }
    const fields = new Map<string, Field>();
    for (const { key, keyPlace, value } of node.entries) {
      const path = joinKey(field.path, key);
      if (known.includes(key)) {
        fields.set(key, { node: value, path, place: value.place });
        continue;
      }
      const nearest = nearestName(key, known);
      const hint = nearest === undefined ? `known are ${known.join(", ")}` : `did you mean "${nearest}"?`;
      this.report({ path, place: keyPlace }, `unknown key "${key}"; ${hint}`);
    }
    return fields;
  }

  /** The entries of a mapping whose keys are names of the file's own; none (and a problem) when it is no mapping. */
  entries(
    field: Field,
  ): readonly { readonly key: string; readonly at: Pick<Field, "path" | "place">; readonly value: Field }[] {
    const { node } = field;
    if (node.kind !== "map") {
      this.report(field, "expected a mapping");
      return [];
    }
    return node.entries.map(({ key, keyPlace, value }) => {
      const path = joinKey(field.path, key);
      return { key, at: { path, place: keyPlace }, value: { node: value, path, place: value.place } };
    });
  }

  /** The items of a list; none (and a problem) when it is no list. */
  items(field: Field): readonly Field[] {
    const { node, path } = field;
    if (node.kind !== "list") {
      this.report(field, "expected a list");
      return [];
    }
    return node.items.map((item, index) => ({ node: item, path: `${path}[${index}]`, place: item.place }));
  }

  isMapping(field: Field): boolean {
    return field.node.kind === "map";
  }

  isNull(field: Field): boolean {
    return this.scalar(field) === null;
  }

  string(field: Field): string | undefined {
    const value = this.scalar(field);
    if (typeof value === "string" && value !== "") {
      return value;
    }
    this.report(field, "expected a text");
    return undefined;
  }

  number(field: Field): number | undefined {
    const value = this.scalar(field);
    if (typeof value === "number" && Number.isFinite(value)) {
      return value;
    }
    this.report(field, "expected a number");
    return undefined;
  }

  boolean(field: Field): boolean | undefined {
    const value = this.scalar(field);
    if (typeof value === "boolean") {
      return value;
    }
    this.report(field, "expected true or false");
    return undefined;
  }

  oneOf<T extends string>(field: Field, allowed: readonly T[]): T | undefined {
    const value = this.scalar(field);
    const word = allowed.find((item) => item === value);
    if (word === undefined) {
      this.report(field, `expected one of ${allowed.join(", ")}`);
    }
    return word;
  }

  /** The value of a scalar, null included; undefined when it is a list or a mapping. */
  scalar({ node }: Field): ScalarNode["value"] | undefined {
    return node.kind === "scalar" ? node.value : undefined;
  }

  /** A value as a tree of its own, with the places of this file. */
  tree({ node }: Field): Tree {
    return { root: node, placeIn: this.#placeIn };
  }

  /** The items of an optional list, those that could be read; undefined where there is no such key. */
  list<T>(fields: Fields, key: string, read: (item: Field, index: number) => T | undefined): T[] | undefined {
    const field = fields.get(key);
    if (field === undefined) {
      return undefined;
    }
    return this.items(field).flatMap((item, index) => read(item, index) ?? []);
  }

  /** The field of a key that must be there. */
  required(owner: Field, fields: Fields, key: string): Field | undefined {
    const field = fields.get(key);
    if (field === undefined) {
      this.report(owner, `"${key}" is missing`);
    }
    return field;
  }

  /** A mapping as JSON; empty (and a problem) for anything else. A number that JSON can't say is a problem, and null. */
  object(field: Field): JsonObject {
    const { node, path } = field;
    if (node.kind !== "map") {
      this.report(field, "expected a mapping");
      return {};
    }
    // fromEntries makes own properties of all keys, `__proto__` too.
    return Object.fromEntries(
      node.entries.map(({ key, value }) => [
        key,
        this.#json({ node: value, path: joinKey(path, key), place: value.place }),
      ]),
    );
  }

  #json(field: Field): Json {
    const { node } = field;
    switch (node.kind) {
      case "map":
        return this.object(field);
      case "list":
        return this.items(field).map((item) => this.#json(item));
      case "scalar":
        if (typeof node.value === "number" && !Number.isFinite(node.value)) {
          this.report(field, `expected a finite number, found ${found(node)}`);
          return null;
        }
        return node.value;
      default:
        return node satisfies never;
    }
  }

  /** The text of an optional key. */
  textOf(fields: Fields, key: string): string | undefined {
    const field = fields.get(key);
    return field && this.string(field);
  }

  textOrNullOf(fields: Fields, key: string): string | null | undefined {
    const field = fields.get(key);
    return field && (this.isNull(field) ? null : this.string(field));
  }

  numberOf(fields: Fields, key: string): number | undefined {
    const field = fields.get(key);
    return field && this.number(field);
  }

  numberOrNullOf(fields: Fields, key: string): number | null | undefined {
    const field = fields.get(key);
    return field && (this.isNull(field) ? null : this.number(field));
  }

  booleanOf(fields: Fields, key: string): boolean | undefined {
    const field = fields.get(key);
    return field && this.boolean(field);
  }
}
