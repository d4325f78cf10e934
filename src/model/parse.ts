/**
 * Text (YAML 1.2 core, and so JSON too) -> a tree in which every key and value knows its line and column. Models and
 * scenarios come from anyone: nothing in them can make this throw, run long or grow without bound.
 */
import { Composer, type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from "yaml";
import type { SourcePlace } from "./types.js";

/** Size of a file. */
export const fileBytesMax = 1_048_576;
/** Keys and values of a file, each alias counted as all that it stands for. */
export const treeNodesMax = 100_000;
/** Lists and mappings inside each other. Deeper ones would take the parser itself to the end of its stack. */
export const nestingDepthMax = 64;

const tooDeep = `nested deeper than ${nestingDepthMax} levels; flatten it`;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** As written in the file, without quotes. */
  readonly written: string;
  readonly place: SourcePlace;
  /** Offsets in the text, quotes included. */
  readonly start: number;
  readonly end: number;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly TreeNode[];
  readonly place: SourcePlace;
}

export interface MapEntry {
  /** A number's or truth value's text for keys that are such. */
  readonly key: string;
  readonly keyPlace: SourcePlace;
  readonly value: TreeNode;
}

export interface MapNode {
  readonly kind: "map";
  /** Keys are unique. */
  readonly entries: readonly MapEntry[];
  readonly place: SourcePlace;
}

export type TreeNode = ScalarNode | ListNode | MapNode;

export interface SyntaxProblem extends SourcePlace {
  readonly path: string;
  readonly message: string;
}

/** A whole file, or a part of one. */
export interface Tree {
  readonly root: TreeNode;
  /** The place of the `index`-th UTF-16 unit of a scalar's value; exact unless the scalar is written with escapes. */
  readonly placeIn: (scalar: ScalarNode, index: number) => SourcePlace;
}

export interface ParseResult extends Pick<Tree, "placeIn"> {
  /** Absent where the text can't be read as a whole. */
  readonly root?: TreeNode;
  readonly problems: readonly SyntaxProblem[];
}

/** What a kind of file is told to whoever writes one. */
export interface FileKind {
  /** `<plural> are YAML 1.2`. */
  readonly plural: string;
  /** What to do with a file that is too large. */
  readonly split: string;
  /** What an empty file lacks. */
  readonly start: string;
  /** What to do with a second document. */
  readonly single: string;
}

const modelKind: FileKind = {
  plural: "models",
  split: "split the model into several",
  start: "a model starts with `model: <id>` and `version: <number>`",
  single: "keep one model in a file",
};

/** Reads a text into a tree, naming all problems of syntax; never throws. `kind` only words the messages. */
export function parseTree(text: string, kind: FileKind = modelKind): ParseResult {
  // A byte order mark is no part of the text: columns count without it.
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  const lines = new LineCounter();
  lines.addNewLine(0);
  const placeAt = (offset: number): SourcePlace => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const placeIn = (scalar: ScalarNode, index: number) => placeAt(offsetIn(source, scalar, index));
  const failed = (offset: number, message: string): ParseResult => ({
    problems: [{ ...placeAt(offset), path: "", message }],
    placeIn,
  });
  if (utf8BytesOver(source, fileBytesMax)) {
    return failed(0, `the file is larger than ${fileBytesMax} bytes; ${kind.split}`);
  }
  try {
    const composed = compose(source, lines, kind);
    if ("tooDeepAt" in composed) {
      return failed(composed.tooDeepAt, tooDeep);
    }
    const problems = composed.problems.map((p) => ({ ...placeAt(p.offset), path: "", message: p.message }));
    if (problems.length > 0) {
      return { problems, placeIn };
    }
    const { contents } = composed.document;
    if (contents === null || (isScalar(contents) && contents.value === null)) {
      return failed(0, `the file is empty; ${kind.start}`);
    }
    const builder = new TreeBuilder(placeAt);
    const root = builder.node(contents, "");
    return { ...(!builder.overflown && { root }), problems: builder.problems, placeIn };
  } catch (error) {
    // Only a stack or memory limit of the parser can end here.
    return failed(0, `the file can't be read as YAML or JSON: ${error instanceof Error ? error.message : error}`);
  }
}

type Composed =
  | { readonly tooDeepAt: number }
  | { readonly document: Document.Parsed; readonly problems: readonly { offset: number; message: string }[] };

/**
 * The library's own `parseDocument`, with a look at the depth after each token: 500,000 brackets would end the process
 * before any error of the library could be caught.
 */
function compose(source: string, lines: LineCounter, kind: FileKind): Composed {
  const parser = new Parser(lines.addNewLine);
  const tokens = [];
  for (const lexeme of new Lexer().lex(source)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
    }
    // A collection and the item being read in it are two entries at most.
    if (parser.stack.length > 2 * nestingDepthMax) {
      return { tooDeepAt: parser.offset };
    }
  }
  for (const token of parser.end()) {
    tokens.push(token);
  }
  // Duplicate keys are found by TreeBuilder: the library compares each key of a mapping with all others.
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
    lineCounter: lines,
  });
  const documents = [...composer.compose(tokens, true, source.length)];
  const document = documents[0] as Document.Parsed;
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    message: error.message + (syntaxAdvice[error.code] ?? ""),
  }));
  const second = documents[1];
  if (second !== undefined) {
    const message = `a second document begins here; ${kind.single}`;
    problems.push({ offset: second.range[0], message });
  }
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== "1.2") {
    const message = `${kind.plural} are YAML 1.2; remove the \`%YAML\` line`;
    problems.push({ offset: 0, message });
  }
  return { document, problems };
}

const syntaxAdvice: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "; indent with spaces",
  TAG_RESOLVE_FAILED: "; remove the tag (`!...`), or put the text in quotes",
  BAD_DQ_ESCAPE: "; in double quotes write `\\\\` for a backslash, or use single quotes",
  BAD_SCALAR_START: "; put the text in quotes",
};

/** Makes our tree of the library's, with aliases resolved and counted, and duplicate keys told with both places. */
class TreeBuilder {
  readonly problems: SyntaxProblem[] = [];
  readonly #placeAt: (offset: number) => SourcePlace;
  readonly #anchors = new Map<string, { node: TreeNode; size: number; height: number } | "open">();
  #size = 0;
  /** Lists and mappings around the node being built, and the most of them since the last anchor began. */
  #depth = 0;
  #deepest = 0;
  /** Too large or too deep: what comes after was not read. */
  overflown = false;

  constructor(placeAt: (offset: number) => SourcePlace) {
    this.#placeAt = placeAt;
  }

  /** `node` is any node of the library's tree, or null for one that is not written out. */
  node(node: unknown, path: string): TreeNode {
    const offset = offsetOf(node);
    if (!this.#grow(1, offset, path)) {
      return this.#nothing(offset);
    }
    if (isAlias(node)) {
      return this.#alias(node.source, offset, path);
    }
    const anchor = (node as { anchor?: string } | null)?.anchor;
    if (anchor === undefined) {
      return this.#plain(node, offset, path);
    }
    const size = this.#size;
    const depth = this.#depth;
    const deepest = this.#deepest;
    this.#anchors.set(anchor, "open");
    this.#deepest = depth;
    const built = this.#plain(node, offset, path);
    this.#anchors.set(anchor, { node: built, size: this.#size - size + 1, height: this.#deepest - depth });
    this.#deepest = Math.max(deepest, this.#deepest);
    return built;
  }

  /** The subtree is shared, but counted in full: who reads the tree walks it once for each alias. */
  #alias(name: string, offset: number, path: string): TreeNode {
    const target = this.#anchors.get(name);
    if (target === undefined || target === "open") {
      const message =
        target === "open"
          ? `\`*${name}\` stands inside what it names; write the part out`
          : `\`*${name}\` names no anchor before it; add \`&${name}\` to what is meant, or put the text in quotes`;
      this.#problem(offset, path, message);
      return this.#nothing(offset);
    }
    if (!this.#deepen(target.height, offset, path)) {
      return this.#nothing(offset);
    }
    return this.#grow(target.size, offset, path) ? target.node : this.#nothing(offset);
  }

  #plain(node: unknown, offset: number, path: string): TreeNode {
    const place = this.#placeAt(offset);
    if (isSeq(node) || isMap(node)) {
      if (!this.#deepen(1, offset, path)) {
        return this.#nothing(offset);
      }
      this.#depth += 1;
      const built: TreeNode = isSeq(node)
        ? { kind: "list", place, items: node.items.map((item, i) => this.node(item, `${path}[${i}]`)) }
        : { kind: "map", place, entries: this.#entries(node.items, path) };
      this.#depth -= 1;
      return built;
    }
    if (!isScalar(node)) {
      return this.#nothing(offset);
    }
    const value = node.value as ScalarNode["value"];
    const end = node.range?.[1] ?? offset;
    return { kind: "scalar", value, written: node.source ?? "", place, start: offset, end };
  }

  #entries(pairs: readonly { key: unknown; value: unknown }[], path: string): MapEntry[] {
    const entries: MapEntry[] = [];
    const places = new Map<string, SourcePlace>();
    for (const pair of pairs) {
      if (this.overflown) {
        return entries;
      }
      const keyNode = this.node(pair.key, path);
      const keyPlace = keyNode.place;
      if (keyNode.kind !== "scalar" || keyNode.value === null) {
        const message = "a key must be a text or a number; put it in quotes if it is meant as text";
        this.problems.push({ ...keyPlace, path, message });
        continue;
      }
      const key = String(keyNode.value);
      const first = places.get(key);
      if (first !== undefined) {
        const where = `line ${first.line}, column ${first.column}`;
        const message = `duplicate key \`${key}\`: it is already at ${where}; keep one of the two`;
        this.problems.push({ ...keyPlace, path: joinKey(path, key), message });
        continue;
      }
      places.set(key, keyPlace);
      const value = pair.value === null ? this.#nothing(offsetOf(pair.key)) : this.node(pair.value, joinKey(path, key));
      entries.push({ key, keyPlace, value });
    }
    return entries;
  }

  #deepen(levels: number, offset: number, path: string): boolean {
    this.#deepest = Math.max(this.#deepest, this.#depth + levels);
    if (this.#deepest <= nestingDepthMax) {
      return true;
    }
    if (!this.overflown) {
      this.overflown = true;
      this.#problem(offset, path, tooDeep);
    }
    return false;
  }

  #grow(nodes: number, offset: number, path: string): boolean {
    if (this.overflown || this.#size + nodes > treeNodesMax) {
      if (!this.overflown) {
        this.overflown = true;
        this.#problem(offset, path, `more than ${treeNodesMax} keys and values (aliases written out); make it smaller`);
      }
      return false;
    }
    this.#size += nodes;
    return true;
  }

  #problem(offset: number, path: string, message: string): void {
    this.problems.push({ ...this.#placeAt(offset), path, message });
  }

  #nothing(offset: number): ScalarNode {
    return { kind: "scalar", value: null, written: "", place: this.#placeAt(offset), start: offset, end: offset };
  }
}

function offsetOf(node: unknown): number {
  return (node as { range?: readonly [number, ...number[]] } | null)?.range?.[0] ?? 0;
}

/** `a`, `a.b` or `a["b c"]`. */
export function joinKey(path: string, key: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) {
    return `${path}[${JSON.stringify(key)}]`;
  }
  return path === "" ? key : `${path}.${key}`;
}

/**
 * Folded and quoted scalars differ from their source in blanks only, unless there are escapes: so the n-th character
 * that is no blank is found by counting those.
 */
function offsetIn(source: string, scalar: ScalarNode, index: number): number {
  const written = source.slice(scalar.start, scalar.end);
  if (typeof scalar.value !== "string" || (written.startsWith('"') && written.includes("\\"))) {
    return scalar.start;
  }
  const isBlank = (text: string | undefined) => text === undefined || text.trim() === "";
  let offset = scalar.start;
  if (written.startsWith("|") || written.startsWith(">")) {
    offset = source.indexOf("\n", offset) + 1;
  } else if (written.startsWith('"') || written.startsWith("'")) {
    offset += 1;
  }
  let lastInk = offset;
  const ink = [...scalar.value.slice(0, index)].filter((c) => !isBlank(c)).join("").length;
  for (let seen = 0; offset < scalar.end && seen < ink; offset++) {
    if (!isBlank(source[offset])) {
      seen += 1;
      lastInk = offset + 1;
    }
  }
  if (isBlank(scalar.value.slice(index))) {
    return lastInk;
  }
  while (offset < scalar.end && isBlank(source[offset])) {
    offset += 1;
  }
  return offset;
}

function utf8BytesOver(text: string, limit: number): boolean {
  return text.length > limit || (text.length * 3 > limit && new TextEncoder().encode(text).length > limit);
}
