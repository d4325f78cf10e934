/** Which partition a contact's records belong in: as the producers of the inputs decide it, by the hash of the key. */
import { crc32 } from "node:zlib";

export const partitionerNames = ["murmur2", "crc32", "fnv1a"] as const;
/** `murmur2`: the Java clients and most others. `crc32`: librdkafka and what is built on it. `fnv1a`: Sarama. */
export type PartitionerName = (typeof partitionerNames)[number];

/** @returns the partition of a key, of so many */
export function partitioner(name: PartitionerName, partitions: number): (key: string) => number {
  const hash = hashes[name];
  return (key) => hash(Buffer.from(key)) % partitions;
}

const hashes: Readonly<Record<PartitionerName, (key: Buffer) => number>> = {
  murmur2: (key) => murmur2(key) & 0x7fffffff,
  crc32: (key) => crc32(key),
  fnv1a: (key) => Math.abs(fnv1a(key)),
};

const MURMUR_SEED = 0x9747b28c;
const MURMUR_M = 0x5bd1e995;

/** @see https://github.com/apache/kafka/blob/4.0/clients/src/main/java/org/apache/kafka/common/utils/Utils.java */
function murmur2(data: Buffer): number {
  const { length } = data;
  const whole = length & ~3;
  let hash = MURMUR_SEED ^ length;
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(data.readInt32LE(at), MURMUR_M);
    k ^= k >>> 24;
    hash = Math.imul(hash, MURMUR_M) ^ Math.imul(k, MURMUR_M);
  }
  if (length > whole) {
    hash ^= data.readUIntLE(whole, length - whole);
    hash = Math.imul(hash, MURMUR_M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MURMUR_M);
  return hash ^ (hash >>> 15);
}

/** @see http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(data: Buffer): number {
  let hash = 0x811c9dc5 | 0;
  for (const byte of data) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
