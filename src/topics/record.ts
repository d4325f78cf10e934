/** A record of an input topic, on its way through a mapping. */
import type { Decoded } from "../events/decode.js";
import type { EpochMs } from "../events/types.js";

/** What a mapping may ask of a record beside its value. */
export interface SourceRecord {
  readonly key: Uint8Array | null;
  /** When the log took it, or its producer made it: as the topic has it. */
  readonly timestamp: EpochMs;
  /** The value's bytes as they lie in the topic. */
  readonly bytes: Uint8Array;
}

/** A record that the mapping does not take. It is no mistake: whoever reads counts them by their reason. */
export interface Skipped {
  readonly ok: "skipped";
  /** One of few texts of this mapping, with nothing of the record in it. */
  readonly reason: string;
}

export type Mapped = Decoded | Skipped;

/** @param value as `JSON.parse` would give it */
export type RecordMapper = (value: unknown, record: SourceRecord) => Mapped;

/** @returns in hex, at least `ID_LENGTH` digits */
export type Sha256 = (bytes: Uint8Array) => string;
