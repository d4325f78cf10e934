/**
 * Writers of bytes: closures made once for a type. One content has one form in bytes: keys of maps are in order, each
 * list and map is one block, a number is a long if it is whole and a long can hold it exactly, and a null in a map is
 * left out, as canonical JSON does.
 */
import {
  AvroProblem,
  below,
  type Sink,
  writeByte,
  writeBytes,
  writeDouble,
  writeLong,
  writeText,
} from "./avro-bytes.js";
import {
  type AvroType,
  defaultBytes,
  isArray,
  isEnum,
  isMap,
  isRecord,
  isUnion,
  isWrapper,
  typeLabel,
} from "./avro-schema.js";
import { kindOfJson } from "./json.js";
import { compareText } from "./order.js";

/** Writes a plain value, as readers give it. @throws AvroProblem where the type can't say it */
export type Write = (sink: Sink, value: unknown) => void;

/** @throws Error for types that no shipped schema uses: bytes, fixed, float */
export function writerOf(type: AvroType): Write {
  return build(type, new Map());
}

function build(type: AvroType, made: Map<AvroType, Write>): Write {
  if (isUnion(type)) return union(type.types, made);
  if (isRecord(type)) {
    const known = made.get(type);
    if (known !== undefined) return known;
    // Fields may hold this type again: they get a writer that finds the true one when it is made.
    let write: Write = () => undefined;
    made.set(type, (sink, value) => write(sink, value));
    write = isWrapper(type) ? build(type.fields[0]!.type, made) : record(type, made);
    return write;
  }
  if (isArray(type)) return list(build(type.itemsType, made));
  if (isMap(type)) return map(build(type.valuesType as AvroType, made));
  if (isEnum(type)) return enumeration(type.symbols);
  return scalar(type);
}

function record(type: AvroType, made: Map<AvroType, Write>): Write {
  if (!isRecord(type)) throw new Error("the schema can't be used: it is no record");
  const steps = type.fields.map((field) => ({
    name: field.name,
    absent: defaultBytes(field),
    write: build(field.type, made),
  }));
  return (sink, value) => {
    if (typeof value !== "object" || value === null) throw unfit(value, typeLabel(type));
    for (const { name, absent, write } of steps) {
      const item = (value as Readonly<Record<string, unknown>>)[name];
      try {
        if (item !== undefined) write(sink, item);
        else if (absent !== undefined) writeBytes(sink, absent);
        else throw new AvroProblem("is missing");
      } catch (error) {
        throw below(error, `.${name}`);
      }
    }
  };
}

function list(write: Write): Write {
  return (sink, value) => {
    if (!Array.isArray(value)) throw unfit(value, "list");
    if (value.length > 0) writeLong(sink, value.length);
    for (let index = 0; index < value.length; index += 1) {
      try {
        write(sink, value[index]);
      } catch (error) {
        throw below(error, `[${index}]`);
      }
    }
    writeLong(sink, 0);
  };
}

function map(write: Write): Write {
  return (sink, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw unfit(value, "object");
    const entries = value as Readonly<Record<string, unknown>>;
    const names = Object.keys(entries).filter((name) => (entries[name] ?? null) !== null);
    if (names.length > 1) names.sort(compareText);
    if (names.length > 0) writeLong(sink, names.length);
    for (const name of names) {
      try {
        writeText(sink, name);
        write(sink, entries[name]);
      } catch (error) {
        throw below(error, `.${name}`);
      }
    }
    writeLong(sink, 0);
  };
}

function enumeration(symbols: readonly string[]): Write {
  return (sink, value) => {
    const index = symbols.indexOf(value as string);
    if (index < 0) throw unfit(value, `one of ${symbols.join(", ")}`);
    writeLong(sink, index);
  };
}

/** The branch for each sort of value; the shipped schemas have at most one, but for long and double. */
function union(types: readonly AvroType[], made: Map<AvroType, Write>): Write {
  const writes = types.map((type): Write => {
    const write = build(type, made);
    const index = types.indexOf(type);
    return (sink, value) => {
      writeLong(sink, index);
      write(sink, value);
    };
  });
  const branch = (is: (type: AvroType) => boolean): Write | undefined => writes[types.findIndex(is)];
  const ofNull = branch((type) => type.typeName === "null");
  const ofBoolean = branch((type) => type.typeName === "boolean");
  const ofLong = branch((type) => type.typeName === "long" || type.typeName === "int");
  const ofDouble = branch((type) => type.typeName === "double");
  const ofText = branch((type) => type.typeName === "string" || isEnum(type));
  const ofList = branch(isArray);
  const ofObject = branch((type) => isMap(type) || isRecord(type));
  const label = types.map(typeLabel).join(", ");
  return (sink, value) => {
    let write: Write | undefined;
    if (value === null) write = ofNull;
    else if (typeof value === "string") write = ofText;
    else if (typeof value === "number") write = Number.isSafeInteger(value) ? (ofLong ?? ofDouble) : ofDouble;
    else if (typeof value === "boolean") write = ofBoolean;
    else if (typeof value === "object") write = Array.isArray(value) ? ofList : ofObject;
    if (write === undefined) throw unfit(value, label);
    write(sink, value);
  };
}

function scalar(type: AvroType): Write {
  switch (type.typeName) {
    case "null":
      return (_, value) => {
        if (value !== null) throw unfit(value, "null");
      };
    case "boolean":
      return (sink, value) => {
        if (typeof value !== "boolean") throw unfit(value, "truth value");
        writeByte(sink, value ? 1 : 0);
      };
    case "int":
      return (sink, value) => {
        if (typeof value !== "number" || value !== (value | 0)) throw unfit(value, "whole number of 32 bits");
        writeLong(sink, value);
      };
    case "long":
      return (sink, value) => {
        if (!Number.isSafeInteger(value)) throw unfit(value, `whole number within ±${Number.MAX_SAFE_INTEGER}`);
        writeLong(sink, value as number);
      };
    case "double":
      return (sink, value) => {
        if (typeof value !== "number" || !Number.isFinite(value)) throw unfit(value, "number");
        writeDouble(sink, value);
      };
    case "string":
      return (sink, value) => {
        if (typeof value !== "string") throw unfit(value, "text");
        writeText(sink, value);
      };
    default:
      throw new Error(`the schema can't be used for writing: it has the type ${typeLabel(type)}`);
  }
}

function unfit(value: unknown, expected: string): AvroProblem {
  const found = typeof value === "number" ? String(value) : kindOfJson(value);
  return new AvroProblem(`is ${found}; the schema has: ${expected}`);
}
