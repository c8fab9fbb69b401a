// Which line most marks lie on: a Hough transform whose two parameters are the columns at the horizon and in the bottom
// row, so that every cell is a line that a road can have. A cell's neighbours count against it: grass votes for all.
import { BOTTOM, HORIZON_REACH } from './layout'
import { pointCount, rowOf, twiceOf } from './marks'
import { horizonColumn, horizonRow, minRows } from './settings'

/** Columns of the horizon, two pixels apart. */
const FAR_STEPS: i32 = HORIZON_REACH
/** Of the bottom row, in bins of eight pixels from -512 on. */
const NEAR_BINS: i32 = 192
const NEAR_FROM: i32 = -512

/** 16 bits each; a margin so that neighbours of the first and last can be read. */
const VOTES_SIZE: i32 = FAR_STEPS * NEAR_BINS * 2
const VOTES: usize = memory.data(VOTES_SIZE + 64, 16) + 32

/** The best cell of the last search. */
export let far: i32 = 0
export let near: i32 = 0

export function countVotes(): void {
  memory.fill(VOTES, 0, VOTES_SIZE)
  const whole = (BOTTOM - horizonRow) << 12
  const first = horizonColumn - HORIZON_REACH
  let row = -1
  let scale = 0
  for (let index = 0; index < pointCount; index++) {
    if (rowOf(index) != row) {
      row = rowOf(index)
      scale = whole / (row - horizonRow)
    }
    let offset = (twiceOf(index) - 2 * first) * scale
    let column = first - NEAR_FROM
    let cells = VOTES
    for (let step = 0; step < FAR_STEPS; step++) {
      const bin = (column + (offset >> 13)) >> 3
      if (<u32>bin < <u32>NEAR_BINS) {
        const cell = cells + (<usize>bin << 1)
        store<u16>(cell, load<u16>(cell) + 1)
      }
      offset -= scale << 2
      column += 2
      cells += NEAR_BINS * 2
    }
  }
}

/** Among lines that cross the bottom row between two columns; false if none has enough votes. */
export function findStrongest(from: i32, to: i32): bool {
  const firstBin = (from - NEAR_FROM) >> 3
  const lastBin = (to - NEAR_FROM) >> 3
  let best = 0
  for (let step = 0; step < FAR_STEPS; step++) {
    const cells = VOTES + <usize>(step * NEAR_BINS * 2)
    for (let bin = firstBin; bin < lastBin; bin += 8) {
      const at = cells + (<usize>bin << 1)
      const both = i16x8.add(v128.load(at), v128.load(at, 2))
      const before = i16x8.add(v128.load(at - 4), v128.load(at - 2))
      const after = i16x8.add(v128.load(at, 4), v128.load(at, 6))
      const scores = i16x8.sub(i16x8.shl(both, 1), i16x8.add(before, after))
      const enough = i16x8.gt_s(both, i16x8.splat(<i16>(minRows - 1)))
      let lanes: u32 = i16x8.bitmask(v128.and(enough, i16x8.gt_s(scores, i16x8.splat(<i16>best))))
      while (lanes != 0) {
        const lane = <i32>ctz(lanes)
        lanes &= lanes - 1
        if (bin + lane >= lastBin) break
        const score = scoreAt(at + (<usize>lane << 1))
        if (score <= best) continue
        best = score
        far = horizonColumn - HORIZON_REACH + 2 * step
        near = ((bin + lane) << 3) + 8 + NEAR_FROM
      }
    }
  }
  return best > 0
}

function scoreAt(at: usize): i32 {
  const both = <i32>load<u16>(at) + <i32>load<u16>(at, 2)
  const before = <i32>load<u16>(at - 4) + <i32>load<u16>(at - 2)
  const after = <i32>load<u16>(at, 4) + <i32>load<u16>(at, 6)
  return 2 * both - before - after
}
