// The known name that a misspelt one most likely meant.

/** Farther than this it is a guess, not a suggestion. */
const MAX_DISTANCE = 4

export function nearestName(name: string, known: readonly string[]): string | null {
  let best: { readonly name: string; readonly distance: number } | null = null
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance <= MAX_DISTANCE && (best === null || distance < best.distance))
      best = { name: candidate, distance }
  }
  return best?.name ?? null
}

/** Levenshtein’s, row by row. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
