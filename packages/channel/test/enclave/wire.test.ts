// Frames of calls: whatever the chunks they come in, they are the same frames; what is no frame ends the connection.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import * as fc from 'fast-check'
import { FrameParser } from '../../src/enclave/parser.ts'
import {
  CALL_FRAME,
  type CallFrame,
  decodeLimits,
  encodeHead,
  encodeLimits,
  itemsOf,
  writeFrame,
} from '../../src/enclave/wire.ts'
import {
  type CallTarget,
  ChannelError,
  connectAttested,
  connectEnclave,
  ENCLAVE_PROTOCOL,
  type ServeEnclaveOptions,
} from '../../src/index.ts'
import { identityOf, intelMachine, listenerOf, serverOf } from '../fixtures.ts'
import { mutations, runs } from '../mutations.ts'
import { soon } from '../soon.ts'

interface Given {
  readonly type: 1 | 2 | 3
  readonly id: number
  readonly name: string
  readonly items: readonly Uint8Array[]
}

const given = fc.record(
  {
    type: fc.constantFrom(1, 2, 3),
    id: fc.nat(0xffff_ffff),
    name: fc.string({ maxLength: 20, unit: 'grapheme' }),
    items: fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 5 }),
  },
  { noNullPrototype: true },
) as fc.Arbitrary<Given>

function encode(frames: readonly Given[]): Buffer {
  const chunks: Buffer[] = []
  const write = (chunk: Uint8Array): boolean => chunks.push(Buffer.from(chunk)) > 0
  const socket = { cork: () => undefined, uncork: () => undefined, write } as unknown as Duplex
  for (const frame of frames) writeFrame(socket, encodeHead(frame.type, frame.id, frame), frame.items)
  return Buffer.concat(chunks)
}

test('frames come out as they went in, wherever the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(given, { maxLength: 5 }),
      fc.array(fc.nat(500), { maxLength: 40 }),
      (frames, cuts) => {
        const seen: Given[] = []
        const parser = new FrameParser(1_000_000, frame => {
          assert.equal(frame.payload.byteLength, frame.payload.buffer.byteLength)
          const items = itemsOf(frame).map(item => new Uint8Array(item))
          seen.push({ type: frame.type as Given['type'], id: frame.id, name: frame.name, items })
        })
        let rest = encode(frames)
        for (const cut of cuts) {
          parser.push(rest.subarray(0, cut))
          rest = rest.subarray(cut)
        }
        parser.push(rest)
        assert.deepEqual(seen, frames)
      },
    ),
    { numRuns: 500 },
  )
})

test('no bytes do anything but be frames or be refused', () => {
  const changed = fc
    .tuple(fc.array(given, { minLength: 1, maxLength: 5 }), mutations)
    .map(([frames, mutate]) => mutate(encode(frames)))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), changed), bytes => {
      try {
        new FrameParser(2_000, ({ lengths, payload }) => {
          assert.equal(
            lengths.reduce((sum, length) => sum + length, 0),
            payload.length,
          )
        }).push(bytes)
      } catch (error) {
        assert.ok(error instanceof ChannelError, String(error))
      }
    }),
    runs(2_000),
  )
})

test('a frame beyond the limit is refused before any of it is kept', () => {
  const parser = new FrameParser(100, () => undefined)
  const head = encodeHead(CALL_FRAME.call, 1, { name: '', items: [new Uint8Array(100)] })
  assert.throws(() => parser.push(head), { code: 'frame-too-large' })
})

const frame = (type: number, payload: Uint8Array): CallFrame => ({
  type,
  id: 0,
  name: '',
  lengths: [payload.length],
  payload: new Uint8Array(payload),
})

test('a server has no more calls of one client under way than it says, though the client sends more', async t => {
  let [under, most] = [0, 0]
  const { socket } = await servedRaw(t, {
    limits: { maxCallsInFlight: 3 },
    enclave: {
      call: async (_, input) => {
        most = Math.max(most, ++under)
        await new Promise(resolve => setImmediate(resolve))
        under--
        return input
      },
      callBatch: async (_, inputs) => inputs,
    },
  })
  const answered = Promise.withResolvers<void>()
  let left = 50
  const parser = new FrameParser(2_000, ({ type }) => {
    if (type === CALL_FRAME.answer && --left === 0) answered.resolve()
  })
  socket.on('data', (chunk: Buffer) => parser.push(chunk))
  socket.write(Buffer.concat([whole(0, [LIMITS]), ...Array.from({ length: 50 }, () => whole(1, [LIMITS]))]))
  await answered.promise
  assert.equal(most, 3)
  socket.destroy()
})

test('calls of a client that has gone are not begun any more', async t => {
  let begun = 0
  const full = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const { socket } = await servedRaw(t, {
    limits: { maxCallsInFlight: 3 },
    enclave: {
      call: async (_, input) => {
        if (++begun === 3) full.resolve()
        await release.promise
        return input
      },
      callBatch: async (_, inputs) => inputs,
    },
  })
  socket.write(Buffer.concat([whole(0, [LIMITS]), ...Array.from({ length: 50 }, () => whole(1, [LIMITS]))]))
  await full.promise
  socket.destroy()
  // Long enough for the other end to learn of it.
  await new Promise(resolve => setTimeout(resolve, 50))
  release.resolve()
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.equal(begun, 3)
})

test('a client keeps back what the server does not take yet', async t => {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  const calls: number[] = []
  const full = Promise.withResolvers<void>()
  const listener = await listenerOf(t, identity, {
    protocol: ENCLAVE_PROTOCOL,
    onConnection: ({ socket }) => {
      const parser = new FrameParser(2_000, ({ type, id }) => {
        if (type !== CALL_FRAME.call) return
        calls.push(id)
        if (calls.length === 2) setTimeout(full.resolve, 50)
      })
      socket.on('data', (chunk: Buffer) => parser.push(chunk))
      socket.write(whole(0, [LIMITS]))
    },
  })
  const client = await connectEnclave({ ...listener, peer: machine.demands })
  const lost = Array.from({ length: 10 }, () => client.call('x', LIMITS).catch((error: unknown) => error))
  await full.promise
  assert.deepEqual(calls, [0, 1])
  await listener.close()
  for (const error of await Promise.all(lost)) assert.ok(error instanceof ChannelError)
})

test('limits that are none, or too small for an answer, are refused', () => {
  const limits = { maxFrameBytes: 2_000, maxCallsInFlight: 2 }
  assert.deepEqual(decodeLimits(frame(0, encodeLimits(limits))), limits)
  for (const bad of [
    frame(1, encodeLimits(limits)),
    frame(0, new Uint8Array(7)),
    frame(0, encodeLimits({ ...limits, maxFrameBytes: 1 })),
    frame(0, encodeLimits({ ...limits, maxCallsInFlight: 0 })),
  ]) {
    assert.throws(() => decodeLimits(bad), { code: 'protocol-violation' })
  }
})

test('a call that fits no frame is refused', () => {
  const call = (name: string, count: number): unknown =>
    encodeHead(CALL_FRAME.call, 0, { name, items: Array.from({ length: count }, () => new Uint8Array()) })
  call('x'.repeat(255), 65_535)
  assert.throws(() => call('x'.repeat(256), 1), { code: 'request-invalid' })
  assert.throws(() => call('x', 65_536), { code: 'request-invalid' })
})

async function servedRaw(
  t: TestContext,
  { enclave = ECHO, ...options }: Partial<ServeEnclaveOptions> = {},
): Promise<Awaited<ReturnType<typeof connectAttested>>> {
  const server = await serverOf(t, enclave, options)
  const connection = await connectAttested({ ...server, protocol: ENCLAVE_PROTOCOL })
  connection.socket.on('error', () => undefined)
  return connection
}

const ECHO: CallTarget = { call: async (_, input) => input, callBatch: async (_, inputs) => inputs }
const LIMITS = encodeLimits({ maxFrameBytes: 2_000, maxCallsInFlight: 2 })
/** States an item of 9 bytes, and has one of 1. */
const WRONG_LENGTH = Buffer.from('0500000001000100000000000900000000', 'hex')
const whole = (type: 0 | 1 | 2, items: readonly Uint8Array[]): Buffer =>
  Buffer.concat([encodeHead(type, 7, { name: 'echo', items }), ...items])

for (const [what, bytes] of [
  ['calls before it has said what it takes', whole(1, [LIMITS])],
  ['says it twice', Buffer.concat([whole(0, [LIMITS]), whole(0, [LIMITS])])],
  ['answers', Buffer.concat([whole(0, [LIMITS]), whole(2, [LIMITS])])],
  ['announces too much', Buffer.from('ffffffff010000000000000000', 'hex')],
  ['sends lengths that do not add up', Buffer.concat([whole(0, [LIMITS]), WRONG_LENGTH])],
] as const) {
  test(`a client that ${what} is cut off`, async t => {
    const { socket, closed } = await servedRaw(t)
    socket.resume()
    socket.write(bytes)
    await soon(once(socket, 'close'))
    await soon(closed)
  })
}
