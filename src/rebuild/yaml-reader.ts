/**
 * Reads a YAML text into nodes that know their place, and gathers every problem instead of stopping at the first.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLParseError,
} from "yaml";
import type { Json, JsonObject } from "../events/types.js";
import type { ModelProblem, SourcePlace } from "../model/types.js";
import { nearest as nearestName } from "../nearest.js";

/** How many times a text may use aliases before it is taken for an attack. */
const ALIASES_MAX = 100;
/** How deep values may be nested; an alias within what it names has no end. */
const DEPTH_MAX = 64;

/** A value of the file: where it stands, and what it is called there (`scenarios[2].inputs[0].at`). */
export interface Field {
  readonly node: Node;
  readonly path: string;
}

/** The fields of a mapping by key. */
export type Fields = ReadonlyMap<string, Field>;

export class YamlReader {
  readonly problems: ModelProblem[] = [];
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;
  /** The whole file; undefined when it is empty. */
  readonly root: Field | undefined;

  constructor(
    readonly text: string,
    readonly file: string,
  ) {
    this.#document = parseDocument(text, { version: "1.2", schema: "core", lineCounter: this.#lines });
    for (const error of this.#document.errors) {
      const { line, col } = this.#lines.linePos(error.pos[0]);
      this.problems.push({ severity: "error", file, line, column: col, path: "", message: messageOf(error) });
    }
    visit(this.#document, {
      Alias: (_key, node) => {
        if (node.resolve(this.#document) === undefined) {
          this.report(
            { node, path: "" },
            `*${node.source} names no anchor before it; write &${node.source} at what is meant`,
          );
        }
      },
    });
    const contents = this.#document.contents;
    this.root = contents === null ? undefined : { node: contents, path: "" };
  }

  /** Notes a problem at a field, or at the start of the file. */
  report(field: Field | undefined, message: string): void {
    const place = field === undefined ? { line: 1, column: 1 } : this.place(field);
    this.problems.push({ severity: "error", file: this.file, path: field?.path ?? "", message, ...place });
  }

  place(field: Field): SourcePlace {
    const { line, col } = this.#lines.linePos(field.node.range?.[0] ?? 0);
    return { line, column: col };
  }

  /** The fields of a mapping; unknown keys are problems. Undefined (and a problem) when it is no mapping. */
  fields(field: Field, known: readonly string[]): Fields | undefined {
    const node = this.#resolved(field);
    if (!isMap(node)) {
      this.report(field, `expected a mapping with ${known.join(", ")}`);
      return undefined;
    }
    const fields = new Map<string, Field>();
    for (const pair of node.items) {
      const key = pair.key as Node;
      const name = isScalar(key) ? String(key.value) : "";
      const path = field.path === "" ? name : `${field.path}.${name}`;
      if (!known.includes(name)) {
        const nearest = nearestName(name, known);
        const hint = nearest === undefined ? `known are ${known.join(", ")}` : `did you mean "${nearest}"?`;
        this.report({ node: key, path }, `unknown key "${name}"; ${hint}`);
      } else if (pair.value !== null) {
        fields.set(name, { node: pair.value as Node, path });
      }
    }
    return fields;
  }

  /** The items of a list; none (and a problem) when it is no list. */
  items(field: Field): readonly Field[] {
    const node = this.#resolved(field);
    if (!isSeq(node)) {
      this.report(field, "expected a list");
      return [];
    }
    return node.items.map((item, index) => ({ node: item as Node, path: `${field.path}[${index}]` }));
  }

  isMapping(field: Field): boolean {
    return isMap(this.#resolved(field));
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
    const found = allowed.find((item) => item === value);
    if (found === undefined) {
      this.report(field, `expected one of ${allowed.join(", ")}`);
    }
    return found;
  }

  /** The value of a scalar, null included; undefined when it is a list or a mapping. */
  scalar(field: Field): unknown {
    const node = this.#resolved(field);
    return isScalar(node) ? node.value : undefined;
  }

  /** A whole value as JSON. Undefined (and a problem) for what JSON can't say. */
  json(field: Field): Json | undefined {
    let value: unknown;
    try {
      value = field.node.toJS(this.#document, { maxAliasCount: ALIASES_MAX });
    } catch (error) {
      this.report(field, error instanceof Error ? error.message : String(error));
      return undefined;
    }
    if (!isJson(value)) {
      this.report(
        field,
        `expected finite numbers, texts, true, false, null, lists and mappings, at most ${DEPTH_MAX} deep`,
      );
      return undefined;
    }
    return value;
  }

  /**
   * The text of the file with everything but this value blanked out, so that another parser of the value names the
   * lines and columns of this file. An alias gives the value it stands for; one inside the value stays an alias, and
   * that parser knows only the anchors inside the value.
   */
  isolated(field: Field): string {
    const [start, end] = (this.#resolved(field) as Node | undefined)?.range ?? [0, 0];
    return this.text.slice(0, start).replace(/[^\n]/g, " ") + this.text.slice(start, end);
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

  /** A mapping as JSON; empty (and a problem) for anything else. */
  object(field: Field): JsonObject {
    if (!this.isMapping(field)) {
      this.report(field, "expected a mapping");
      return {};
    }
    return (this.json(field) as JsonObject | undefined) ?? {};
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

  #resolved(field: Field): unknown {
    return isAlias(field.node) ? field.node.resolve(this.#document) : field.node;
  }
}

/** What is wrong, without the place and the drawing of the line that the library adds. */
function messageOf(error: YAMLParseError): string {
  const message = (error.message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, "");
  if (message.includes("call stack")) {
    return "nested too deeply";
  }
  return error.code === "MULTIPLE_DOCS" ? "expected one document; take out the line `---`" : message;
}

function isJson(value: unknown, depth = 0): value is Json {
  if (depth > DEPTH_MAX) {
    return false;
  }
  if (value === null || typeof value === "string" || typeof value === "boolean") {
    return true;
  }
  if (typeof value === "number") {
    return Number.isFinite(value);
  }
  return typeof value === "object" && Object.values(value).every((item) => isJson(item, depth + 1));
}
