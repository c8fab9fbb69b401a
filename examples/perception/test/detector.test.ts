// The detector’s answers are those of the plain reference, to the last bit, whatever it is shown and however it is
// calibrated; and they are right where the truth is known.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CALIBRATION, type Calibration } from '../calibration.ts'
import { FRAME_SIZE, HEIGHT, type LaneLine, WIDTH } from '../frame.ts'
import { openPictures } from '../pictures.ts'
import { detectPlainly } from '../reference.ts'
import { drawRoad, generator, type TrueLine } from '../road.ts'
import { RunningEnclave } from './running.ts'

const DATA = process.env['CASEMATE_DATA'] ?? resolve(import.meta.dirname, '../../../../shared/data')
const PICTURES = join(DATA, 'perception')
const LONG = process.env['CASEMATE_LONG_TESTS'] === '1'

async function same(running: RunningEnclave, pixels: Uint8Array, calibration: Calibration): Promise<number> {
  const { status, left, right } = await running.detect(pixels)
  assert.equal(status, 'looked-at')
  const expected = detectPlainly(pixels, calibration)
  assert.deepEqual({ left, right }, expected)
  return (left === null ? 0 : 1) + (right === null ? 0 : 1)
}

const noPictures = existsSync(PICTURES) ? false : `no pictures in ${PICTURES}`

test('both lines of the lane are found in every road picture', { skip: noPictures }, async t => {
  const running = await RunningEnclave.start(t)
  for (const { name, pixels } of openPictures(PICTURES)) {
    assert.equal(await same(running, pixels, CALIBRATION), 2, name)
    const { left, right } = await running.detect(pixels)
    // As a person sees them: the car keeps its lane, which is some 360 pixels wide in the bottom row.
    const width = (right!.atBottom - left!.atBottom) / 16
    assert.ok(width > 340 && width < 400, `${name}: ${width}`)
    assert.equal(
      left!.colour,
      name.includes('ellow') || name.startsWith('whiteCar') ? 'yellow' : 'white',
      name,
    )
    assert.equal(right!.colour, 'white', name)
  }
})

test('on drawn roads every solid line is found, and every line that is found is within two pixels', async t => {
  const running = await RunningEnclave.start(t)
  for (let seed = 1; seed <= (LONG ? 400 : 20); seed++) {
    const scene = drawRoad(seed)
    await same(running, scene.pixels, CALIBRATION)
    const answer = await running.detect(scene.pixels)
    for (const side of ['left', 'right'] as const) {
      const [found, truth] = [answer[side], scene[side]]
      if (truth.style === 'solid') assert.ok(found, `${side} of seed ${seed}`)
      if (found !== null) checkTruth(found, truth, `${side} of seed ${seed}`)
    }
  }
})

function checkTruth(found: LaneLine, truth: TrueLine, what: string): void {
  assert.ok(Math.abs(found.atBottom / 16 - truth.atBottom) <= 2, what)
  assert.ok(Math.abs(found.atHorizon / 16 - truth.atHorizon) <= 1, what)
  assert.equal(found.colour, truth.colour, what)
}

test('where there is no road there is no lane', async t => {
  const running = await RunningEnclave.start(t)
  const frames = {
    black: new Uint8Array(FRAME_SIZE),
    white: new Uint8Array(FRAME_SIZE).fill(255),
    noise: noise(7, 256),
    'faint noise': noise(8, 60),
    stripes: Uint8Array.from({ length: FRAME_SIZE }, (_, at) => ((at / 48) & 1 ? 200 : 40)),
    'a road upside down': upsideDown(drawRoad(1).pixels),
  }
  for (const [name, pixels] of Object.entries(frames))
    assert.equal(await same(running, pixels, CALIBRATION), 0, name)
})

test('two lines that are farther apart or closer than a lane is wide are not both taken', async t => {
  const running = await RunningEnclave.start(t)
  const { pixels } = drawRoad(12)
  const both = await running.detect(pixels)
  const width = Math.round((both.right!.atBottom - both.left!.atBottom) / 16)
  for (const [change, lines] of [
    [{ minWidth: width + 2 }, 1],
    [{ maxWidth: width - 2 }, 1],
    [{ minWidth: width - 2, maxWidth: width + 2 }, 2],
  ] as const) {
    const calibration = { ...CALIBRATION, ...change }
    await running.calibrate(calibration)
    assert.equal(await same(running, pixels, calibration), lines)
  }
})

test('any pixels and any calibration give the reference’s answer', async t => {
  const running = await RunningEnclave.start(t)
  let found = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(), arbitraryPixels, arbitraryChange, async (seed, make, change) => {
      const calibration = { ...CALIBRATION, ...change }
      await running.calibrate(calibration)
      found += await same(running, make(seed), calibration)
    }),
    { numRuns: LONG ? 3000 : 40, ...(LONG ? {} : { seed: 7 }) },
  )
  assert.ok(found > 0, 'some lines were compared')
})

const arbitraryPixels = fc.constantFrom<(seed: number) => Uint8Array>(
  seed => drawRoad(seed).pixels,
  seed => mixed(drawRoad(seed).pixels, blocks(seed), 0.5),
  seed => blocks(seed),
  seed => noise(seed, 256),
)

/** To some settings, within what the enclave accepts. */
const arbitraryChange: fc.Arbitrary<Partial<Calibration>> = fc.record(
  {
    horizonRow: fc.integer({ min: 120, max: 172 }),
    horizonColumn: fc.integer({ min: 200, max: 300 }),
    topRow: fc.integer({ min: 180, max: 230 }),
    contrast: fc.integer({ min: 1, max: 80 }),
    yellow: fc.integer({ min: 0, max: 255 }),
    maxRuns: fc.integer({ min: 1, max: 32 }),
    minRows: fc.integer({ min: 2, max: 20 }),
    minSpan: fc.integer({ min: 1, max: 40 }),
    maxDeviation: fc.integer({ min: 0, max: 255 }),
    leftFrom: fc.integer({ min: -480, max: 100 }),
    leftTo: fc.integer({ min: 108, max: 300 }),
    rightFrom: fc.integer({ min: 300, max: 400 }),
    rightTo: fc.integer({ min: 408, max: 992 }),
    minWidth: fc.integer({ min: 0, max: 380 }),
    maxWidth: fc.integer({ min: 380, max: 1472 }),
  },
  { requiredKeys: [] },
)

function noise(seed: number, amount: number): Uint8Array {
  const random = generator(seed)
  return new Uint8Array(FRAME_SIZE).map(() => random() * amount)
}

/** Squares of some pixels each: marks that go on from row to row, in all directions. */
function blocks(seed: number): Uint8Array {
  const random = generator(seed)
  const size = 3 + (seed % 10)
  const across = Math.ceil(WIDTH / size)
  const colours = new Uint8Array(across * Math.ceil(HEIGHT / size) * 3).map(() => random() * 256)
  return new Uint8Array(FRAME_SIZE).map((_, at) => {
    const [row, column] = [Math.floor(at / 3 / WIDTH), Math.floor(at / 3) % WIDTH]
    return colours[(Math.floor(row / size) * across + Math.floor(column / size)) * 3 + (at % 3)]!
  })
}

function mixed(a: Uint8Array, b: Uint8Array, share: number): Uint8Array {
  return a.map((value, at) => value * (1 - share) + b[at]! * share)
}

function upsideDown(pixels: Uint8Array): Uint8Array {
  const turned = new Uint8Array(FRAME_SIZE)
  const size = WIDTH * 3
  for (let row = 0; row < HEIGHT; row++)
    turned.set(pixels.subarray(row * size, (row + 1) * size), (HEIGHT - 1 - row) * size)
  return turned
}
