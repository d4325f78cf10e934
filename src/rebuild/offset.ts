/** Offsets from the start of a scenario, as text: `+3d2h`. */
const unitsMs = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** Reads `+3d2h`: an offset in milliseconds; undefined for anything else. */
export function parseOffset(text: string): number | undefined {
  if (!/^\+([0-9]{1,9}(ms|[wdhms]))+$/.test(text)) {
    return undefined;
  }
  let offset = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|[wdhms])/g)) {
    offset += Number(count) * unitsMs[unit as keyof typeof unitsMs];
  }
  return offset;
}

/** Writes an offset in milliseconds as `+3d2h`; before the start with a minus. */
export function formatOffset(offsetMs: number): string {
  let rest = Math.abs(offsetMs);
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"] as const) {
    const count = Math.floor(rest / unitsMs[unit]);
    rest -= count * unitsMs[unit];
    text += count > 0 ? `${count}${unit}` : "";
  }
  return (offsetMs < 0 ? "-" : "+") + (text === "" ? "0h" : text);
}
