/**
 * Values of input records that are not text: Avro in the wire format of schema registries, a byte 0, the id of the
 * writer's schema in four bytes, and the record
 * (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
 *
 * Reading does not wait, so that a fetch of thousands of records is decoded in one go: `prepare` brings the schemas that
 * are not known yet, before. JSON text never begins with a byte 0.
 */
import { type ReadValue, recordName, valueReader } from "../events/avro.js";
import type { DeadLetterReason, Refused } from "../events/decode.js";
import type { Waits } from "../stream/log.js";
import type { RegisteredSchema, SchemaRegistry } from "./registry.js";
import { inputSchemas } from "./schemas.js";

export const MAGIC = 0;
/** Before the record: the byte 0 and the id. */
export const HEAD_BYTES = 5;
/** So many requests to the registry at once. */
const REQUESTS_MAX = 8;
/** Schemas that are kept, and ids that are not known; what is fetched at once may be more. */
const SCHEMAS_MAX = 1_000;
/** The registry is asked again after that: an id may get a schema, in a registry that lags behind another. */
const UNKNOWN_MS = 30_000;

/** Reads values that begin with a byte 0. */
export interface ValueReader {
  /**
   * Fetches what is needed to read these values.
   *
   * @throws ScorefoldError `registry-failed` where the registry does not answer: nothing is known of the records then
   */
  prepare(values: Iterable<Buffer | null>, signal?: AbortSignal, waits?: Waits): Promise<void>;
  /** Never throws for values that were prepared. */
  read(value: Buffer): ReadValue;
}

/** Without a registry all values are JSON. */
export const withoutRegistry: ValueReader = {
  prepare: async () => undefined,
  read: () =>
    refused(
      "undecodable",
      "the value begins with byte 0, as Avro with the id of a registered schema does, and there is no schema registry;" +
        " name one with --schema-registry or SCOREFOLD_SCHEMA_REGISTRY_URL",
    ),
};

type ReadBody = (body: Buffer) => ReadValue;

export class RegisteredValues implements ValueReader {
  readonly #registry: Pick<SchemaRegistry, "schemaOf" | "name">;
  readonly #elapsed: () => number;
  readonly #shipped = inputSchemas();
  readonly #known = new Map<number, ReadBody>();
  /** When they are to be asked for again. */
  readonly #unknown = new Map<number, number>();

  /** @param elapsed milliseconds, of a clock that only goes forward */
  constructor(registry: Pick<SchemaRegistry, "schemaOf" | "name">, elapsed: () => number) {
    this.#registry = registry;
    this.#elapsed = elapsed;
  }

  async prepare(values: Iterable<Buffer | null>, signal?: AbortSignal, waits?: Waits): Promise<void> {
    const wanted = idsIn(values);
    if (wanted.size === 0) return;
    const now = this.#elapsed();
    const missing = [...wanted].filter((id) => !this.#known.has(id) && !(now < (this.#unknown.get(id) ?? now)));
    if (missing.length === 0) return;
    for (const own of [this.#known, this.#unknown]) if (own.size > SCHEMAS_MAX) keepOnly(own, wanted);
    const next = missing.values();
    const worker = async (): Promise<void> => {
      for (const id of next) await this.#fetch(id, signal);
    };
    const fetched = Promise.all(Array.from({ length: Math.min(REQUESTS_MAX, missing.length) }, worker));
    await (waits === undefined ? fetched : waits.during(this.#registry.name, fetched));
  }

  read(value: Buffer): ReadValue {
    if (value.length < HEAD_BYTES)
      return refused(
        "undecodable",
        `the value has ${value.length} bytes; expected byte 0, four of a schema id, and Avro`,
      );
    const id = value.readUInt32BE(1);
    const read = this.#known.get(id);
    if (read !== undefined) return read(value.subarray(HEAD_BYTES));
    return refused(
      "unknown-schema",
      `the schema registry has no schema with the id ${id}; register it, and send the record again`,
    );
  }

  async #fetch(id: number, signal?: AbortSignal): Promise<void> {
    const schema = await this.#registry.schemaOf(id, signal);
    if (schema === null) {
      this.#unknown.set(id, this.#elapsed() + UNKNOWN_MS);
      return;
    }
    this.#unknown.delete(id);
    this.#known.set(id, this.#readerOf(id, schema));
  }

  /** Of a schema that can't be used: what says so for each record. A schema never changes. */
  #readerOf(id: number, { type, text, hasReferences }: RegisteredSchema): ReadBody {
    const unusable = (why: string): ReadBody => {
      const answer = refused("unknown-schema", `the schema with the id ${id} ${why}`);
      return () => answer;
    };
    if (type !== "AVRO") return unusable(`is ${type.slice(0, 40)}; expected AVRO`);
    if (hasReferences)
      return unusable("refers to schemas that are registered apart, which are not read; register it as one");
    try {
      const schema: unknown = JSON.parse(text);
      return valueReader(schema, this.#shipped.get(recordName(schema) ?? ""));
    } catch (error) {
      return unusable(`can't be used: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function refused(reason: DeadLetterReason, error: string): Refused {
  return { ok: false, reason, error };
}

function idsIn(values: Iterable<Buffer | null>): Set<number> {
  const ids = new Set<number>();
  let last = -1;
  for (const value of values) {
    if (value === null || value.length < HEAD_BYTES || value[0] !== MAGIC) continue;
    const id = value.readUInt32BE(1);
    if (id !== last) ids.add(id);
    last = id;
  }
  return ids;
}

function keepOnly(own: Map<number, unknown>, wanted: ReadonlySet<number>): void {
  for (const id of own.keys()) if (!wanted.has(id)) own.delete(id);
}
