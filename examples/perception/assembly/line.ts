// One lane line: from the cell with most votes to a line through the marks, by least squares, in whole numbers.
// Slants are in 1/65536 of half a pixel, so that no rounding depends on the machine.
import { BOTTOM, HEIGHT, WIDTH } from './layout'
import { pointCount, rowOf, twiceOf } from './marks'
import { horizonRow, maxDeviation, minRows, minSpan, yellow } from './settings'
import { far, findStrongest, near } from './votes'

/** Of one line in an answer: at the horizon 4, in the bottom row 4, deviation 2, rows 2, span 2, zero 2. */
export const LINE_SIZE: i32 = 16

/** Indices of the points that the line goes through, one in a row at most. */
const CHOSEN: usize = memory.data(HEIGHT * 4, 16)
let chosenCount: i32 = 0

/** The line: where it is at the horizon, and how far it moves with each row. */
let lineAt: i64 = 0
let lineEach: i64 = 0

let isYellow: bool = false

/** Writes a line that crosses the bottom row between two columns: 0 if there is none, 1 white, 2 yellow. */
export function findLine(pixels: usize, from: i32, to: i32, out: usize): i32 {
  if (!findStrongest(from, to)) return 0
  lineAt = <i64>far << 17
  lineEach = floorDivide(<i64>(near - far) << 17, BOTTOM - horizonRow)
  for (let pass = 0; pass < 3; pass++) {
    chooseNearest(pass == 0)
    if (!fit()) return 0
  }
  if (isClutter() || !describe(pixels, from, to, out)) return 0
  return isYellow ? 2 : 1
}

@inline function fine(depth: i32): i32 {
  return 3 + (depth >> 4)
}

@inline function distanceOf(index: i32): i64 {
  const line = lineAt + lineEach * <i64>(rowOf(index) - horizonRow)
  return abs((<i64>twiceOf(index) << 16) - line)
}

@inline function chosen(index: i32): i32 {
  return load<i32>(CHOSEN + (<usize>index << 2))
}

/** Of each row the point that is nearest to the line, where one is near enough; the first of two. */
function chooseNearest(isCoarse: bool): void {
  chosenCount = 0
  let row = -1
  let least: i64 = 0
  for (let index = 0; index < pointCount; index++) {
    const depth = rowOf(index) - horizonRow
    const tolerance = isCoarse ? 4 + depth / 6 : fine(depth)
    const distance = distanceOf(index)
    if (distance > <i64>tolerance << 16) continue
    const isFirst = rowOf(index) != row
    if (!isFirst && distance >= least) continue
    if (isFirst) chosenCount++
    row = rowOf(index)
    least = distance
    store<i32>(CHOSEN + (<usize>(chosenCount - 1) << 2), index)
  }
}

/** Least squares through the chosen points, which are of different rows; false if they are too few. */
function fit(): bool {
  if (chosenCount < minRows) return false
  let sumD: i64 = 0
  let sumX: i64 = 0
  let sumDD: i64 = 0
  let sumDX: i64 = 0
  for (let index = 0; index < chosenCount; index++) {
    const depth: i64 = rowOf(chosen(index)) - horizonRow
    const twice: i64 = twiceOf(chosen(index))
    sumD += depth
    sumX += twice
    sumDD += depth * depth
    sumDX += depth * twice
  }
  const n: i64 = chosenCount
  const divisor = n * sumDD - sumD * sumD
  lineAt = floorDivide((sumX * sumDD - sumD * sumDX) << 16, divisor)
  lineEach = floorDivide((n * sumDX - sumD * sumX) << 16, divisor)
  return true
}

/** Grass and gravel: marks all around, or marks that do not go on from one row to the next. */
function isClutter(): bool {
  let crowd = 0
  for (let index = 0; index < pointCount; index++) {
    const tolerance = <i64>fine(rowOf(index) - horizonRow) << 16
    const distance = distanceOf(index)
    if (distance > tolerance && distance <= tolerance << 2) crowd++
  }
  let continued = 0
  for (let index = 1; index < chosenCount; index++)
    if (rowOf(chosen(index)) == rowOf(chosen(index - 1)) + 1) continued++
  return crowd * 4 > chosenCount || continued * 2 < chosenCount
}

/** Writes the line; false if it is not one that a lane can have. */
function describe(pixels: usize, from: i32, to: i32, out: usize): bool {
  let distances: i64 = 0
  let yellows = 0
  for (let index = 0; index < chosenCount; index++) {
    const point = chosen(index)
    distances += distanceOf(point)
    const at = pixels + <usize>((rowOf(point) * WIDTH + (twiceOf(point) >> 1)) * 3)
    if (<i32>load<u8>(at) - <i32>load<u8>(at, 2) > yellow) yellows++
  }
  isYellow = yellows * 2 > chosenCount
  const atHorizon = lineAt >> 13
  const atBottom = (lineAt + lineEach * <i64>(BOTTOM - horizonRow)) >> 13
  const deviation = <i32>(distances / (<i64>chosenCount << 13))
  const span = rowOf(chosen(chosenCount - 1)) - rowOf(chosen(0))
  if (atBottom < <i64>from << 4 || atBottom > <i64>to << 4) return false
  if (span < minSpan || deviation > maxDeviation) return false
  store<i32>(out, <i32>atHorizon)
  store<i32>(out, <i32>atBottom, 4)
  store<u16>(out, <u16>deviation, 8)
  store<u16>(out, <u16>chosenCount, 10)
  store<u16>(out, <u16>span, 12)
  store<u16>(out, 0, 14)
  return true
}

/** Rounds down, where division rounds towards zero; the divisor is positive. */
function floorDivide(a: i64, b: i64): i64 {
  const quotient = a / b
  return a < 0 && quotient * b != a ? quotient - 1 : quotient
}
