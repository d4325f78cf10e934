/** Finds what a misspelt name was probably meant to be. */

/**
 * The name nearest to `text` by edits (a letter added, left out, changed, or two neighbours swapped), ignoring case; or
 * undefined when none is near: more than a third of the letters differ.
 */
export function nearestName(text: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const allowed = Math.max(1, Math.floor(Math.max(name.length, text.length) / 3));
    // Lengths too far apart: no need to count, and a very long text costs nothing.
    if (Math.abs(name.length - text.length) > allowed) continue;
    const edits = editsBetween(text.toLowerCase(), name.toLowerCase());
    if (edits <= allowed && edits < fewest) {
      fewest = edits;
      nearest = name;
    }
  }
  return nearest;
}

function editsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(changed, (last[j] as number) + 1, (row[j - 1] as number) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] as number) + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] as number;
}
