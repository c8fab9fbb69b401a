// The picture with its lane, for a person to look at.
import { PNG } from 'pngjs'
import type { Calibration } from './calibration.ts'
import { HEIGHT, type Lanes, WIDTH } from './frame.ts'

type Colour = readonly [number, number, number]

/** Of lines on white paint and on yellow paint; of the lane between them. */
const ON_WHITE: Colour = [255, 0, 0]
const ON_YELLOW: Colour = [255, 0, 255]
const LANE: Colour = [0, 200, 80]
const LANE_SHARE = 0.25
/** To either side of a line's middle, in pixels. */
const HALF_LINE = 1

/** A PNG of the frame: lines red on white paint, magenta on yellow, and the lane green where both are known. */
export function drawLanes(pixels: Uint8Array, { left, right }: Lanes, calibration: Calibration): Uint8Array {
  const png = new PNG({ width: WIDTH, height: HEIGHT })
  for (let index = 0; index < WIDTH * HEIGHT; index++)
    png.data.set([...pixels.subarray(index * 3, index * 3 + 3), 255], index * 4)
  const { horizonRow, topRow } = calibration
  for (let y = topRow; y < HEIGHT; y++) {
    const share = (y - horizonRow) / (HEIGHT - 1 - horizonRow)
    const [a, b] = [left, right].map(line =>
      line === null ? null : (line.atHorizon + (line.atBottom - line.atHorizon) * share) / 16,
    )
    if (a != null && b != null) paint(png, y, { from: a, to: b, colour: LANE, share: LANE_SHARE })
    for (const [x, line] of [
      [a, left],
      [b, right],
    ] as const) {
      if (x == null || line === null) continue
      const colour = line.colour === 'yellow' ? ON_YELLOW : ON_WHITE
      paint(png, y, { from: x - HALF_LINE, to: x + HALF_LINE, colour, share: 1 })
    }
  }
  return PNG.sync.write(png)
}

interface Stroke {
  readonly from: number
  readonly to: number
  readonly colour: Colour
  /** 1 covers what is there. */
  readonly share: number
}

function paint(png: PNG, y: number, { from, to, colour, share }: Stroke): void {
  const last = Math.min(WIDTH - 1, Math.round(to))
  for (let x = Math.max(0, Math.round(from)); x <= last; x++) {
    const at = (y * WIDTH + x) * 4
    for (const [channel, value] of colour.entries())
      png.data[at + channel] = Math.round(png.data[at + channel]! * (1 - share) + value * share)
  }
}
