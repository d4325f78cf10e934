/**
 * CRC-32C (Castagnoli), the checksum of record batches, eight bytes a step.
 *
 * Source: M. E. Kounavis, F. L. Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation" (2008).
 */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables of 256, one after the other. */
const tables = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  tables[byte] = crc;
}
for (let i = 256; i < tables.length; i++) {
  const before = tables[i - 256]!;
  tables[i] = (before >>> 8) ^ tables[before & 0xff]!;
}

/** @returns an unsigned number of 32 bits */
export function crc32c(bytes: Uint8Array, from = 0, end = bytes.length): number {
  const t = tables;
  let crc = -1;
  let i = from;
  for (; i + 8 <= end; i += 8) {
    const low = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    crc =
      t[0x700 | (low & 0xff)]! ^
      t[0x600 | ((low >>> 8) & 0xff)]! ^
      t[0x500 | ((low >>> 16) & 0xff)]! ^
      t[0x400 | (low >>> 24)]! ^
      t[0x300 | bytes[i + 4]!]! ^
      t[0x200 | bytes[i + 5]!]! ^
      t[0x100 | bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = t[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}
