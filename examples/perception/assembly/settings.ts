// The calibration: how the camera is mounted and what counts as a line. It comes sealed; README.md describes it.
import { HEIGHT, HORIZON_REACH, MAX_RUNS, WIDTH } from './layout'

/** Magic "CMCALIB1", then 15 signed numbers of 2 bytes, little-endian, in the order below. */
export const SETTINGS_SIZE: i32 = 8 + 15 * 2
const MAGIC: u64 = 0x3142494c41434d43

/** Row where the parallel lines of a road meet, and the column in which they do so on average. */
export let horizonRow: i32 = 0
export let horizonColumn: i32 = 0
/** First row that is looked at. */
export let topRow: i32 = 0
/** By how much paint must be brighter than what is beside it. */
export let contrast: i32 = 0
/** By how much red must exceed blue in yellow paint. */
export let yellow: i32 = 0
/** Rows with more marks than this are not looked at. */
export let maxRuns: i32 = 0
/** A line must have so many rows with a mark, rows from first to last, and marks so close to it, in 1/16 pixel. */
export let minRows: i32 = 0
export let minSpan: i32 = 0
export let maxDeviation: i32 = 0
/** Columns in which lines may cross the bottom row; beyond the picture too. */
export let leftFrom: i32 = 0
export let leftTo: i32 = 0
export let rightFrom: i32 = 0
export let rightTo: i32 = 0
/** Of a lane in the bottom row, in pixels. */
export let minWidth: i32 = 0
export let maxWidth: i32 = 0

export let isCalibrated: bool = false

/** False, and nothing changed, where these are no settings that the detector can work with. */
export function setSettings(at: usize, length: i32): bool {
  if (length != SETTINGS_SIZE || load<u64>(at) != MAGIC || !areInRange(at + 8)) return false
  horizonRow = field(at + 8, 0)
  horizonColumn = field(at + 8, 1)
  topRow = field(at + 8, 2)
  contrast = field(at + 8, 3)
  yellow = field(at + 8, 4)
  maxRuns = field(at + 8, 5)
  minRows = field(at + 8, 6)
  minSpan = field(at + 8, 7)
  maxDeviation = field(at + 8, 8)
  leftFrom = field(at + 8, 9)
  leftTo = field(at + 8, 10)
  rightFrom = field(at + 8, 11)
  rightTo = field(at + 8, 12)
  minWidth = field(at + 8, 13)
  maxWidth = field(at + 8, 14)
  isCalibrated = true
  return true
}

/** The arithmetic of the detector holds for these and no others. */
function areInRange(at: usize): bool {
  return (
    isWithin(at, 0, 0, HEIGHT - 40) &&
    isWithin(at, 1, HORIZON_REACH, WIDTH - HORIZON_REACH) &&
    isWithin(at, 2, field(at, 0) + 8, HEIGHT - 16) &&
    isWithin(at, 3, 1, 254) &&
    isWithin(at, 4, 0, 255) &&
    isWithin(at, 5, 1, MAX_RUNS) &&
    isWithin(at, 6, 2, HEIGHT) &&
    isWithin(at, 7, 1, HEIGHT) &&
    isWithin(at, 8, 0, 255) &&
    isWithin(at, 9, -480, field(at, 10) - 8) &&
    isWithin(at, 10, -480, field(at, 11)) &&
    isWithin(at, 11, -480, field(at, 12) - 8) &&
    isWithin(at, 12, -480, 992) &&
    isWithin(at, 13, 0, field(at, 14)) &&
    isWithin(at, 14, 0, 1472)
  )
}

function isWithin(at: usize, index: i32, from: i32, to: i32): bool {
  const value = field(at, index)
  return value >= from && value <= to
}

function field(at: usize, index: i32): i32 {
  return <i32>load<i16>(at + (<usize>index << 1))
}
