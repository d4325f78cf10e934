/**
 * Reads the answer to a fetch: record batches (magic 2) without an object for every field of every record.
 *
 * Sources: https://kafka.apache.org/protocol.html#The_Messages_Fetch (version 11),
 * https://kafka.apache.org/documentation/#recordbatch
 */
import { ScorefoldError } from "../errors.js";
import type { Mark } from "../stream/log.js";
import { UNPACKED_BYTES_MAX, unpacked } from "./compression.js";
import { crc32c } from "./patches/crc32c.js";

/** The version of the request that is answered so. */
export const FETCH_VERSION = 11;

export interface FetchedRecord {
  readonly offset: number;
  /** Milliseconds since the epoch: when the broker took it, where the topic has it so, else what its producer says. */
  readonly timestamp: number;
  readonly isAppendTime: boolean;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** What all of it takes in the batch. */
  readonly bytes: number;
}

/**
 * A record in the batch that it came in. Key and value are views that are made when they are asked for: thousands wait to
 * be decoded, and a Buffer is larger than most of them.
 */
class BatchRecord implements FetchedRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly isAppendTime: boolean;
  readonly bytes: number;
  readonly #batch: Buffer;
  readonly #key: number;
  readonly #keyEnd: number;
  readonly #value: number;
  readonly #valueEnd: number;

  /** @param key where it begins in the batch: behind its end where there is none. So `value` */
  constructor(
    place: Pick<FetchedRecord, "offset" | "timestamp" | "isAppendTime" | "bytes">,
    batch: Buffer,
    key: number,
    keyEnd: number,
    value: number,
    valueEnd: number,
  ) {
    this.offset = place.offset;
    this.timestamp = place.timestamp;
    this.isAppendTime = place.isAppendTime;
    this.bytes = place.bytes;
    this.#batch = batch;
    this.#key = key;
    this.#keyEnd = keyEnd;
    this.#value = value;
    this.#valueEnd = valueEnd;
  }

  get key(): Buffer | null {
    return this.#keyEnd < this.#key ? null : this.#batch.subarray(this.#key, this.#keyEnd);
  }

  get value(): Buffer | null {
    return this.#valueEnd < this.#value ? null : this.#batch.subarray(this.#value, this.#valueEnd);
  }
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Of the broker; 0: none. */
  readonly errorCode: number;
  /** The end of all that is there, also of transactions that are open. */
  readonly highWatermark: number;
  /** The end of what can be read with `read_committed`. */
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** What is to be read with `read_committed`, from the offset that was asked for on. */
  readonly records: readonly FetchedRecord[];
  /** The batches that came whole, whatever is in them. */
  readonly marks: readonly Mark[];
  /** Behind the last whole batch, whatever was in it: marks, aborted records, nothing; null where there was none. */
  readonly next: number | null;
}

/** Those of one producer that were aborted, from an offset on up to its next mark. */
interface Aborted {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** What was unpacked of one partition of an answer, after which the rest of it is left, to be asked for again. */
const ANSWER_UNPACKED_BYTES = UNPACKED_BYTES_MAX / 4;
const HEAD_BYTES = 61;
const LENGTH_END = 12;
const MAGIC_AT = 16;
const MAGIC = 2;
const CRC_AT = 17;
/** From here on to the end of the batch the checksum counts. */
const ATTRIBUTES_AT = 21;
const MAX_TIMESTAMP_AT = 35;
const CODEC_MASK = 0x07;
const APPEND_TIME = 1 << 3;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
const DAMAGED = "is damaged: its checksum is not that of its bytes; look at the disk and the network of the broker";
const MISSTATED = "has other records than it says; look at the producer that has sent them";

class Reader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  int64(): bigint {
    this.at += 8;
    return this.bytes.readBigInt64BE(this.at - 8);
  }

  string(): string {
    const length = this.int16();
    this.at += length;
    return this.bytes.toString("utf8", this.at - length, this.at);
  }

  /** Zigzag, of at most 53 bits. */
  varint(): number {
    const { bytes } = this;
    let byte = bytes[this.at++]!;
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 127;
    let factor = 128;
    do {
      byte = bytes[this.at++]!;
      value += (byte & 127) * factor;
      factor *= 128;
    } while (byte >= 128);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Passes bytes with their length in front. @returns the length; -1: there are none, not even no bytes */
  varbytes(): number {
    const length = Math.max(-1, this.varint());
    if (length > 0) this.at += length;
    return length;
  }
}

/**
 * To be called after `loadCodecs`.
 *
 * @param from the offset that was asked for in each partition: a batch may begin before it
 * @throws ScorefoldError `log-failed` for an answer that is an error as a whole, or whose first batch of a partition can't
 *   be read; where it is a later one, what is before it is given
 */
export function readFetchResponse(
  bytes: Buffer,
  from: (topic: string, partition: number) => number,
): FetchedPartition[] {
  const reader = new Reader(bytes);
  reader.int32();
  const errorCode = reader.int16();
  if (errorCode !== 0) throw new ScorefoldError("log-failed", `the broker answers a fetch with error ${errorCode}`);
  reader.int32();
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.string();
    for (let left = reader.int32(); left > 0; left--) partitions.push(readPartition(reader, topic, from));
  }
  return partitions;
}

function readPartition(
  reader: Reader,
  topic: string,
  from: (topic: string, partition: number) => number,
): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = Number(reader.int64());
  const lastStableOffset = Number(reader.int64());
  const logStartOffset = Number(reader.int64());
  const aborted: Aborted[] = [];
  for (let left = reader.int32(); left > 0; left--)
    aborted.push({ producerId: reader.int64(), firstOffset: Number(reader.int64()) });
  reader.int32();
  const length = Math.max(0, reader.int32());
  const end = reader.at + length;
  const name = `topic ${topic}, partition ${partition},`;
  const read = readBatches(reader.bytes, reader.at, end, from(topic, partition), aborted, name);
  reader.at = end;
  return { topic, partition, errorCode, highWatermark, lastStableOffset, logStartOffset, ...read };
}

/**
 * @param aborted in any order
 * @param name of the partition, for errors
 */
function readBatches(
  bytes: Buffer,
  start: number,
  end: number,
  from: number,
  aborted: Aborted[],
  name: string,
): Pick<FetchedPartition, "records" | "marks" | "next"> {
  aborted.sort((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<bigint>();
  let nextAborted = 0;
  let unpackedBytes = 0;
  const records: FetchedRecord[] = [];
  const marks: Mark[] = [];
  let next: number | null = null;
  for (let at = start; at < end && unpackedBytes < ANSWER_UNPACKED_BYTES; ) {
    try {
      const batch = batchAt(bytes, at, end, next);
      // The last batch may be cut off where the answer had no more room: it comes again. The first one comes whole.
      if (batch === null) {
        if (next === null) throw new Error("is cut off");
        break;
      }
      const { producerId, last, attributes } = batch;
      for (; nextAborted < aborted.length && aborted[nextAborted]!.firstOffset <= last; nextAborted++)
        open.add(aborted[nextAborted]!.producerId);
      if ((attributes & CONTROL) !== 0) open.delete(producerId);
      else if ((attributes & TRANSACTIONAL) === 0 || !open.has(producerId))
        unpackedBytes += readRecords(bytes, at, batch, from, records);
      marks.push(batch.mark);
      next = last + 1;
      at = batch.end;
    } catch (error) {
      // What is before it is whole; it comes again as the first one.
      if (next !== null) break;
      const why = error instanceof Error ? error.message : String(error);
      throw new ScorefoldError("log-failed", `the batch at offset ${from} of ${name} ${why}`, { cause: error });
    }
  }
  return { records, marks, next };
}

interface Batch {
  readonly end: number;
  readonly attributes: number;
  readonly base: number;
  readonly last: number;
  readonly producerId: bigint;
  readonly mark: Mark;
}

/** @returns null where it is cut off. @throws Error for one that is damaged, or of another format */
function batchAt(bytes: Buffer, at: number, end: number, next: number | null): Batch | null {
  if (at + HEAD_BYTES > end) return null;
  const length = bytes.readInt32BE(at + 8);
  const magic = bytes[at + MAGIC_AT]!;
  if (magic < MAGIC) throw new Error(`is of format ${magic}; write it anew with a client of Kafka 0.11 or later`);
  if (magic > MAGIC) throw new Error(`is of format ${magic}, which is not known; it needs a newer Scorefold`);
  if (length < HEAD_BYTES - LENGTH_END) throw new Error(DAMAGED);
  const batchEnd = at + LENGTH_END + length;
  if (batchEnd > end) return null;
  const base = Number(bytes.readBigInt64BE(at));
  const last = base + bytes.readInt32BE(at + 23);
  const checksum = bytes.readUInt32BE(at + CRC_AT);
  const isWhole = checksum === crc32c(bytes, at + ATTRIBUTES_AT, batchEnd);
  if (!isWhole || last < base || (next !== null && base < next)) throw new Error(DAMAGED);
  return {
    end: batchEnd,
    attributes: bytes.readInt16BE(at + ATTRIBUTES_AT),
    base,
    last,
    producerId: bytes.readBigInt64BE(at + 43),
    mark: { base, count: last + 1 - base, at: Number(bytes.readBigInt64BE(at + MAX_TIMESTAMP_AT)), checksum },
  };
}

/** @returns how much was unpacked for it. @throws Error for records that are not as the batch says */
function readRecords(
  bytes: Buffer,
  at: number,
  { end, base, attributes }: Batch,
  from: number,
  into: FetchedRecord[],
): number {
  const isAppendTime = (attributes & APPEND_TIME) !== 0;
  const first = Number(bytes.readBigInt64BE(at + 27));
  const max = Number(bytes.readBigInt64BE(at + MAX_TIMESTAMP_AT));
  const count = bytes.readInt32BE(at + 57);
  if (count === 0) return 0;
  const codec = attributes & CODEC_MASK;
  const content = unpacked(codec, bytes.subarray(at + HEAD_BYTES, end));
  const reader = new Reader(content);
  const found: FetchedRecord[] = [];
  for (let left = count; left > 0; left--) {
    const size = reader.varint();
    const recordEnd = reader.at + size;
    if (size < 0 || recordEnd > content.length) throw new Error(MISSTATED);
    reader.at += 1;
    const timestamp = first + reader.varint();
    const offset = base + reader.varint();
    const keyLength = reader.varbytes();
    const keyEnd = reader.at;
    const valueLength = reader.varbytes();
    const valueEnd = reader.at;
    if (reader.at > recordEnd) throw new Error(MISSTATED);
    reader.at = recordEnd;
    if (offset < from) continue;
    const place = { offset, timestamp: isAppendTime ? max : timestamp, isAppendTime, bytes: size };
    // A length of -1 gives a start behind the end.
    const [key, value] = [keyEnd - keyLength, valueEnd - valueLength];
    found.push(new BatchRecord(place, content, key, keyEnd, value, valueEnd));
  }
  if (reader.at !== content.length) throw new Error(MISSTATED);
  for (const record of found) into.push(record);
  return codec === 0 ? 0 : content.length;
}
