// Figures of several rounds as an example shows them: the middle one, and how far they lie apart.

/** Nearest rank; NaN of no values. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}

/** `middle unit (lowest to highest)`; of one value that alone. */
export function spreadOf(values: readonly number[], shown: (value: number) => string, unit = ''): string {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, middle, high] = [0, 0.5, 1].map(part => shown(quantile(sorted, part)))
  return sorted.length === 1 ? `${middle}${unit}` : `${middle}${unit} (${low} to ${high})`
}

/** Whole, with thousands apart. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
