// Both lines of the lane that the camera drives in, or honestly fewer.
import { findLine, LINE_SIZE } from './line'
import { findMarks } from './marks'
import { leftFrom, leftTo, maxWidth, minWidth, rightFrom, rightTo } from './settings'
import { countVotes } from './votes'

/** Flags of an answer, and two lines; of a line that was not found all is zero. */
export const LANES_SIZE: i32 = 4 + 2 * LINE_SIZE

const LEFT: u32 = 1
const RIGHT: u32 = 2
const LEFT_YELLOW: u32 = 4
const RIGHT_YELLOW: u32 = 8

/** At most this far apart at the horizon, in 1/16 pixel. */
const MAX_APART: i32 = 32 * 16

export function findLanes(pixels: usize, out: usize): void {
  memory.fill(out, 0, LANES_SIZE)
  findMarks(pixels)
  countVotes()
  const left = out + 4
  const right = left + LINE_SIZE
  let leftColour = findLine(pixels, leftFrom, leftTo, left)
  let rightColour = findLine(pixels, rightFrom, rightTo, right)
  if (leftColour != 0 && rightColour != 0 && !isLane(left, right)) {
    if (load<u16>(left, 10) >= load<u16>(right, 10)) rightColour = 0
    else leftColour = 0
  }
  if (leftColour == 0) memory.fill(left, 0, LINE_SIZE)
  if (rightColour == 0) memory.fill(right, 0, LINE_SIZE)
  store<u32>(
    out,
    (leftColour != 0 ? LEFT : 0) |
      (rightColour != 0 ? RIGHT : 0) |
      (leftColour == 2 ? LEFT_YELLOW : 0) |
      (rightColour == 2 ? RIGHT_YELLOW : 0),
  )
}

/** As wide as a lane is, and together at the horizon. */
function isLane(left: usize, right: usize): bool {
  const width = load<i32>(right, 4) - load<i32>(left, 4)
  const apart = abs(load<i32>(right) - load<i32>(left))
  return width >= minWidth << 4 && width <= maxWidth << 4 && apart <= MAX_APART
}
