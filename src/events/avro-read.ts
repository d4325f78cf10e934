/**
 * Readers of bytes: closures made once for a writer's and a reader's type, by the rules of Avro schema resolution.
 *
 * Fields find each other by name or alias, records by name without namespace, or alias. What the reader does not know
 * is passed over, what the writer lacks is the default. int may be read as long, float and double; long as float and
 * double, if it can be held exactly; float as double; string and bytes as each other. A writer's union is compatible
 * if all its branches are, as avsc and the checks of schema registries have it.
 */
import {
  AvroProblem,
  below,
  bufferOf,
  type Cursor,
  cursorOf,
  enter,
  leave,
  passLong,
  readBlockCount,
  readBoolean,
  readBytes,
  readDouble,
  readFloat,
  readInt,
  readLong,
  readSize,
  readText,
} from "./avro-bytes.js";
import {
  type AvroType,
  defaultBytes,
  isArray,
  isEnum,
  isFixed,
  isMap,
  isRecord,
  isUnion,
  isWrapper,
  shortName,
  typeLabel,
} from "./avro-schema.js";

/** Reads a value as plain data: records and maps as objects, unions and `Value` as what is in them. */
export type Read = (cursor: Cursor) => unknown;

export interface RecordReader {
  readonly read: Read;
  /** Names of the writer's fields, at the top, that the reader does not know. */
  readonly ignored: readonly string[];
}

/** @throws Error that names the field, where these bytes can't be read so */
export function recordReader(writer: AvroType, reader: AvroType): RecordReader {
  const read = new Resolution().read(writer, reader, "");
  if (!isRecord(writer) || !isRecord(reader)) throw new Error("the schema can't be used: it is no record");
  const known = new Set(reader.fields.flatMap((field) => [field.name, ...field.aliases]));
  return { read, ignored: writer.fields.map(({ name }) => name).filter((name) => !known.has(name)) };
}

/**
 * Reads what it was written as, of whatever type, as JSON would say it: bytes are text in base64.
 *
 * @throws Error where these bytes can't be read so
 */
export function plainReader(writer: AvroType): Read {
  return new Resolution({ isPlain: true }).read(writer, writer, "");
}

/** Every type that is read is resolved once, so that a type may hold itself. */
class Resolution {
  /** Bytes become text. */
  readonly #isPlain: boolean;
  readonly #records = new Map<AvroType, Map<AvroType, Read>>();
  readonly #passed = new Map<AvroType, Read>();

  constructor({ isPlain = false } = {}) {
    this.#isPlain = isPlain;
  }

  read(writer: AvroType, reader: AvroType, path: string): Read {
    if (isUnion(writer)) return branches(writer.types.map((branch) => this.read(branch, reader, path)));
    if (isUnion(reader)) {
      const branch = reader.types.find((candidate) => matches(writer, candidate));
      return branch === undefined ? incompatible(writer, reader, path) : this.read(writer, branch, path);
    }
    if (!matches(writer, reader)) return incompatible(writer, reader, path);
    if (isRecord(writer) && isRecord(reader)) return this.#record(writer, reader, path);
    if (isArray(writer) && isArray(reader)) return list(this.read(writer.itemsType, reader.itemsType, `${path}[]`));
    if (isMap(writer) && isMap(reader)) {
      return map(this.read(writer.valuesType as AvroType, reader.valuesType as AvroType, `${path}.*`));
    }
    if (isEnum(writer) && isEnum(reader)) return this.#enumeration(writer.symbols, reader.symbols, path);
    const read = scalar(writer, reader);
    const isBytes = isFixed(reader) || reader.typeName === "bytes";
    return this.#isPlain && isBytes ? (cursor) => bufferOf(read(cursor) as Uint8Array).toString("base64") : read;
  }

  #record(writer: AvroType, reader: AvroType, path: string): Read {
    const readers = this.#records.get(writer) ?? new Map<AvroType, Read>();
    this.#records.set(writer, readers);
    const known = readers.get(reader);
    if (known !== undefined) return known;
    // Fields may hold this type again: they get a reader that finds the true one when it is made.
    let made: Read = () => undefined;
    readers.set(reader, (cursor) => made(cursor));
    made = this.#newRecord(writer, reader, path);
    readers.set(reader, made);
    return made;
  }

  #newRecord(writer: AvroType, reader: AvroType, path: string): Read {
    if (!isRecord(writer) || !isRecord(reader)) return incompatible(writer, reader, path);
    const wanted = new Map<string, (typeof reader.fields)[number]>();
    const defaults: { readonly name: string; readonly read: Read }[] = [];
    for (const field of reader.fields) {
      const source = [field.name, ...field.aliases].find((name) => writer.fields.some((one) => one.name === name));
      if (source !== undefined) {
        if (wanted.has(source)) throw new Error(`the schema can't be used: two of its fields are named ${source}`);
        wanted.set(source, field);
        continue;
      }
      const bytes = defaultBytes(field);
      if (bytes === undefined) {
        const where = `${path}.${field.name}`.slice(1);
        throw new Error(`the schemas don't fit: the writer has no field ${where}, and the reader no default for it`);
      }
      const read = new Resolution().read(field.type, field.type, `${path}.${field.name}`);
      // Read anew each time: a default that is an object must not be shared.
      defaults.push({ name: field.name, read: () => read(cursorOf(bytes)) });
    }
    const isWrapped = isWrapper(reader);
    const steps = writer.fields.map((field) => {
      const target = wanted.get(field.name);
      const label = isWrapped ? "" : `.${field.name}`;
      const read =
        target === undefined ? this.#pass(field.type) : this.read(field.type, target.type, `${path}${label}`);
      return { label, name: target?.name, read };
    });
    if (!isWrapped) return record(steps, defaults);
    const only = steps.length === 1 ? steps[0] : undefined;
    if (only?.name !== undefined) return only.read;
    const whole = record(steps, defaults);
    return (cursor) => (whole(cursor) as Readonly<Record<string, unknown>>)["value"];
  }

  #enumeration(written: readonly string[], symbols: readonly string[], path: string): Read {
    const unknown = written.find((symbol) => !symbols.includes(symbol));
    if (unknown !== undefined) {
      throw new Error(`the schemas don't fit: ${path.slice(1)} may be ${unknown}, which the reader does not know`);
    }
    return (cursor) => {
      const index = readSize(cursor);
      return written[index] ?? noSuch("symbol", index, written.length);
    };
  }

  /** Goes over a value that the reader does not know: whatever a long is there, nobody asks for it. */
  #pass(type: AvroType): Read {
    const known = this.#passed.get(type);
    if (known !== undefined) return known;
    let made: Read = () => undefined;
    this.#passed.set(type, (cursor) => made(cursor));
    if (isUnion(type)) made = branches(type.types.map((branch) => this.#pass(branch)));
    else if (isArray(type)) made = list(this.#pass(type.itemsType));
    else if (isMap(type)) made = map(this.#pass(type.valuesType as AvroType));
    else if (isRecord(type)) {
      const steps = type.fields.map(({ name, type: own }) => ({
        label: `.${name}`,
        name: undefined,
        read: this.#pass(own),
      }));
      made = record(steps, []);
    } else if (isEnum(type)) made = this.#enumeration(type.symbols, type.symbols, "");
    else made = type.typeName === "long" ? passLong : scalar(type, type);
    this.#passed.set(type, made);
    return made;
  }
}

function incompatible(writer: AvroType, reader: AvroType, path: string): never {
  const what = path === "" ? "the record" : path.slice(1);
  const [found, expected] = [writer, reader].map((type) => typeLabel(type).slice(0, 300));
  throw new Error(`the schemas don't fit: ${what} is ${found}, and can't be read as ${expected}`);
}

const promotions: Readonly<Record<string, readonly string[]>> = {
  int: ["long", "float", "double"],
  long: ["float", "double"],
  float: ["double"],
  string: ["bytes"],
  bytes: ["string"],
};

/** Whether two types are meant for each other, by sort and name; whether their fields fit is another question. */
function matches(writer: AvroType, reader: AvroType): boolean {
  if (isUnion(writer) || isUnion(reader)) return true;
  if (isRecord(writer)) return isRecord(reader) && isOneName(writer, reader);
  if (isEnum(writer)) return isEnum(reader) && isOneName(writer, reader);
  if (isFixed(writer)) return isFixed(reader) && writer.size === reader.size && isOneName(writer, reader);
  if (isArray(writer)) return isArray(reader) && matches(writer.itemsType, reader.itemsType);
  if (isMap(writer)) return isMap(reader) && matches(writer.valuesType as AvroType, reader.valuesType as AvroType);
  return writer.typeName === reader.typeName || (promotions[writer.typeName]?.includes(reader.typeName) ?? false);
}

function isOneName(writer: AvroType, reader: AvroType): boolean {
  return [reader.name, ...(reader.aliases ?? [])].some((name) => shortName(name) === shortName(writer.name));
}

/** A type without parts. What it is read as is the same number or text, but for bytes. */
function scalar(writer: AvroType, reader: AvroType): Read {
  if (isFixed(writer)) return (cursor) => readBytes(cursor, writer.size);
  switch (writer.typeName) {
    case "null":
      return () => null;
    case "boolean":
      return readBoolean;
    case "int":
      return readInt;
    case "long":
      return readLong;
    case "float":
      return readFloat;
    case "double":
      return readDouble;
    case "string":
    case "bytes":
      return reader.typeName === "string" ? readText : (cursor) => readBytes(cursor, readSize(cursor));
    default:
      throw new Error(`the schema can't be used: it has the type ${writer.typeName}`);
  }
}

function branches(reads: readonly Read[]): Read {
  return (cursor) => {
    const index = readSize(cursor);
    const read = reads[index] ?? noSuch("branch", index, reads.length);
    return read(cursor);
  };
}

function noSuch(what: string, index: number, count: number): never {
  throw new AvroProblem(`has ${what} ${index} of ${count}`);
}

interface Step {
  /** For messages: `.name`. */
  readonly label: string;
  /** Undefined: passed over. */
  readonly name: string | undefined;
  readonly read: Read;
}

function record(steps: readonly Step[], defaults: readonly { readonly name: string; readonly read: Read }[]): Read {
  return (cursor) => {
    enter(cursor, steps.length);
    const value: Record<string, unknown> = {};
    for (const { label, name, read } of steps) {
      try {
        const item = read(cursor);
        if (name !== undefined) value[name] = item;
      } catch (error) {
        throw below(error, label);
      }
    }
    for (const { name, read } of defaults) value[name] = read(cursor);
    leave(cursor);
    return value;
  };
}

function list(read: Read): Read {
  return (cursor) => {
    enter(cursor, 0);
    const items: unknown[] = [];
    for (let count = readBlockCount(cursor); count > 0; count = readBlockCount(cursor)) {
      for (; count > 0; count -= 1) {
        try {
          items.push(read(cursor));
        } catch (error) {
          throw below(error, `[${items.length}]`);
        }
      }
    }
    leave(cursor);
    return items;
  };
}

function map(read: Read): Read {
  return (cursor) => {
    enter(cursor, 0);
    const entries: Record<string, unknown> = {};
    for (let count = readBlockCount(cursor); count > 0; count = readBlockCount(cursor)) {
      for (; count > 0; count -= 1) {
        const name = readText(cursor);
        try {
          put(entries, name, read(cursor));
        } catch (error) {
          throw below(error, `.${name}`);
        }
      }
    }
    leave(cursor);
    return entries;
  };
}

/** Of a key that comes twice the last holds, as in JSON. `__proto__` is a key like others, as in JSON. */
function put(entries: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(entries, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    entries[name] = value;
  }
}
