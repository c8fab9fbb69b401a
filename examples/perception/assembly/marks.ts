// Marks that could be paint: in each row, runs of pixels that are brighter than those to the left and to the right of them,
// a little farther than a marking is wide there; so no run is longer than that. Sixteen pixels at a time; a row stays in the first-level cache throughout.
import { BOTTOM, HORIZON_REACH, MAX_POINTS, WIDTH } from './layout'
import { contrast, horizonColumn, horizonRow, leftFrom, maxRuns, rightTo, topRow } from './settings'

/** Beyond either side of a row: neither paint nor road, but brighter than any paint. */
const MARGIN: i32 = 64
const SMOOTH: usize = memory.data(WIDTH + 2 * MARGIN, 16) + MARGIN
/** One column more on either side, and as much as the last store of 16 goes beyond. */
const BRIGHT: usize = memory.data(WIDTH + 32, 16) + 16

/** Middles of runs, rows from the top and from left to right in each: row, and twice the column. */
export const POINTS: usize = memory.data(MAX_POINTS * 4, 16)
export let pointCount: i32 = 0

memory.fill(SMOOTH - MARGIN, 255, WIDTH + 2 * MARGIN)

@inline export function rowOf(index: i32): i32 {
  return <i32>load<u16>(POINTS + (<usize>index << 2))
}

@inline export function twiceOf(index: i32): i32 {
  return <i32>load<u16>(POINTS + (<usize>index << 2), 2)
}

export function findMarks(pixels: usize): void {
  pointCount = 0
  for (let row = topRow; row <= BOTTOM; row++) {
    const depth = row - horizonRow
    const reach = 3 + (depth >> 3)
    const from = max(0, edge(depth, horizonColumn - HORIZON_REACH, leftFrom) & ~15)
    const to = min(WIDTH, (edge(depth, horizonColumn + HORIZON_REACH, rightTo) + 16) & ~15)
    smooth(pixels + <usize>(row * WIDTH * 3), max(0, (from - reach) & ~15), min(WIDTH, (to + reach + 15) & ~15))
    const before = pointCount
    findRuns(row, reach, from, to)
    if (pointCount - before > maxRuns) pointCount = before
  }
}

/** Where the outermost line that is looked for crosses a row. */
function edge(depth: i32, far: i32, near: i32): i32 {
  const whole = BOTTOM - horizonRow
  const product = (near - far) * depth
  // Rounds down, where division rounds towards zero.
  return far + (product >= 0 ? product / whole : -((-product + whole - 1) / whole))
}

/** Brightness as the mean of red and green, in which white and yellow both stand out; then 1-2-1 over columns. */
function smooth(row: usize, from: i32, to: i32): void {
  const first = max(0, from - 16)
  const last = min(WIDTH, to + 16)
  for (let x = first; x < last; x += 16) v128.store(BRIGHT + <usize>x, bright(row + <usize>(x * 3)))
  store<u8>(BRIGHT - 1, load<u8>(BRIGHT))
  store<u8>(BRIGHT + WIDTH, load<u8>(BRIGHT + WIDTH - 1))
  for (let x = from; x < to; x += 16) {
    const at = BRIGHT + <usize>x
    const sides = i8x16.avgr_u(v128.load(at - 1), v128.load(at + 1))
    v128.store(SMOOTH + <usize>x, i8x16.avgr_u(sides, v128.load(at)))
  }
}

/** Sixteen pixels of three bytes: each byte's mean with the next one, of which every third is red with green. */
@inline function bright(at: usize): v128 {
  const a = i8x16.avgr_u(v128.load(at), v128.load(at, 1))
  const b = i8x16.avgr_u(v128.load(at, 16), v128.load(at, 17))
  // From 31, so that nothing beyond the sixteenth pixel is read.
  const c = i8x16.avgr_u(v128.load(at, 31), v128.load(at, 32))
  const ab = v128.shuffle<u8>(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0)
  return v128.shuffle<u8>(ab, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30)
}

function findRuns(row: i32, reach: i32, from: i32, to: i32): void {
  const limit = i8x16.splat(<i8>contrast)
  let start: i32 = -1
  let carry: u32 = 0
  for (let x = from; x < to; x += 16) {
    const at = SMOOTH + <usize>x
    const sides = v128.max<u8>(v128.load(at - <usize>reach), v128.load(at + <usize>reach))
    const above = v128.sub_sat<u8>(v128.sub_sat<u8>(v128.load(at), sides), limit)
    const marks: u32 = i8x16.bitmask(i8x16.ne(above, i8x16.splat(0)))
    // Bits where a run begins or has ended.
    let edges = (marks ^ ((marks << 1) | carry)) & 0xffff
    carry = marks >> 15
    while (edges != 0) {
      const column = x + <i32>ctz(edges)
      edges &= edges - 1
      if (start < 0) {
        start = column
      } else {
        addRun(row, start, column)
        start = -1
      }
    }
  }
  if (start >= 0) addRun(row, start, to)
}

@inline function addRun(row: i32, start: i32, end: i32): void {
  // A single pixel is noise.
  if (end - start < 2) return
  const at = POINTS + (<usize>pointCount << 2)
  store<u16>(at, <u16>row)
  store<u16>(at, <u16>(start + end - 1), 2)
  pointCount++
}
