/** Arithmetic that compiling and folding share. */

/** Points of one match are held to this size, as large as any number of a model: so sums stay exact to three decimals. */
export const matchPointsMax = 1e9;

export function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

/** What one match is worth, held to a size at which sums stay exact; what is no number is worth nothing. */
export function matchPoints(points: number, multiplier: number, weight: number): number {
  const value = points * multiplier * weight;
  if (value >= -matchPointsMax && value <= matchPointsMax) return value;
  if (Number.isNaN(value)) return 0;
  return value > 0 ? matchPointsMax : -matchPointsMax;
}
