/**
 * Whether a write-ahead log of LevelDB is whole. LevelDB leaves out a record whose checksum is wrong and goes on with the
 * next, so that a flipped bit would take one write out of the middle, and nobody would know.
 *
 * The file is cut into blocks; a record is one fragment, or several that follow each other: checksum (4 bytes), length
 * (2), kind (1), data. What a crash leaves unfinished at the end is no damage.
 */

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST_KIND = 4;

/** Whether something is wrong before the beginning of a record that is whole. */
export function isDamaged(log: Buffer): boolean {
  let isBad = false;
  for (let block = 0; block < log.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, log.length);
    let at = block;
    while (at + HEADER_BYTES <= end) {
      const kind = log[at + 6]!;
      const next = at + HEADER_BYTES + log.readUInt16LE(at + 4);
      // Room that was made and not used.
      if (kind === 0 && next === at + HEADER_BYTES && log.readUInt32LE(at) === 0) break;
      if (isWhole(log, at, end)) {
        if (isBad && (kind === FULL || kind === FIRST)) return true;
        at = next;
      } else {
        isBad = true;
        // Its length may be wrong too: the next beginning is looked for.
        at += 1;
      }
    }
  }
  return false;
}

function isWhole(log: Buffer, at: number, end: number): boolean {
  const kind = log[at + 6]!;
  const next = at + HEADER_BYTES + log.readUInt16LE(at + 4);
  return kind >= FULL && kind <= LAST_KIND && next <= end && masked(crc32c(log, at + 6, next)) === log.readUInt32LE(at);
}

/** LevelDB stores checksums changed, since what it checks may hold checksums itself. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const POLYNOMIAL = 0x82f63b78;
/** Eight bytes at a time: `tables[n]` is of a byte that n zeros follow. */
const tables = makeTables();

function makeTables(): readonly Int32Array[] {
  const all = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    all[0]![byte] = crc;
  }
  for (let n = 1; n < 8; n++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = all[n - 1]![byte]!;
      all[n]![byte] = (before >>> 8) ^ all[0]![before & 255]!;
    }
  }
  return all;
}

/** CRC-32C, which zlib does not have. */
export function crc32c(bytes: Buffer, from: number, until: number): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    ...[Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array],
  ];
  let crc = -1;
  let at = from;
  for (; at + 8 <= until; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      t7[low & 255]! ^
      t6[(low >>> 8) & 255]! ^
      t5[(low >>> 16) & 255]! ^
      t4[low >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < until; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 255]!;
  return (crc ^ -1) >>> 0;
}
