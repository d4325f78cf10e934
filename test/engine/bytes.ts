/** Every byte of every file of a directory, searched for texts in the forms in which they may lie there. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** A text as it may be written: as it is, inside JSON, with all but ASCII escaped, percent-encoded, in UTF-16. */
function forms(text: string): Buffer[] {
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const texts = [text, json, JSON.stringify(json).slice(1, -1), ascii, encodeURIComponent(text), encodeURI(text)];
  return [...new Set(texts)].map((form) => Buffer.from(form)).concat(Buffer.from(text, "utf16le"));
}

/** `file: text` for each file of the directory that holds one of the texts, in any form, in its bytes or its name. */
export function placesOf(directory: string, texts: readonly string[]): string[] {
  const sought = texts.map((text) => ({ text, forms: forms(text) }));
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return names.flatMap((name) => {
    const path = join(directory, name);
    const bytes = statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
    return sought
      .filter((one) => one.forms.some((form) => bytes.includes(form) || name.includes(form.toString())))
      .map(({ text }) => `${name}: ${text}`);
  });
}
