// Which known name an unknown one was probably meant to be: edit distance (Damerau’s, restricted), whatever the case.
// The one measure of the house, for names of fields, settings, commands and claims.

/** Longest name that is compared; anything longer is not a typing mistake. */
const MAX_NAME_CHARACTERS = 64

/** The known name that `typed` is most likely a slip of, or the beginning of; null where none is near enough. */
export function nearest(typed: string, known: Iterable<string>): string | null {
  if (typed.length > MAX_NAME_CHARACTERS) return null
  const wanted = typed.toLowerCase()
  let best: string | null = null
  let bestDistance = farthest(typed.length) + 1
  for (const name of known) {
    const candidate = name.toLowerCase()
    const isBeginning = wanted.length >= 2 && candidate.startsWith(wanted)
    const distance = isBeginning
      ? Math.min(1, candidate.length - wanted.length)
      : editDistance(wanted, candidate)
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** Of a short word, two other letters make another word; of a long one, a third may be wrong. */
function farthest(length: number): number {
  return length < 4 ? 1 : Math.max(2, Math.floor(length / 3))
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1)
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return at(last, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
