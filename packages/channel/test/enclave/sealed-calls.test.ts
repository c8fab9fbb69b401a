// Sealed calls: answered as others are, within the limits of both ends; who announces what is none is cut off.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Duplex, PassThrough } from 'node:stream'
import { test } from 'node:test'
import { SealStream } from '@casemate/enclave'
import { DataListener } from '../../src/enclave/data-listener.ts'
import { encodeSealedCall, partsOfSealed } from '../../src/enclave/sealed-call.ts'
import { Serving } from '../../src/enclave/serving.ts'
import {
  type AttestedConnection,
  type CallTarget,
  connectAttested,
  connectEnclave,
  ENCLAVE_PROTOCOL,
} from '../../src/index.ts'
import { rejectsCode, serverOf } from '../fixtures.ts'
import { soon } from '../soon.ts'
import {
  announcement,
  FIRST,
  KEYS,
  LIMITS,
  ONE,
  OPENS,
  opened,
  plain,
  rawClient,
  SECOND,
  sealed,
  TWO,
  whole,
} from './sealed-fixtures.ts'

test('sealed calls and others are answered, alone and all at once', async t => {
  const server = await serverOf(t, OPENS, { dataPort: 0 })
  const client = await connectEnclave(server)
  const inputs = [new Uint8Array(), randomBytes(10), randomBytes(442_368)].map(plain)
  for (const input of inputs) assert.deepEqual(plain(await client.callSealed('open', sealed(input))), input)
  const many = Array.from({ length: 200 }, (_, index) => plain(randomBytes(index * 100)))
  const answers = await Promise.all(
    many.map((input, index) => client[index % 3 === 0 ? 'call' : 'callSealed']('open', sealed(input))),
  )
  assert.deepEqual(answers.map(plain), many)
  await client.close()
  assert.equal(await client.closed, null)
})

test('a server has no more sealed calls under way than it says, and a client no larger ones', async t => {
  let [under, most] = [0, 0]
  const enclave: CallTarget = {
    ...OPENS,
    call: async (_, input) => {
      most = Math.max(most, ++under)
      await new Promise(resolve => setImmediate(resolve))
      under--
      return opened(input)
    },
  }
  const limits = { maxCallsInFlight: 3, maxFrameBytes: 100_000 }
  const client = await connectEnclave(await serverOf(t, enclave, { dataPort: 0, limits }))
  const blob = sealed(randomBytes(50_000))
  await Promise.all(Array.from({ length: 40 }, () => client.callSealed('open', blob)))
  assert.ok(most <= 3, String(most))
  await rejectsCode('frame-too-large', client.callSealed('open', sealed(new Uint8Array(100_000))))
  assert.equal((await client.callSealed('open', blob)).length, 50_000)
  await client.close()
})

test('a server reads no more announcements than it takes calls, and no more ciphertexts than it has room for', async () => {
  const socket = new Duplex({ read: () => undefined, write: (_, __, done) => done() })
  const data = new PassThrough()
  const [begun, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const enclave: CallTarget = {
    ...OPENS,
    call: async (_, input) => {
      begun.resolve()
      await letGo.promise
      return input
    },
  }
  const listener = {
    port: 1,
    expect: (attach: (socket: PassThrough) => void) => {
      attach(data)
      return { ticket: new Uint8Array(32), cancel: () => undefined }
    },
  } as unknown as DataListener
  const limits = { maxFrameBytes: 100_000, maxCallsInFlight: 1 }
  new Serving({ socket, fail: assert.fail } as unknown as AttestedConnection, {
    enclave,
    limits,
    timeoutMs: 1_000,
    data: listener,
    onError: error => assert.fail(String(error)),
  }).start()
  socket.push(Buffer.concat([whole(0, [LIMITS]), whole(4, []), announcement(ONE)]))
  await once(socket, 'pause')
  // More of the same chunk is kept; of the data connection, what one chunk brings.
  socket.emit('data', announcement(TWO))
  data.write(FIRST)
  await begun.promise
  assert.equal(data.isPaused(), true)
  letGo.resolve()
  data.write(SECOND)
  await once(socket, 'resume')
  socket.destroy()
})

test('nothing that is not a sealed blob goes beside the channel', async t => {
  const client = await connectEnclave(await serverOf(t, OPENS, { dataPort: 0 }))
  const stream = new SealStream({ ...KEYS, policy: 'mrEnclave', additionalData: new Uint8Array() })
  stream.end(randomBytes(100))
  const chunks: Buffer[] = await stream.toArray()
  for (const input of [
    randomBytes(1_000),
    new Uint8Array(),
    sealed(new Uint8Array()).subarray(0, -1),
    sealed(randomBytes(9)).subarray(1),
    Buffer.concat(chunks),
  ]) {
    await rejectsCode('request-invalid', client.callSealed('open', input))
  }
  await client.close()
})

test('a client is told if there are no sealed calls, and its channel goes on', async t => {
  const client = await connectEnclave(await serverOf(t, OPENS))
  await rejectsCode('request-invalid', client.callSealed('open', sealed(randomBytes(10))))
  await client.call('open', sealed(randomBytes(10)))
  await client.close()
})

const { items: ANNOUNCED } = encodeSealedCall(7, 'open', partsOfSealed(ONE))

for (const [what, bytes] of [
  ['asks for a second data connection', whole(4, [])],
  ['announces less than a tag', whole(5, [new Uint8Array(15)])],
  ['announces what is not the header of a blob', whole(5, [new Uint8Array(148)])],
  [
    'announces a header with a byte more',
    whole(5, [Buffer.concat([partsOfSealed(ONE).header, Buffer.alloc(21)])]),
  ],
  ['announces two at once', whole(5, [...ANNOUNCED, ...ANNOUNCED])],
  [
    'announces more than the server takes',
    whole(5, [
      Buffer.concat([partsOfSealed(ONE).header, partsOfSealed(ONE).tag, Buffer.from('ffffff7f', 'hex')]),
    ]),
  ],
] as const) {
  test(`a client that ${what} is cut off`, async t => {
    const { socket, closed } = await rawClient(t)
    socket.write(bytes)
    await soon(closed)
  })
}

test('a sealed call without a data connection is cut off', async t => {
  const server = await serverOf(t, OPENS, { dataPort: 0 })
  const { socket, closed } = await connectAttested({ ...server, protocol: ENCLAVE_PROTOCOL })
  socket.on('error', () => undefined)
  socket.resume()
  socket.write(Buffer.concat([whole(0, [LIMITS]), announcement(ONE)]))
  await soon(closed)
})
