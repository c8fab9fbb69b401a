// Which ranges of leaves a proof of RFC 9162 sections 2.1.3.1 and 2.1.4.1 has the hashes of, and in which tile the
// hashes of a range are found: the arithmetic that a log and whoever reads its tiles have in common.
import { TILE_HEIGHT, TILE_WIDTH } from './tile.ts'

/** Leaves from `start` up to and without `end`; `start` is a multiple of the power of two above their number. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** Hashes in one tile, a power of two of them, whose root is that of a complete subtree. */
export interface TilePart {
  readonly level: number
  /** Of the tile within its level. */
  readonly position: number
  readonly offset: number
  readonly count: number
}

/** The hashes of the inclusion proof, from the leaf to the root; `index` is below `size`. */
export function inclusionRanges(index: number, size: number): Range[] {
  const ranges: Range[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      ranges.unshift({ start: middle, end })
      end = middle
    } else {
      ranges.unshift({ start, end: middle })
      start = middle
    }
  }
  return ranges
}

/** The hashes of the consistency proof, from the leaves to the root; `from` is not above `to`. */
export function consistencyRanges(from: number, to: number): Range[] {
  if (from === 0 || from === to) return []
  const ranges: Range[] = []
  let [start, end] = [0, to]
  while (from !== end) {
    const middle = start + splitOf(end - start)
    if (from <= middle) {
      ranges.unshift({ start: middle, end })
      end = middle
    } else {
      ranges.unshift({ start, end: middle })
      start = middle
    }
  }
  // Where the old tree is a complete subtree at the left edge, whoever checks has its root already.
  return start === 0 ? ranges : [{ start, end }, ...ranges]
}

/** The range's two parts, of which the left is a complete subtree; or where its hashes are, if it is one itself. */
export function partsOf({ start, end }: Range): TilePart | readonly [left: Range, right: Range] {
  const width = end - start
  const split = splitOf(width)
  if (width === 1 || split * 2 === width) return tilePart(Math.log2(width), start / width)
  const middle = start + split
  return [
    { start, end: middle },
    { start: middle, end },
  ]
}

/** Where the hashes are from which the root of a complete subtree of 2^level leaves is made. */
function tilePart(level: number, index: number): TilePart {
  const height = level % TILE_HEIGHT
  const count = 2 ** height
  const first = index * count
  const position = Math.floor(first / TILE_WIDTH)
  return { level: (level - height) / TILE_HEIGHT, position, offset: first % TILE_WIDTH, count }
}

/** The largest power of two below `width`, RFC 9162's k; 1 for 1. */
function splitOf(width: number): number {
  let split = 1
  while (split * 2 < width) split *= 2
  return split
}
