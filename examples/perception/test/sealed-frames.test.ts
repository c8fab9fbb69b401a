// Frames on their way: an attacker has the ciphertexts in the clear, and gets no other answer out of the enclave.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connectEnclave } from '@casemate/channel'
import { partsOfSealed } from '../../../packages/channel/src/enclave/sealed-call.ts'
import {
  announcement,
  dataSocket,
  rawClient,
} from '../../../packages/channel/test/enclave/sealed-fixtures.ts'
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
  { enclave }: RunningEnclave,
  announced: readonly Uint8Array[],
  onTheWire: readonly Uint8Array[],
): Promise<FrameStatus[]> {
  const { socket, port, ticket, answer } = await rawClient(t, { enclave })
  t.after(() => socket.destroy())
  const data = await dataSocket(t, port)
  data.write(Buffer.concat([ticket, ...onTheWire]))
  for (const frame of announced) socket.write(announcement(frame, 'detect'))
  const statuses: FrameStatus[] = []
  for (const _ of announced) statuses.push(parseAnswer(await answer()).status)
  return statuses
}

const ciphertextOf = (frame: Uint8Array): Uint8Array => partsOfSealed(frame).ciphertext
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
    const [old, one, two] = [0n, 0n, 1n].map(sequence => sealFrame(PIXELS, { streamId, sequence }, KEYS)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    const onTheWire = attack([ciphertextOf(one), ciphertextOf(two)], ciphertextOf(old))
    assert.deepEqual(await statusesOf(t, running, [one, two], onTheWire), statuses)
  })
}

test('a whole frame of another run of the enclave is of no stream, and one of this run counts once', async t => {
  const [running, other] = [await RunningEnclave.start(t), await RunningEnclave.start(t)]
  const frameOf = async (run: RunningEnclave): Promise<Uint8Array> =>
    sealFrame(PIXELS, { streamId: await run.open(), sequence: 0n }, KEYS)
  const [foreign, own] = [await frameOf(other), await frameOf(running)]
  const frames = [foreign, own, own]
  assert.deepEqual(await statusesOf(t, running, frames, frames.map(ciphertextOf)), [
    'unknown-stream',
    'looked-at',
    'replayed',
  ])
})
