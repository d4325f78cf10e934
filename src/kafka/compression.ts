/**
 * Unpacks the records of a batch. Nobody knows beforehand how much a batch holds, and a few bytes can say gigabytes: so
 * each codec is told, or is asked first, how much it may make.
 *
 * Sources: RFC 1952 (gzip); https://github.com/google/snappy/blob/main/format_description.txt, and
 * https://github.com/xerial/snappy-java for the chunks that Java writes;
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md; RFC 8878 (zstd).
 */
import { gunzipSync } from "node:zlib";
import { snappyUncompressor } from "hysnappy";
import { decompressFrameSync } from "lz4-napi";
import { ZSTDDecoder } from "zstddec";

/** Of one batch: brokers take batches of a megabyte, unless they are told otherwise. */
export const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

/** By their number in a batch. */
const codecs: readonly { readonly name: string; readonly unpack: (bytes: Buffer, bytesMax: number) => Buffer }[] = [
  { name: "none", unpack: (bytes) => bytes },
  { name: "gzip", unpack: gunzip },
  { name: "snappy", unpack: unsnappy },
  { name: "lz4", unpack: unlz4 },
  { name: "zstd", unpack: unzstd },
];

const snappy = snappyUncompressor();
/** Version and the oldest version that can read it come behind. */
const XERIAL_MAGIC = Buffer.from("\x82SNAPPY\0", "latin1");
const XERIAL_HEAD_BYTES = 16;

const LZ4_MAGIC = 0x184d2204;
const LZ4_BLOCK_SUMS = 1 << 4;
const LZ4_CONTENT_SIZE = 1 << 3;
const LZ4_CONTENT_SUM = 1 << 2;
const LZ4_DICTIONARY = 1;
const LZ4_PLAIN = 0x80000000;

const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_BLOCK_BYTES = 128 * 1024;
const zstd = new ZSTDDecoder();
let zstdLoads: Promise<void> | undefined;

/** To be awaited before the first `unpacked`: one of the codecs is compiled when it is loaded. */
export async function loadCodecs(): Promise<void> {
  zstdLoads ??= zstd.init();
  await zstdLoads;
}

/**
 * @param codec as a batch has it in its attributes
 * @param bytesMax for tests
 * @throws Error for a codec that is not known, more than `bytesMax`, bytes that are damaged; the place is for the caller to say
 */
export function unpacked(codec: number, bytes: Buffer, bytesMax = UNPACKED_BYTES_MAX): Buffer {
  const known = codecs[codec];
  if (known === undefined)
    throw new Error(`is compressed with codec ${codec}, which is not known; it needs a newer Scorefold`);
  try {
    return known.unpack(bytes, bytesMax);
  } catch (error) {
    if (error instanceof TooMuch)
      throw new Error(
        `unpacks with ${known.name} to more than ${bytesMax} bytes; let its producer send smaller batches`,
      );
    throw new Error(`can't be unpacked with ${known.name}: ${reason(error)}`, { cause: error });
  }
}

class TooMuch extends Error {}

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  // What was read behind the end.
  if (code === "ERR_OUT_OF_RANGE" || code === "ERR_BUFFER_OUT_OF_BOUNDS") return "it is cut off";
  return message ?? String(error);
}

function gunzip(bytes: Buffer, maxOutputLength: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength });
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") throw new TooMuch();
    throw error;
  }
}

/** Java and librdkafka write chunks with a head; others write one block. */
function unsnappy(bytes: Buffer, bytesMax: number): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return snappyBlock(bytes, bytesMax);
  const blocks: Buffer[] = [];
  let left = bytesMax;
  let at = XERIAL_HEAD_BYTES;
  while (at < bytes.length) {
    const from = at + 4;
    at = from + bytes.readInt32BE(at);
    if (at < from || at > bytes.length) throw new Error("a chunk is cut off");
    const block = snappyBlock(bytes.subarray(from, at), left);
    left -= block.length;
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

function snappyBlock(bytes: Buffer, bytesMax: number): Buffer {
  let length = 0;
  let factor = 1;
  for (let at = 0; ; at++) {
    const byte = bytes[at];
    if (byte === undefined || at > 4) throw new Error("a block does not say how long it is");
    length += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) break;
  }
  if (length > bytesMax) throw new TooMuch();
  return viewOf(snappy(bytes, length));
}

/** The library takes one frame, goes past what comes behind it, and has no limit: the blocks are walked before it. */
function unlz4(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new Error("there is no LZ4 frame");
  const flags = bytes.readUInt8(4);
  // 4: 64 kB, 5: 256 kB, 6: 1 MB, 7: 4 MB.
  const blockBytes = 1 << (8 + 2 * ((bytes.readUInt8(5) >> 4) & 7));
  const has = (flag: number): boolean => (flags & flag) !== 0;
  let at = 7 + (has(LZ4_CONTENT_SIZE) ? 8 : 0) + (has(LZ4_DICTIONARY) ? 4 : 0);
  let most = 0;
  for (;;) {
    const head = bytes.readUInt32LE(at);
    at += 4;
    if (head === 0) break;
    const length = head % LZ4_PLAIN;
    // A byte of a block makes 255 at most.
    most += head >= LZ4_PLAIN ? length : Math.min(blockBytes, 255 * length);
    at += length + (has(LZ4_BLOCK_SUMS) ? 4 : 0);
  }
  if (at + (has(LZ4_CONTENT_SUM) ? 4 : 0) !== bytes.length) throw new Error("it ends elsewhere than its frame");
  if (most > bytesMax) throw new TooMuch();
  return decompressFrameSync(bytes);
}

/** The library gives nothing at all where it fails, and must be told a size: the most that the blocks can hold. */
function unzstd(bytes: Buffer, bytesMax: number): Buffer {
  const most = zstdBytes(bytes);
  const unpackedBytes = viewOf(zstd.decode(bytes, Math.min(most, bytesMax)));
  if (unpackedBytes.length > 0 || most === 0) return unpackedBytes;
  throw most > bytesMax ? new TooMuch() : new Error("it is damaged, or needs a dictionary");
}

/** What the blocks of all frames can hold, at most. */
function zstdBytes(bytes: Buffer): number {
  let most = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readUInt32LE(at) !== ZSTD_MAGIC) throw new Error("there is no Zstandard frame");
    const flags = bytes.readUInt8(at + 4);
    const isSingle = (flags & (1 << 5)) !== 0;
    const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6]!;
    at += 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][flags & 3]! + sizeBytes;
    for (let isLast = false; !isLast; ) {
      const head = bytes.readUIntLE(at, 3);
      isLast = (head & 1) !== 0;
      const type = (head >> 1) & 3;
      const size = head >> 3;
      // 0: as it is; 1: one byte again and again; 2: compressed.
      most += type === 2 ? ZSTD_BLOCK_BYTES : size;
      at += 3 + (type === 1 ? 1 : size);
    }
    at += (flags & (1 << 2)) !== 0 ? 4 : 0;
  }
  return most;
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
