// Which frames the enclave takes: those that the camera sealed for it, of the right form, each once and in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seal } from '@casemate/enclave'
import { CALIBRATION, encodeCalibration } from '../calibration.ts'
import { CALL_STATUSES, encodeFrameHeader, FRAME_SIZE, type FrameHeader, sealFrame } from '../frame.ts'
import { KEYS, RunningEnclave } from './running.ts'

const BLACK = new Uint8Array(FRAME_SIZE)
const NOTHING = new Uint8Array()

/** As `sealFrame`, with any bytes for a header. */
const sealWith = (pixels: Uint8Array, additionalData: Uint8Array): Uint8Array =>
  seal(pixels, { ...KEYS, policy: 'mrEnclave', additionalData })

const failsWith = (promise: Promise<unknown>, status: number): Promise<void> =>
  assert.rejects(promise, { code: 'call-failed', got: String(status) })

test('frames are answered in order, and a gap is counted', async t => {
  const running = await RunningEnclave.start(t)
  const streamId = await running.open()
  for (const [sequence, missed] of [
    [0n, 0],
    [1n, 0],
    [5n, 3],
    [6n, 0],
  ] as const) {
    const answer = await running.send(sealFrame(BLACK, { streamId, sequence }, KEYS))
    assert.deepEqual(answer, { status: 'looked-at', sequence, missed, left: null, right: null })
  }
})

test('a frame that was sent before, or comes too late, is refused', async t => {
  const running = await RunningEnclave.start(t)
  const streamId = await running.open()
  const frames = [0n, 1n, 2n].map(sequence => sealFrame(BLACK, { streamId, sequence }, KEYS))
  const status = async (index: number) => (await running.send(frames[index]!)).status
  assert.equal(await status(0), 'looked-at')
  assert.equal(await status(0), 'replayed')
  assert.equal(await status(2), 'looked-at')
  assert.equal(await status(1), 'replayed')
  assert.equal(await status(2), 'replayed')
})

test('a frame of another stream, or of another run of the enclave, is refused', async t => {
  const [running, other] = [await RunningEnclave.start(t), await RunningEnclave.start(t)]
  const streamId = await other.open()
  const frame = sealFrame(BLACK, { streamId, sequence: 0n }, KEYS)
  assert.equal((await running.send(frame)).status, 'unknown-stream')
  assert.equal((await other.send(frame)).status, 'looked-at')
})

test('one stream more than there is room for ends the one that was silent for longest', async t => {
  const running = await RunningEnclave.start(t)
  const ids: Uint8Array[] = []
  for (let index = 0; index < 15; index++) ids.push(await running.open())
  const status = async (index: number, sequence: bigint) =>
    (await running.send(sealFrame(BLACK, { streamId: ids[index]!, sequence }, KEYS))).status
  assert.equal(await status(0, 0n), 'looked-at')
  // With the one that `start` opened there are sixteen; these two replace it and the second of ours.
  ids.push(await running.open(), await running.open())
  assert.equal(await status(1, 0n), 'unknown-stream')
  assert.equal(await status(0, 1n), 'looked-at')
  assert.equal(await status(16, 0n), 'looked-at')
})

test('a frame that was changed anywhere is refused, and takes no sequence number', async t => {
  const running = await RunningEnclave.start(t)
  const streamId = await running.open()
  const frame = sealFrame(BLACK, { streamId, sequence: 0n }, KEYS)
  // The sequence number in the additional data, a pixel, the tag; and the frame cut off.
  for (const at of [128 + 32, 1000, frame.length - 1]) {
    const forged = Uint8Array.from(frame)
    forged[at]! ^= 1
    assert.equal((await running.send(forged)).status, 'not-opened', `byte ${at}`)
  }
  assert.equal((await running.send(frame.subarray(0, -1))).status, 'not-opened')
  assert.equal((await running.send(BLACK.subarray(0, 100))).status, 'not-opened')
  assert.equal((await running.send(NOTHING)).status, 'not-opened')
  assert.equal((await running.send(frame)).status, 'looked-at')
})

test('a frame sealed for another enclave is refused', async t => {
  const running = await RunningEnclave.start(t)
  const streamId = await running.open()
  const identity = { ...KEYS.identity, mrEnclave: new Uint8Array(32) }
  const frame = sealFrame(BLACK, { streamId, sequence: 0n }, { ...KEYS, identity })
  assert.equal((await running.send(frame)).status, 'not-opened')
})

test('a frame of another form is refused as such', async t => {
  const running = await RunningEnclave.start(t)
  const header: FrameHeader = { streamId: await running.open(), sequence: 0n }
  const good = encodeFrameHeader(header)
  const changed = (at: number): Uint8Array => good.map((byte, index) => (index === at ? byte ^ 1 : byte))
  for (const [name, frame, status] of [
    ['magic', sealWith(BLACK, changed(0)), 'wrong-header'],
    ['pixel format', sealWith(BLACK, changed(12)), 'wrong-header'],
    ['header too long', sealWith(BLACK, new Uint8Array([...good, 0])), 'wrong-header'],
    ['no header', sealWith(BLACK, NOTHING), 'wrong-header'],
    ['width', sealFrame(BLACK, { ...header, width: 511 }, KEYS), 'wrong-size'],
    ['height', sealFrame(BLACK, { ...header, height: 289 }, KEYS), 'wrong-size'],
    ['pixels missing', sealFrame(BLACK.subarray(3), header, KEYS), 'wrong-size'],
    ['pixels too many', sealFrame(new Uint8Array(FRAME_SIZE + 3), header, KEYS), 'wrong-size'],
    ['no pixels', sealFrame(NOTHING, header, KEYS), 'wrong-size'],
    ['none of these', sealFrame(BLACK, header, KEYS), 'looked-at'],
  ] as const) {
    assert.equal((await running.send(frame)).status, status, name)
  }
})

test('nothing is looked at before a calibration, and none is taken that does not open or makes no sense', async t => {
  const running = await RunningEnclave.start(t, null)
  const streamId = await running.open()
  const frame = sealFrame(BLACK, { streamId, sequence: 0n }, KEYS)
  await failsWith(running.send(frame), CALL_STATUSES.notCalibrated)
  const sealed = (bytes: Uint8Array) => sealWith(bytes, NOTHING)
  const calibrate = (bytes: Uint8Array) => running.enclave.call('calibrate', bytes)
  await failsWith(calibrate(encodeCalibration(CALIBRATION)), CALL_STATUSES.calibrationNotOpened)
  const good = encodeCalibration(CALIBRATION)
  await failsWith(calibrate(sealed(new Uint8Array([...good, 0]))), CALL_STATUSES.calibrationRefused)
  await failsWith(
    calibrate(sealed(good.map((byte, at) => (at === 0 ? 0 : byte)))),
    CALL_STATUSES.calibrationRefused,
  )
  for (const change of [
    { topRow: 172 },
    { topRow: 280 },
    { horizonRow: -1 },
    { horizonColumn: 470 },
    { contrast: 0 },
    { yellow: 256 },
    { maxRuns: 33 },
    { minRows: 1 },
    { minSpan: 0 },
    { maxDeviation: 256 },
    { leftFrom: -481 },
    { leftTo: -63 },
    { rightFrom: 100 },
    { rightFrom: 570 },
    { rightTo: 993 },
    { minWidth: 521 },
    { maxWidth: 1473 },
  ]) {
    const bytes = encodeCalibration({ ...CALIBRATION, ...change })
    await failsWith(calibrate(sealed(bytes)), CALL_STATUSES.calibrationRefused)
  }
  await failsWith(running.send(frame), CALL_STATUSES.notCalibrated)
  await calibrate(sealed(good))
  assert.equal((await running.send(frame)).status, 'looked-at')
})
