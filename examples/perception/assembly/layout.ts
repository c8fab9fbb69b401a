// The one picture format, and the memory of the detector: all of it is set aside once, nothing is allocated for a frame.

export const WIDTH: i32 = 512
export const HEIGHT: i32 = 288
/** RGB, rows from the top, no padding. */
export const FRAME_SIZE: i32 = WIDTH * HEIGHT * 3
export const BOTTOM: i32 = HEIGHT - 1

/** Columns to either side of the middle of the horizon in which lines may end. */
export const HORIZON_REACH: i32 = 48

/** Highest `maxRuns` that a calibration may have. */
export const MAX_RUNS: i32 = 32
/** Of a frame: `MAX_RUNS` in every row, and as many as fit into one before they are counted. */
export const MAX_POINTS: i32 = HEIGHT * MAX_RUNS + WIDTH / 2
