/** Answers to a fetch of one partition, as a broker would write them. */
import { crc32c } from "../../src/kafka/patches/crc32c.js";
import { RecordBatch } from "../../src/kafka/patches/record-writer.js";

export const head = {
  isTransactional: false,
  producerId: -1n,
  producerEpoch: 0,
  firstSequence: 0,
  now: 1_700_000_000_000,
};

export interface Batch {
  readonly base: number;
  readonly values: readonly string[];
  /** Of the transaction that it belongs to. */
  readonly producer?: number;
  readonly key?: Buffer;
  /** The end of a transaction. */
  readonly isMark?: boolean;
  /** So many offsets, of which compaction has left no record. */
  readonly emptied?: number;
  /** How its records are compressed: the codec's number, and what it makes of them. */
  readonly codec?: readonly [number: number, pack: (records: Buffer) => Buffer];
}

export function bytesOf({ base, values, producer, key, isMark = false, emptied, codec }: Batch): Buffer {
  const messages = isMark
    ? [{ key: Buffer.alloc(4), value: Buffer.alloc(6) }]
    : values.map((value, i) => ({ key: key ?? `k${i}`, value, timestamp: head.now + i }));
  const isTransactional = producer !== undefined;
  const batch = new RecordBatch(messages, { ...head, isTransactional, producerId: BigInt(producer ?? -1) });
  const bytes = Buffer.alloc(batch.size);
  batch.write(bytes, 0);
  bytes.writeBigInt64BE(BigInt(base), 0);
  if (isMark) bytes.writeInt16BE(bytes.readInt16BE(21) | (1 << 5), 21);
  if (codec !== undefined) {
    const [number, pack] = codec;
    bytes.writeInt16BE(bytes.readInt16BE(21) | number, 21);
    return sealed(Buffer.concat([bytes.subarray(0, 61), pack(bytes.subarray(61))]));
  }
  if (emptied === undefined) return sealed(bytes);
  const empty = bytes.subarray(0, 61);
  empty.writeInt32BE(emptied - 1, 23);
  empty.writeInt32BE(0, 57);
  return sealed(empty);
}

/** With its length and its checksum. */
export function sealed(bytes: Buffer): Buffer {
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  return bytes;
}

export function response(
  batches: readonly (Batch | Buffer)[],
  aborted: readonly (readonly [producer: number, first: number])[] = [],
  cut = 0,
  errorCode = 0,
  end = 900,
): Buffer {
  const records = Buffer.concat(batches.map((batch) => (Buffer.isBuffer(batch) ? batch : bytesOf(batch))));
  const partition = Buffer.alloc(4 + 2 + 8 + 8 + 8 + 4 + 16 * aborted.length + 4 + 4);
  let at = partition.writeInt32BE(3, 0);
  at = partition.writeInt16BE(errorCode, at);
  at = partition.writeBigInt64BE(1000n, at);
  at = partition.writeBigInt64BE(BigInt(end), at);
  at = partition.writeBigInt64BE(2n, at);
  at = partition.writeInt32BE(aborted.length, at);
  for (const [producer, first] of aborted) {
    at = partition.writeBigInt64BE(BigInt(producer), at);
    at = partition.writeBigInt64BE(BigInt(first), at);
  }
  at = partition.writeInt32BE(-1, at);
  partition.writeInt32BE(records.length - cut, at);
  const top = Buffer.alloc(4 + 2 + 4 + 4 + 2 + 1 + 4);
  top.writeInt32BE(1, 10);
  top.writeInt16BE(1, 14);
  top.write("t", 16);
  top.writeInt32BE(1, 17);
  return Buffer.concat([top, partition, records.subarray(0, records.length - cut)]);
}
