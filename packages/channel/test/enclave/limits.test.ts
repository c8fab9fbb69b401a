// Limits on the memory and time that one client, or one server, can make the other end spend.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { receiveFrames } from '../../src/enclave/parser.ts'
import { CALL_FRAME, ENCLAVE_PROTOCOL, encodeHead, encodeLimits } from '../../src/enclave/wire.ts'
import {
  type AttestedConnection,
  type CallTarget,
  type ChannelError,
  connectAttested,
  connectEnclave,
  DEFAULT_HANDSHAKE_TIMEOUT_MS,
  type ServeEnclaveOptions,
} from '../../src/index.ts'
import { identityOf, intelMachine, listenerOf, rejectsCode, serverOf, timersOf } from '../fixtures.ts'
import { soon } from '../soon.ts'

const LIMITS = encodeLimits({ maxFrameBytes: 100_000, maxCallsInFlight: 64 })

function frame(type: 0 | 1 | 2, ...items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([
    encodeHead(type, 7, { name: type === CALL_FRAME.call ? 'hold' : '', items }),
    ...items,
  ])
}

interface Held {
  readonly connection: AttestedConnection
  /** Calls that have begun; none of them ends before all are let go. */
  readonly begun: () => number
  readonly reached: (count: number) => Promise<void>
  readonly letGo: () => void
}

async function holding(t: TestContext, options: Partial<ServeEnclaveOptions>): Promise<Held> {
  const [hold, waits] = [Promise.withResolvers<void>(), new Map<number, () => void>()]
  let begun = 0
  const begin = async <T>(answer: T): Promise<T> => {
    waits.get(++begun)?.()
    await hold.promise
    return answer
  }
  const enclave: CallTarget = {
    call: async (_, input) => begin(input),
    callBatch: async (_, inputs) => begin(inputs),
  }
  const connection = await connectAttested({
    ...(await serverOf(t, enclave, options)),
    protocol: ENCLAVE_PROTOCOL,
  })
  connection.socket.on('error', () => undefined)
  return {
    connection,
    begun: () => begun,
    reached: count => new Promise(resolve => void (begun >= count ? resolve() : waits.set(count, resolve))),
    letGo: hold.resolve,
  }
}

for (const [what, call] of [
  ['bytes', frame(1, new Uint8Array(1_200))],
  ['items', frame(1, ...Array.from({ length: 5 }, () => new Uint8Array()))],
] as const) {
  test(`calls of one client are begun while the ${what} of those under way fit a frame, the others later`, async t => {
    const limits = { maxFrameBytes: 3_000, maxCallsInFlight: 64 }
    const { connection, begun, reached, letGo } = await holding(t, { limits })
    const { socket } = connection
    socket.resume()
    // All in one record, so that all of them are there when the third begins.
    socket.write(Buffer.concat([frame(0, LIMITS), ...Array.from({ length: 10 }, () => call)]))
    await reached(3)
    letGo()
    assert.equal(begun(), 3)
    await reached(10)
    socket.destroy()
  })
}

for (const [what, bytes] of [
  ['nothing', new Uint8Array()],
  ['half of it', frame(0, LIMITS).subarray(0, 5)],
] as const) {
  test(`a client that says ${what} of what it takes is given up`, async t => {
    const { tick } = timersOf(t)
    const { connection } = await holding(t, {})
    // The server's own limits: it has begun to wait.
    await once(connection.socket, 'data')
    connection.socket.write(bytes)
    tick(DEFAULT_HANDSHAKE_TIMEOUT_MS)
    await soon(connection.closed)
  })
}

test('an answer that the network cuts off is no answer', async t => {
  const machine = await intelMachine('tdx')
  const listener = await listenerOf(t, await identityOf(t, machine.driver), {
    protocol: ENCLAVE_PROTOCOL,
    onConnection: ({ socket }) => {
      socket.write(frame(0, LIMITS))
      const answer = Buffer.concat([encodeHead(CALL_FRAME.answer, 0, { name: '', items: [LIMITS] }), LIMITS])
      socket.once('data', () => socket.once('data', () => socket.end(answer.subarray(0, -1))))
    },
  })
  const client = await connectEnclave({ ...listener, peer: machine.demands })
  await rejectsCode('connection-lost', client.call('x', LIMITS))
})

test('what fails in this program over a frame ends the connection that it came on', () => {
  const socket = new PassThrough()
  const failures: ChannelError[] = []
  const connection = { socket, fail: (error: ChannelError) => failures.push(error) }
  receiveFrames(connection as unknown as AttestedConnection, 100_000, () => {
    throw new RangeError('no memory left')
  })
  socket.emit('data', frame(0, LIMITS))
  socket.emit('data', Buffer.from('ffffffff010000000000000000', 'hex'))
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['internal-error', 'frame-too-large'],
  )
})
