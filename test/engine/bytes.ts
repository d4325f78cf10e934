/**
 * Every byte of every file of a directory, searched for texts in the forms in which they may lie there. Tables of LevelDB
 * are searched as they are and unpacked: packed, a text is cut wherever a part of it stood before.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { snappyUncompressor } from "hysnappy";
import { CompactWriter } from "../../src/fold/compact.js";

/**
 * A text as it may be written: as it is, inside JSON, with all but ASCII escaped, percent-encoded, in UTF-16, and in the
 * numbers that rows of the store have of a text that is not ASCII.
 */
function forms(text: string): Buffer[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const texts = [text, json, JSON.stringify(json).slice(1, -1), ascii, encodeURIComponent(text), encodeURI(text)];
  return [...new Set(texts)]
    .map((form) => Buffer.from(form))
    .concat(Buffer.from(text, "utf16le"), inNumbers(text), inNumbers(json));
}

function inNumbers(text: string): Buffer<ArrayBuffer> {
  const writer = new CompactWriter();
  writer.begin(0, "-");
  const begun = writer.end().length;
  for (let i = 0; i < text.length; i++) writer.number(text.charCodeAt(i));
  return Buffer.from(writer.end().slice(begun));
}

/** `file: text` for each file of the directory that holds one of the texts, in any form, in its bytes or its name. */
export function placesOf(directory: string, texts: readonly string[]): string[] {
  const sought = texts.map((text) => ({ text, forms: forms(text) }));
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return names.flatMap((name) => {
    const path = join(directory, name);
    const bytes = statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
    const all = [Buffer.from(name), bytes, ...unpacked(name, bytes)];
    return sought
      .filter((one) => one.forms.some((form) => all.some((part) => part.includes(form))))
      .map(({ text }) => `${name}: ${text}`);
  });
}

function unpacked(name: string, bytes: Buffer): Buffer[] {
  if (/\.(ldb|sst)$/.test(name)) return rowsOfTable(bytes);
  return /^(.*\/)?\d+\.log$/.test(name) ? [contentOfLog(bytes)] : [];
}

const FOOTER_BYTES = 48;
const TABLE_MAGIC = 0xdb4775248b80fb57n;
const PACKED = 1;
const unpack = snappyUncompressor();

/** Keys and values of a table, whole. */
function rowsOfTable(file: Buffer): Buffer[] {
  if (file.length < FOOTER_BYTES || file.readBigUInt64LE(file.length - 8) !== TABLE_MAGIC) return [];
  const footer = new Cursor(file.subarray(file.length - FOOTER_BYTES));
  const [meta, index] = [footer.handle(), footer.handle()];
  const blocks = [meta, index].flatMap((handle) => rowsOf(blockAt(file, handle)));
  return blocks.flatMap(({ value }) => rowsOf(blockAt(file, new Cursor(value).handle()))).map(({ all }) => all);
}

function blockAt(file: Buffer, { offset, size }: { offset: number; size: number }): Buffer {
  const block = file.subarray(offset, offset + size);
  if (file[offset + size] !== PACKED) return block;
  return Buffer.from(unpack(block, new Cursor(block).varint()));
}

function rowsOf(block: Buffer): { readonly value: Buffer; readonly all: Buffer }[] {
  const rows: { value: Buffer; all: Buffer }[] = [];
  const end = block.length - 4 * (1 + block.readUInt32LE(block.length - 4));
  let key = Buffer.alloc(0);
  for (const cursor = new Cursor(block); cursor.at < end; ) {
    const [shared, rest, size] = [cursor.varint(), cursor.varint(), cursor.varint()];
    key = Buffer.concat([key.subarray(0, shared), cursor.take(rest)]);
    const value = cursor.take(size);
    rows.push({ value, all: Buffer.concat([key, value]) });
  }
  return rows;
}

const LOG_BLOCK_BYTES = 32 * 1024;
const LOG_HEADER_BYTES = 7;

/** What was written, without the headers that stand between its pieces. */
function contentOfLog(file: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at + LOG_HEADER_BYTES <= file.length; ) {
    const left = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES);
    const size = file.readUInt16LE(at + 4);
    if (left >= LOG_HEADER_BYTES && size > 0)
      pieces.push(file.subarray(at + LOG_HEADER_BYTES, at + LOG_HEADER_BYTES + size));
    at += left < LOG_HEADER_BYTES || size === 0 ? left : LOG_HEADER_BYTES + size;
  }
  return Buffer.concat(pieces);
}

class Cursor {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  handle(): { offset: number; size: number } {
    return { offset: this.varint(), size: this.varint() };
  }

  take(size: number): Buffer {
    this.at += size;
    return this.#bytes.subarray(this.at - size, this.at);
  }
}
