// Road scenes that are drawn, not photographed, so that the example runs without pictures and has a truth to be measured by:
// a pinhole camera over a flat road, with lane markings of paint, dry grass, shadows, cars and the noise of a sensor.
// One seed always draws one scene.
import { HEIGHT, WIDTH } from './frame.ts'

/** Of the camera, in metres; with it a marking of 15 cm is an eighth as wide as it is below the horizon. */
const CAMERA_HEIGHT = 1.2
/** Of the camera, in pixels: some 60 degrees. */
const FOCAL_LENGTH = 443
const MARKING_WIDTH = 0.15
/** Dashes, in metres: what is painted, and from one to the next. */
const DASH = 3.05
const DASH_PERIOD = 12.2

export interface TrueLine {
  /** Columns where the middle of the marking crosses the horizon and the bottom row. */
  readonly atHorizon: number
  readonly atBottom: number
  readonly colour: 'white' | 'yellow'
  readonly style: 'solid' | 'dashed'
}

export interface Scene {
  /** RGB, rows from the top. */
  readonly pixels: Uint8Array<ArrayBuffer>
  readonly horizonRow: number
  readonly left: TrueLine
  readonly right: TrueLine
}

type Random = () => number
type Colour = readonly [number, number, number]

const PAINT: Readonly<Record<TrueLine['colour'], Colour>> = { white: [235, 235, 230], yellow: [230, 175, 45] }

/** The scene of that seed. */
export function drawRoad(seed: number): Scene {
  const random = generator(seed)
  const horizonRow = 165
  const horizonColumn = 256 + between(random, -20, 20)
  const laneWidth = between(random, 3.5, 3.75)
  const leftAt = -laneWidth / 2 + between(random, -0.5, 0.5)
  const line = (metres: number, colour: TrueLine['colour'], style: TrueLine['style']): TrueLine => ({
    atHorizon: horizonColumn,
    atBottom: horizonColumn + (metres / CAMERA_HEIGHT) * (HEIGHT - 1 - horizonRow),
    colour,
    style,
  })
  const left = line(leftAt, random() < 0.5 ? 'yellow' : 'white', random() < 0.5 ? 'solid' : 'dashed')
  const right = line(leftAt + laneWidth, 'white', random() < 0.5 ? 'solid' : 'dashed')
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3)
  const next = line(leftAt + 2 * laneWidth, 'white', 'dashed')
  paintGround(pixels, { random, horizonRow, shoulder: line(leftAt - 1.2, 'white', 'solid') })
  for (const each of [left, right, next]) paintLine(pixels, { line: each, horizonRow, random })
  const shadows = Math.floor(between(random, 0, 4))
  for (let index = 0; index < shadows; index++) paintShadow(pixels, horizonRow, random)
  paintCar(pixels, { horizonRow, horizonColumn, random })
  addNoise(pixels, between(random, 1, 7), random)
  return { pixels, horizonRow, left, right }
}

/** mulberry32: small, and the same everywhere. */
export function generator(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function between(random: Random, from: number, to: number): number {
  return from + (to - from) * random()
}

interface Ground {
  readonly random: Random
  readonly horizonRow: number
  /** Where asphalt ends and dry grass begins. */
  readonly shoulder: TrueLine
}

function paintGround(pixels: Uint8Array, { random, horizonRow, shoulder }: Ground): void {
  const asphalt = between(random, 60, 110)
  for (let y = 0; y < HEIGHT; y++) {
    const edge = columnOf(shoulder, y, horizonRow)
    for (let x = 0; x < WIDTH; x++) {
      if (y < horizonRow) put(pixels, x, y, [90 + y / 3, 140 + y / 3, 200])
      else if (x < edge) put(pixels, x, y, tinted([185, 160, 110], between(random, 0.7, 1.15)))
      else put(pixels, x, y, [asphalt, asphalt, asphalt + 4])
    }
  }
}

interface Marking {
  readonly line: TrueLine
  readonly horizonRow: number
  readonly random: Random
}

function paintLine(pixels: Uint8Array, { line, horizonRow, random }: Marking): void {
  const phase = random() * DASH_PERIOD
  const wear = between(random, 0.8, 1)
  for (let y = horizonRow + 2; y < HEIGHT; y++) {
    const metres = (CAMERA_HEIGHT * FOCAL_LENGTH) / (y - horizonRow)
    if (line.style === 'dashed' && (metres + phase) % DASH_PERIOD > DASH) continue
    const middle = columnOf(line, y, horizonRow)
    const half = ((MARKING_WIDTH / CAMERA_HEIGHT) * (y - horizonRow)) / 2
    for (let x = Math.ceil(middle - half - 1); x <= middle + half + 1; x++) {
      // How much of the pixel is covered.
      const share = Math.min(1, Math.max(0, half + 0.5 - Math.abs(x - middle)))
      if (x >= 0 && x < WIDTH) blend(pixels, offsetOf(x, y), tinted(PAINT[line.colour], wear), share)
    }
  }
}

/** A band across the road, as of a tree or a bridge. */
function paintShadow(pixels: Uint8Array, horizonRow: number, random: Random): void {
  const row = between(random, horizonRow + 10, HEIGHT)
  const slope = between(random, -0.2, 0.2)
  const height = between(random, 4, 25)
  const darkness = between(random, 0.55, 0.85)
  for (let x = 0; x < WIDTH; x++) {
    const top = Math.round(row + slope * (x - WIDTH / 2))
    for (let y = Math.max(horizonRow, top); y < Math.min(HEIGHT, top + height); y++)
      blend(pixels, offsetOf(x, y), [0, 0, 0], 1 - darkness)
  }
}

/** Far ahead, where it hides little. */
function paintCar(
  pixels: Uint8Array,
  { horizonRow, horizonColumn, random }: { horizonRow: number; horizonColumn: number; random: Random },
): void {
  const size = between(random, 10, 22)
  const x0 = Math.round(horizonColumn - size / 2 + between(random, -4, 4))
  const y0 = Math.round(horizonRow + size * 0.6 - size * 0.8)
  const colour: Colour = random() < 0.5 ? [230, 230, 235] : [120, 30, 35]
  for (let y = y0; y < y0 + size * 0.8; y++)
    for (let x = x0; x < x0 + size; x++) put(pixels, x, y, y < y0 + size * 0.35 ? [40, 45, 50] : colour)
}

function addNoise(pixels: Uint8Array, amount: number, random: Random): void {
  for (let index = 0; index < pixels.length; index++) {
    // The sum of three is near enough to a bell.
    const noise = (random() + random() + random() - 1.5) * 2 * amount
    pixels[index] = clamp(pixels[index]! + noise)
  }
}

/** The column of a line in a row. */
export function columnOf(
  { atHorizon, atBottom }: Pick<TrueLine, 'atHorizon' | 'atBottom'>,
  row: number,
  horizonRow: number,
): number {
  return atHorizon + ((atBottom - atHorizon) * (row - horizonRow)) / (HEIGHT - 1 - horizonRow)
}

function tinted(colour: Colour, factor: number): Colour {
  return [colour[0] * factor, colour[1] * factor, colour[2] * factor]
}

function put(pixels: Uint8Array, x: number, y: number, colour: Colour): void {
  const at = offsetOf(x, y)
  for (let channel = 0; channel < 3; channel++) pixels[at + channel] = clamp(colour[channel]!)
}

/** Paint over a share of what is there. */
function blend(pixels: Uint8Array, at: number, colour: Colour, share: number): void {
  for (const [channel, value] of colour.entries())
    pixels[at + channel] = clamp(pixels[at + channel]! * (1 - share) + value * share)
}

function offsetOf(x: number, y: number): number {
  return (y * WIDTH + x) * 3
}

function clamp(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)))
}
