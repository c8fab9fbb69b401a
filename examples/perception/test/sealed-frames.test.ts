// Frames on their way: an attacker has the ciphertexts in the clear, and gets no other answer out of the enclave.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connectAttested, connectEnclave, ENCLAVE_PROTOCOL } from '@casemate/channel'
import { FrameParser } from '../../../packages/channel/src/enclave/parser.ts'
import {
  encodeSealedCall,
  partsOfSealed,
  type SealedParts,
} from '../../../packages/channel/src/enclave/sealed-call.ts'
import {
  CALL_FRAME,
  DEFAULT_WIRE_LIMITS,
  decodeDataOffer,
  encodeHead,
  encodeLimits,
  itemsOf,
} from '../../../packages/channel/src/enclave/wire.ts'
import { serverOf } from '../../../packages/channel/test/fixtures.ts'
import { Camera } from '../camera.ts'
import { FRAME_SIZE, type FrameStatus, parseAnswer, sealFrame } from '../frame.ts'
import { KEYS, RunningEnclave } from './running.ts'

const PIXELS = new Uint8Array(FRAME_SIZE).fill(90)

test('a camera’s frames are looked at in their order, several under way', async t => {
  const { enclave } = await RunningEnclave.start(t)
  const client = await connectEnclave(await serverOf(t, enclave, { dataPort: 0 }))
  const camera = await Camera.open(client, KEYS)
  const answers = await Promise.all(Array.from({ length: 20 }, () => camera.send(PIXELS)))
  assert.deepEqual(
    answers.map(({ status, sequence, missed }) => [status, sequence, missed]),
    answers.map((_, index) => ['looked-at', BigInt(index), 0]),
  )
  await client.close()
})

/** Announces frames to a running enclave, puts these ciphertexts on the wire, and gives the statuses. */
async function statusesOf(
  t: TestContext,
  running: RunningEnclave,
  announced: readonly SealedParts[],
  onTheWire: readonly Uint8Array[],
): Promise<FrameStatus[]> {
  const server = await serverOf(t, running.enclave, { dataPort: 0 })
  const { socket } = await connectAttested({ ...server, protocol: ENCLAVE_PROTOCOL })
  t.after(() => socket.destroy())
  const statuses: FrameStatus[] = []
  const done = Promise.withResolvers<void>()
  const send = (type: 0 | 4, items: readonly Uint8Array[]): void =>
    void socket.write(Buffer.concat([encodeHead(type, 0, { name: '', items }), ...items]))
  const parser = new FrameParser(DEFAULT_WIRE_LIMITS.maxFrameBytes, frame => {
    const [item = new Uint8Array()] = itemsOf(frame)
    if (frame.type === CALL_FRAME.data) void bring(item)
    if (frame.type === CALL_FRAME.answer) statuses.push(parseAnswer(item).status)
    if (statuses.length === announced.length) done.resolve()
  })
  const bring = async (offer: Uint8Array): Promise<void> => {
    const { port, ticket } = decodeDataOffer(offer)
    const data = connect(port, '127.0.0.1')
    t.after(() => data.destroy())
    await once(data, 'connect')
    data.write(Buffer.concat([ticket, ...onTheWire]))
    for (const [id, parts] of announced.entries()) {
      const { head, items } = encodeSealedCall(id, 'detect', parts)
      socket.write(Buffer.concat([head, ...items]))
    }
  }
  socket.on('data', (chunk: Buffer) => parser.push(chunk))
  send(0, [encodeLimits(DEFAULT_WIRE_LIMITS)])
  send(4, [])
  await done.promise
  return statuses
}

const changed = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at === 1000 ? byte ^ 1 : byte))

for (const [what, attack, statuses] of [
  ['leaves as they are', ([a, b]) => [a, b], ['looked-at', 'looked-at']],
  ['changes', ([a, b]) => [changed(a), b], ['not-opened', 'looked-at']],
  ['swaps', ([a, b]) => [b, a], ['not-opened', 'not-opened']],
  ['repeats', ([a]) => [a, a], ['looked-at', 'not-opened']],
  ['cuts short', ([a, b]) => [a.subarray(1), b, Buffer.alloc(1)], ['not-opened', 'not-opened']],
  ['takes from an earlier session', ([, b], old) => [old, b], ['not-opened', 'looked-at']],
] as readonly [string, (two: [Uint8Array, Uint8Array], old: Uint8Array) => Uint8Array[], FrameStatus[]][]) {
  test(`frames that an attacker ${what}: ${statuses.join(', ')}`, async t => {
    const running = await RunningEnclave.start(t)
    const streamId = await running.open()
    const [old, one, two] = [0n, 0n, 1n].map(sequence =>
      partsOfSealed(sealFrame(PIXELS, { streamId, sequence }, KEYS)),
    ) as [SealedParts, SealedParts, SealedParts]
    const onTheWire = attack([one.ciphertext, two.ciphertext], old.ciphertext)
    assert.deepEqual(await statusesOf(t, running, [one, two], onTheWire), statuses)
  })
}

test('a whole frame of another run of the enclave is of no stream, and one of this run counts once', async t => {
  const [running, other] = [await RunningEnclave.start(t), await RunningEnclave.start(t)]
  const frameOf = async (run: RunningEnclave): Promise<SealedParts> =>
    partsOfSealed(sealFrame(PIXELS, { streamId: await run.open(), sequence: 0n }, KEYS))
  const [foreign, own] = [await frameOf(other), await frameOf(running)]
  const frames = [foreign, own, own]
  const onTheWire = frames.map(({ ciphertext }) => ciphertext)
  assert.deepEqual(await statusesOf(t, running, frames, onTheWire), [
    'unknown-stream',
    'looked-at',
    'replayed',
  ])
})
