/** Comma-separated values as RFC 4180 has them. */

/**
 * One line, ended by CR LF. A text that a spreadsheet would take for a formula gets an apostrophe in front, so that
 * opening an export can't run what a contact wrote into a form (OWASP: CSV injection).
 */
export function csvLine(values: readonly (string | number | boolean)[]): string {
  return `${values.map(csvField).join(",")}\r\n`;
}

function csvField(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
