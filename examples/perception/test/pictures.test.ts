// Pictures come to a frame's size by exact averages, and drawn roads are the same everywhere.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { FRAME_SIZE, HEIGHT, WIDTH } from '../frame.ts'
import { openPictures, scale } from '../pictures.ts'
import { drawRoad } from '../road.ts'

test('a picture of a frame’s size stays as it is', () => {
  const { pixels } = drawRoad(1)
  assert.deepEqual(scale(pixels, WIDTH, HEIGHT), pixels)
})

test('a picture of twice the size becomes the means of four pixels', () => {
  const source = Uint8Array.from({ length: FRAME_SIZE * 4 }, (_, at) => (at * 7919) % 256)
  const scaled = scale(source, WIDTH * 2, HEIGHT * 2)
  const at = (x: number, y: number) => source[(y * WIDTH * 2 + x) * 3 + 1]!
  for (const [x, y] of [
    [0, 0],
    [17, 100],
    [WIDTH - 1, HEIGHT - 1],
  ] as const) {
    const sum = at(2 * x, 2 * y) + at(2 * x + 1, 2 * y) + at(2 * x, 2 * y + 1) + at(2 * x + 1, 2 * y + 1)
    assert.equal(scaled[(y * WIDTH + x) * 3 + 1], Math.floor((sum + 2) / 4))
  }
})

test('a picture of 960 by 540 keeps its brightness', () => {
  const source = new Uint8Array(960 * 540 * 3)
  for (let at = 0; at < source.length; at++) source[at] = (at * 31) % 251
  const mean = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length
  assert.ok(Math.abs(mean(source) - mean(scale(source, 960, 540))) < 0.05)
})

test('one seed always draws one road', () => {
  const hash = (seed: number) => createHash('sha256').update(drawRoad(seed).pixels).digest('hex')
  assert.equal(hash(1), hash(1))
  assert.notEqual(hash(1), hash(2))
})

test('without a folder of photographs there are drawn roads', () => {
  const pictures = openPictures(undefined)
  assert.equal(pictures.length, 6)
  for (const { pixels } of pictures) assert.equal(pixels.length, FRAME_SIZE)
})
