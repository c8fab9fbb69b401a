// Windows of time, both ends inclusive, in milliseconds since 1970. Where nothing at hand is in its window, the nearest in
// time is looked at first: it is the one that a person meant, and the one that a refusal names.

export interface Window {
  readonly begin: number
  readonly end: number
}

/** How far `now` is outside of a window; 0 within. */
export function distanceTo({ begin, end }: Window, now: number): number {
  return Math.max(0, begin - now, now - end)
}

/** The same items, those in their windows first in the order in which they stand, then the others by their distance. */
export function nearestFirst<T>(
  items: readonly T[],
  windowOf: (item: T) => Window,
  now: number,
): readonly T[] {
  if (items.length < 2) return items
  const distance = new Map(items.map(item => [item, distanceTo(windowOf(item), now)]))
  return items.toSorted((a, b) => (distance.get(a) ?? 0) - (distance.get(b) ?? 0))
}
