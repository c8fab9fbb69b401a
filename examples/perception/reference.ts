// The lane detector once more, written plainly from the README's section "How a lane is found": one pixel at a time,
// one loop for each step, nothing shared with the enclave's code. Its answers are the enclave's, to the last bit.

export interface ReferenceSettings {
  readonly horizonRow: number
  readonly horizonColumn: number
  readonly topRow: number
  readonly contrast: number
  readonly yellow: number
  readonly maxRuns: number
  readonly minRows: number
  readonly minSpan: number
  readonly maxDeviation: number
  readonly leftFrom: number
  readonly leftTo: number
  readonly rightFrom: number
  readonly rightTo: number
  readonly minWidth: number
  readonly maxWidth: number
}

export interface ReferenceLine {
  /** In sixteenths of a pixel, as is the deviation. */
  readonly atHorizon: number
  readonly atBottom: number
  readonly deviation: number
  readonly rows: number
  readonly span: number
  readonly colour: 'white' | 'yellow'
}

export interface ReferenceLanes {
  readonly left: ReferenceLine | null
  readonly right: ReferenceLine | null
}

const WIDTH = 512
const BOTTOM = 287
/** Columns to either side of the middle of the horizon in which lines may end. */
const HORIZON_REACH = 48

interface Point {
  readonly row: number
  /** Twice the column of the middle. */
  readonly twice: number
}

interface Frame {
  readonly pixels: Uint8Array
  readonly settings: ReferenceSettings
  readonly points: readonly Point[]
}

/** Where a line is in a row, in 1/65536 of half a pixel: at the horizon, and more for each row below it. */
interface Slant {
  readonly at: bigint
  readonly each: bigint
}

export function detectPlainly(pixels: Uint8Array, settings: ReferenceSettings): ReferenceLanes {
  const points: Point[] = []
  for (let row = settings.topRow; row <= BOTTOM; row++) points.push(...pointsOfRow(pixels, row, settings))
  const frame = { pixels, settings, points }
  const left = findLine(frame, settings.leftFrom, settings.leftTo)
  const right = findLine(frame, settings.rightFrom, settings.rightTo)
  if (left === null || right === null || isLane(left, right, settings)) return { left, right }
  return left.rows >= right.rows ? { left, right: null } : { left: null, right }
}

function pointsOfRow(pixels: Uint8Array, row: number, s: ReferenceSettings): Point[] {
  const depth = row - s.horizonRow
  const reach = 3 + Math.floor(depth / 8)
  const smooth = smoothRow(brightRow(pixels, row))
  const at = (x: number) => (x < 0 || x >= WIDTH ? 255 : smooth[x]!)
  const [from, to] = columnsOfRow(depth, s)
  const points: Point[] = []
  let length = 0
  for (let x = from; x <= to; x++) {
    const isMarked = x < to && at(x) - Math.max(at(x - reach), at(x + reach)) > s.contrast
    if (isMarked) {
      length++
      continue
    }
    if (length >= 2) points.push({ row, twice: x - length + (x - 1) })
    length = 0
  }
  return points.length > s.maxRuns ? [] : points
}

function brightRow(pixels: Uint8Array, row: number): number[] {
  return Array.from({ length: WIDTH }, (_, x) => {
    const at = (row * WIDTH + x) * 3
    return Math.ceil((pixels[at]! + pixels[at + 1]!) / 2)
  })
}

function smoothRow(bright: readonly number[]): number[] {
  return bright.map((value, x) => {
    const before = bright[Math.max(x - 1, 0)]!
    const after = bright[Math.min(x + 1, WIDTH - 1)]!
    return Math.ceil((Math.ceil((before + after) / 2) + value) / 2)
  })
}

/** The part of a row that a line within the settings can cross, in whole blocks of 16 columns. */
function columnsOfRow(depth: number, s: ReferenceSettings): [number, number] {
  const whole = BOTTOM - s.horizonRow
  const between = (far: number, near: number) => far + Math.floor(((near - far) * depth) / whole)
  const from = between(s.horizonColumn - HORIZON_REACH, s.leftFrom)
  const to = between(s.horizonColumn + HORIZON_REACH, s.rightTo)
  return [Math.max(0, Math.floor(from / 16) * 16), Math.min(WIDTH, Math.ceil((to + 1) / 16) * 16)]
}

function findLine(frame: Frame, from: number, to: number): ReferenceLine | null {
  const { points, settings } = frame
  let line = strongest(points, settings, from, to)
  let chosen: Point[] = []
  for (const pass of ['coarse', 'fine', 'fine'] as const) {
    if (line === null) return null
    chosen = nearest(points, settings, line, pass)
    line = fit(chosen, settings)
  }
  if (line === null || isClutter(points, chosen, settings, line)) return null
  const described = describe(frame, chosen, line)
  const isInside = described.atBottom >= from * 16 && described.atBottom <= to * 16
  const isLong = described.span >= settings.minSpan
  return isInside && isLong && described.deviation <= settings.maxDeviation ? described : null
}

/** Votes: for each point and each column of the horizon, where the line through both meets the bottom row. */
function strongest(points: readonly Point[], s: ReferenceSettings, from: number, to: number): Slant | null {
  const whole = BOTTOM - s.horizonRow
  let best = { far: 0, near: 0, score: 0 }
  for (let far = s.horizonColumn - HORIZON_REACH; far < s.horizonColumn + HORIZON_REACH; far += 2) {
    const votes = new Map<number, number>()
    for (const { row, twice } of points) {
      const scale = Math.floor((whole * 4096) / (row - s.horizonRow))
      const near = far + Math.floor(((twice - 2 * far) * scale) / 8192)
      const bin = Math.floor(near / 8)
      votes.set(bin, (votes.get(bin) ?? 0) + 1)
    }
    const at = (bin: number) => votes.get(bin) ?? 0
    for (let bin = Math.floor(from / 8); bin < Math.floor(to / 8); bin++) {
      const both = at(bin) + at(bin + 1)
      const score = 2 * both - at(bin - 2) - at(bin - 1) - at(bin + 2) - at(bin + 3)
      if (both >= s.minRows && score > best.score) best = { far, near: bin * 8 + 8, score }
    }
  }
  if (best.score === 0) return null
  const at = BigInt(best.far) * 131072n
  return { at, each: floorDiv(BigInt(best.near - best.far) * 131072n, BigInt(whole)) }
}

/** Of each row the point that is nearest to the line, where one is near enough; the first of two. */
function nearest(
  points: readonly Point[],
  s: ReferenceSettings,
  line: Slant,
  pass: 'coarse' | 'fine',
): Point[] {
  const chosen = new Map<number, { point: Point; distance: bigint }>()
  for (const point of points) {
    const depth = point.row - s.horizonRow
    const tolerance = pass === 'coarse' ? 4 + Math.floor(depth / 6) : fine(depth)
    const distance = distanceOf(point, s, line)
    if (distance > BigInt(tolerance) * 65536n) continue
    const other = chosen.get(point.row)
    if (other === undefined || distance < other.distance) chosen.set(point.row, { point, distance })
  }
  return Array.from(chosen.values(), ({ point }) => point)
}

/** In half pixels. */
function fine(depth: number): number {
  return 3 + Math.floor(depth / 16)
}

function distanceOf({ row, twice }: Point, s: ReferenceSettings, { at, each }: Slant): bigint {
  return abs(BigInt(twice) * 65536n - (at + each * BigInt(row - s.horizonRow)))
}

/** Least squares. */
function fit(points: readonly Point[], s: ReferenceSettings): Slant | null {
  if (points.length < s.minRows) return null
  const n = BigInt(points.length)
  const depths = points.map(point => BigInt(point.row - s.horizonRow))
  const columns = points.map(point => BigInt(point.twice))
  const sumD = sum(depths)
  const sumX = sum(columns)
  const sumDD = sum(depths.map(depth => depth * depth))
  const sumDX = sum(depths.map((depth, index) => depth * columns[index]!))
  const divisor = n * sumDD - sumD * sumD
  return {
    at: floorDiv((sumX * sumDD - sumD * sumDX) * 65536n, divisor),
    each: floorDiv((n * sumDX - sumD * sumX) * 65536n, divisor),
  }
}

/** Grass and gravel: marks all around, or marks that do not go on from one row to the next. */
function isClutter(
  points: readonly Point[],
  chosen: readonly Point[],
  s: ReferenceSettings,
  line: Slant,
): boolean {
  const crowd = points.filter(point => {
    const tolerance = BigInt(fine(point.row - s.horizonRow)) * 65536n
    const distance = distanceOf(point, s, line)
    return distance > tolerance && distance <= 4n * tolerance
  })
  const rows = new Set(chosen.map(point => point.row))
  const continued = chosen.filter(point => rows.has(point.row + 1))
  return crowd.length * 4 > chosen.length || continued.length * 2 < chosen.length
}

function describe({ pixels, settings }: Frame, chosen: readonly Point[], line: Slant): ReferenceLine {
  const rows = chosen.map(point => point.row)
  const distances = sum(chosen.map(point => distanceOf(point, settings, line)))
  const yellow = chosen.filter(({ row, twice }) => {
    const at = (row * WIDTH + Math.floor(twice / 2)) * 3
    return pixels[at]! - pixels[at + 2]! > settings.yellow
  })
  return {
    atHorizon: Number(floorDiv(line.at, 8192n)),
    atBottom: Number(floorDiv(line.at + line.each * BigInt(BOTTOM - settings.horizonRow), 8192n)),
    deviation: Number(floorDiv(distances, 8192n * BigInt(chosen.length))),
    rows: chosen.length,
    span: Math.max(...rows) - Math.min(...rows),
    colour: yellow.length * 2 > chosen.length ? 'yellow' : 'white',
  }
}

/** Both lines of one lane: as wide as a lane is, and together at the horizon. */
function isLane(left: ReferenceLine, right: ReferenceLine, s: ReferenceSettings): boolean {
  const width = right.atBottom - left.atBottom
  const apart = Math.abs(right.atHorizon - left.atHorizon)
  return width >= s.minWidth * 16 && width <= s.maxWidth * 16 && apart <= 32 * 16
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n)
}
