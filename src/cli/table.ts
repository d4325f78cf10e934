/** Tables for people. */
import { visible } from "./io.js";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Longer texts end in an ellipsis. */
  readonly widthMax?: number;
}

/**
 * @param rows texts, one a column; control characters are shown, not sent
 * @returns lines with a final newline; the title line is underlined by its own width
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => columns.map(({ widthMax }, i) => shortened(visible(row[i] ?? ""), widthMax)));
  const widths = columns.map(({ title }, i) => Math.max(width(title), ...cells.map((row) => width(row[i] ?? ""))));
  const line = (row: readonly string[]): string =>
    columns
      .map(({ align }, i) => {
        const cell = row[i] ?? "";
        const blanks = " ".repeat(Math.max(0, (widths[i] ?? 0) - width(cell)));
        return align === "right" ? blanks + cell : cell + blanks;
      })
      .join("  ")
      .trimEnd();
  return `${[line(columns.map(({ title }) => title)), line(widths.map((length) => "-".repeat(length))), ...cells.map(line)].join("\n")}\n`;
}

/** Columns a text takes on a terminal: wide characters and pictures take two, combining marks none. */
export function width(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{M}|\u200d|\ufe0f/u.test(character)) continue;
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return columns;
}

function shortened(text: string, widthMax: number | undefined): string {
  if (widthMax === undefined || width(text) <= widthMax) return text;
  const characters = [...text];
  while (width(characters.join("")) >= widthMax) characters.pop();
  return `${characters.join("")}…`;
}

/** `1234567` as `1,234,567`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A count with its noun: `1 contact`, `2 contacts`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(count)} ${count === 1 ? noun : plural}`;
}

/** Points with their sign, at most three decimals: `+10`, `-2.5`. */
export function signed(points: number): string {
  const rounded = Math.round(points * 1000) / 1000;
  return `${rounded < 0 ? "" : "+"}${rounded === 0 ? 0 : rounded}`;
}

/** `23 MB`: for people. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ["kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes / 1000, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
