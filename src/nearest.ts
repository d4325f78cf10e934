/** What someone probably meant: the known name with the fewest letters to change, if they are few. */

/** Longer names are not compared: a suggestion for them would be chance. */
const nameLengthMax = 64;

/** The known name nearest to `name` (letters changed, added, left out or swapped; case free), or undefined. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > nameLengthMax) {
    return undefined;
  }
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) {
      continue;
    }
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

/** `; did you mean \`x\`?`, or the list of what is known. */
export function suggestion(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) {
    return `; did you mean \`${near}\`?`;
  }
  return known.length === 0 ? "" : `; known: ${known.slice(0, 30).join(", ")}${known.length > 30 ? ", ..." : ""}`;
}

/** Optimal string alignment: a swap of two neighbours is one change. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
