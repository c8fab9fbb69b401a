// Sealed calls: only ciphertext leaves the attested channel, and what an attacker does to it comes to nothing.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import {
  openBrokerRoot,
  type SealingIdentity,
  SealStream,
  seal,
  type UnsealOptions,
  unseal,
} from '@casemate/enclave'
import * as fc from 'fast-check'
import { Ciphertexts } from '../../src/enclave/ciphertexts.ts'
import { DataListener } from '../../src/enclave/data-listener.ts'
import { FrameParser } from '../../src/enclave/parser.ts'
import { encodeSealedCall, partsOfSealed } from '../../src/enclave/sealed-call.ts'
import { Serving } from '../../src/enclave/serving.ts'
import {
  CALL_FRAME,
  type CallFrame,
  decodeDataOffer,
  encodeDataOffer,
  encodeHead,
  encodeLimits,
  itemsOf,
} from '../../src/enclave/wire.ts'
import {
  type AttestedConnection,
  type CallTarget,
  connectAttested,
  connectEnclave,
  ENCLAVE_PROTOCOL,
  type ServeEnclaveOptions,
} from '../../src/index.ts'
import { identityOf, intelMachine, listenerOf, rejectsCode, serverOf, timersOf } from '../fixtures.ts'

const identity: SealingIdentity = {
  mrEnclave: new Uint8Array(32).fill(1),
  mrSigner: new Uint8Array(32).fill(2),
  isvProdId: 0,
  isvSvn: 1,
  debug: false,
}
const KEYS: UnsealOptions = {
  root: openBrokerRoot({ path: 'a/b/c', key: new Uint8Array(32).fill(3) }),
  identity,
}

const sealed = (plaintext: Uint8Array): Uint8Array =>
  seal(plaintext, { ...KEYS, policy: 'mrEnclave', additionalData: Buffer.from('which one') })

/** Opens what it gets, as an enclave would: the plaintext, or the code of why not. */
const OPENS: CallTarget = {
  call: async (_, input) => opened(input),
  callBatch: async (_, inputs) => inputs.map(opened),
}

function opened(input: Uint8Array): Uint8Array {
  try {
    return unseal(input, KEYS).plaintext
  } catch (error) {
    return Buffer.from((error as { code: string }).code)
  }
}

const plain = (value: Uint8Array): Uint8Array => new Uint8Array(value)
const LIMITS = encodeLimits({ maxFrameBytes: 1_000_000, maxCallsInFlight: 64 })
const whole = (type: 0 | 1 | 4 | 5, items: readonly Uint8Array[]): Buffer =>
  Buffer.concat([encodeHead(type, 7, { name: 'open', items }), ...items])

test('ciphertexts meet their headers again, wherever the stream is cut and whenever they are announced', () => {
  const input = fc.record({
    plaintexts: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
    cuts: fc.array(fc.nat(200), { maxLength: 30 }),
    announcedFirst: fc.nat(6),
  })
  fc.assert(
    fc.property(input, ({ plaintexts, cuts, announcedFirst }) => {
      const blobs = plaintexts.map(sealed)
      const seen: Uint8Array[] = []
      const ciphertexts = new Ciphertexts(({ payload }) => seen.push(plain(payload)))
      const announce = (blob: Uint8Array): void => {
        const { header, tag, ciphertext } = partsOfSealed(blob)
        ciphertexts.announce({ id: 1, name: '', header, tag, ciphertextSize: ciphertext.length })
      }
      for (const blob of blobs.slice(0, announcedFirst)) announce(blob)
      let early: Uint8Array = new Uint8Array()
      let rest = Buffer.concat(blobs.map(blob => partsOfSealed(blob).ciphertext))
      for (const cut of [...cuts, rest.length]) {
        early = ciphertexts.push(Buffer.concat([early, rest.subarray(0, cut)]))
        rest = rest.subarray(cut)
      }
      for (const blob of blobs.slice(announcedFirst)) {
        announce(blob)
        early = ciphertexts.push(early)
      }
      assert.equal(early.length, 0)
      assert.deepEqual(seen, blobs)
    }),
    { numRuns: 200 },
  )
})

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

test('on the wire is the ciphertext alone: the key id, the header and the tag stay within the channel', async t => {
  const taken: Buffer[] = []
  const complete = Promise.withResolvers<void>()
  const data = createServer(socket => {
    socket.on('data', (chunk: Buffer) => {
      taken.push(chunk)
      if (Buffer.concat(taken).length === 32 + 5_000) complete.resolve()
    })
  })
  data.listen(0, '127.0.0.1')
  await once(data, 'listening')
  const { port } = data.address() as AddressInfo
  t.after(() => data.close())
  const ticket = randomBytes(32)
  const calls: CallFrame[] = []
  const machine = await intelMachine('tdx')
  const listener = await listenerOf(t, await identityOf(t, machine.driver), {
    protocol: ENCLAVE_PROTOCOL,
    onConnection: ({ socket }) => {
      const parser = new FrameParser(100_000, frame => {
        calls.push(frame)
        const items = [encodeDataOffer({ port, ticket })]
        if (frame.type !== CALL_FRAME.data) return
        socket.write(Buffer.concat([encodeHead(CALL_FRAME.data, frame.id, { name: '', items }), ...items]))
      })
      socket.on('data', (chunk: Buffer) => parser.push(chunk))
      socket.on('error', () => undefined)
      socket.write(whole(0, [LIMITS]))
    },
  })
  const client = await connectEnclave({ ...listener, peer: machine.demands })
  const blob = sealed(randomBytes(5_000))
  const lost = rejectsCode('connection-lost', client.callSealed('open', blob))
  await complete.promise
  const { header, ciphertext, tag } = partsOfSealed(blob)
  assert.deepEqual(Buffer.concat(taken), Buffer.concat([ticket, ciphertext]))
  const announced = Buffer.concat(itemsOf(calls.find(({ type }) => type === CALL_FRAME.sealedCall)!))
  assert.deepEqual(announced.subarray(0, -4), Buffer.concat([header, tag]))
  await listener.close()
  await lost
})

interface Raw {
  readonly socket: Awaited<ReturnType<typeof connectAttested>>['socket']
  readonly closed: Promise<unknown>
  /** Of the data connection. */
  readonly port: number
  readonly ticket: Uint8Array
  /** Answers, in the order in which they come. */
  readonly answer: () => Promise<string>
}

/** A client whose every byte the test writes itself. */
async function rawClient(t: TestContext, options: Partial<ServeEnclaveOptions> = {}): Promise<Raw> {
  const server = await serverOf(t, OPENS, { dataPort: 0, ...options })
  const { socket, closed } = await connectAttested({ ...server, protocol: ENCLAVE_PROTOCOL })
  socket.on('error', () => undefined)
  const answers: string[] = []
  let wake: () => void = () => undefined
  const offer = Promise.withResolvers<Uint8Array>()
  const parser = new FrameParser(1_000_000, frame => {
    const [item = new Uint8Array()] = itemsOf(frame)
    if (frame.type === CALL_FRAME.data) offer.resolve(item)
    if (frame.type !== CALL_FRAME.answer) return
    answers.push(Buffer.from(item).toString())
    wake()
  })
  socket.on('data', (chunk: Buffer) => parser.push(chunk))
  socket.write(Buffer.concat([whole(0, [LIMITS]), whole(4, [])]))
  const answer = async (): Promise<string> => {
    while (answers.length === 0) await new Promise<void>(resolve => (wake = resolve))
    return answers.shift() ?? ''
  }
  return { socket, closed, answer, ...decodeDataOffer(await offer.promise) }
}

async function dataSocket(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.resume()
  await once(socket, 'connect')
  return socket
}

/** Announces blobs, and puts these bytes on the data connection: the answers. */
async function answersTo(t: TestContext, blobs: readonly Uint8Array[], bytes: Uint8Array): Promise<string[]> {
  const { socket, port, ticket, answer } = await rawClient(t)
  const data = await dataSocket(t, port)
  data.write(Buffer.concat([ticket, bytes]))
  const answers: string[] = []
  for (const blob of blobs) {
    socket.write(announcement(blob))
    answers.push(await answer())
  }
  socket.destroy()
  return answers
}

function announcement(blob: Uint8Array): Buffer {
  const { head, items } = encodeSealedCall(7, 'open', partsOfSealed(blob))
  return Buffer.concat([head, ...items])
}

const [ONE, TWO] = [sealed(Buffer.from('one')), sealed(Buffer.from('two'))]
const [FIRST, SECOND] = [ONE, TWO].map(blob => partsOfSealed(blob).ciphertext) as [Uint8Array, Uint8Array]
const ANNOUNCED = announcement(ONE).subarray(
  -encodeSealedCall(7, 'open', partsOfSealed(ONE)).items[0]!.length,
)
const REFUSED = 'seal-mac-mismatch'

for (const [what, bytes, answers] of [
  ['as they were sent, before they are announced', [FIRST, SECOND], ['one', 'two']],
  ['changed', [FIRST.map((byte, at) => (at === 0 ? byte ^ 1 : byte)), SECOND], [REFUSED, 'two']],
  ['in another order', [SECOND, FIRST], [REFUSED, REFUSED]],
  ['sent again in place of the next', [FIRST, FIRST], ['one', REFUSED]],
  ['with a byte more between them', [FIRST, [0], SECOND], ['one', REFUSED]],
  ['with a byte less', [FIRST.subarray(1), SECOND, [0]], [REFUSED, REFUSED]],
  ['of another session', [partsOfSealed(sealed(Buffer.from('one'))).ciphertext, SECOND], [REFUSED, 'two']],
] as const) {
  test(`ciphertexts ${what}: ${answers.join(', ')}`, async t => {
    assert.deepEqual(
      await answersTo(t, [ONE, TWO], Buffer.concat(bytes.map(part => Buffer.from(part)))),
      answers,
    )
  })
}

test('a data connection that ends within a ciphertext ends its session', async t => {
  const { socket, closed, port, ticket } = await rawClient(t)
  const data = await dataSocket(t, port)
  data.write(Buffer.concat([ticket, FIRST.subarray(1)]))
  socket.write(announcement(ONE))
  data.end()
  await closed
})

test('a data connection that has ended already ends the session with the next sealed call', async t => {
  const { socket, closed, answer, port, ticket } = await rawClient(t)
  const data = await dataSocket(t, port)
  data.end(Buffer.concat([ticket, FIRST]))
  socket.write(announcement(ONE))
  assert.equal(await answer(), 'one')
  await once(data, 'close')
  socket.write(announcement(TWO))
  await closed
})

test('a connection without the ticket is closed, and so is a second one with it', async t => {
  const { socket, answer, port, ticket } = await rawClient(t)
  const stranger = await dataSocket(t, port)
  stranger.write(randomBytes(32))
  await once(stranger, 'close')
  const cut = await dataSocket(t, port)
  cut.end(ticket.subarray(1))
  await once(cut, 'close')
  const data = await dataSocket(t, port)
  data.write(ticket)
  socket.write(announcement(ONE))
  data.write(FIRST)
  assert.equal(await answer(), 'one')
  const second = await dataSocket(t, port)
  second.write(ticket)
  await once(second, 'close')
  socket.write(announcement(TWO))
  data.write(SECOND)
  assert.equal(await answer(), 'two')
  socket.destroy()
  await once(data, 'close')
})

test('a ticket ends with its session', async t => {
  const { socket, closed, port, ticket } = await rawClient(t)
  socket.destroy()
  await closed
  // Whether the server has seen the end already or sees it later.
  const data = await dataSocket(t, port)
  data.write(ticket)
  await once(data, 'close')
})

test('a connection that shows no ticket is closed in time', async t => {
  const { tick } = timersOf(t)
  const { port } = await rawClient(t, { handshakeTimeoutMs: 3_000 })
  const silent = await dataSocket(t, port)
  const closed = once(silent, 'close')
  // Taken by the server only after this turn.
  await new Promise(resolve => setImmediate(resolve))
  while (!silent.destroyed) {
    tick(3_000)
    await new Promise(resolve => setImmediate(resolve))
  }
  await closed
})

for (const [what, bytes] of [
  ['asks for a second data connection', whole(4, [])],
  ['announces what is not the header of a blob', whole(5, [new Uint8Array(148)])],
  [
    'announces a header with a byte more',
    whole(5, [Buffer.concat([partsOfSealed(ONE).header, Buffer.alloc(21)])]),
  ],
  ['announces two at once', whole(5, [ANNOUNCED, ANNOUNCED])],
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
    await closed
  })
}

test('a sealed call without a data connection is cut off', async t => {
  const server = await serverOf(t, OPENS, { dataPort: 0 })
  const { socket, closed } = await connectAttested({ ...server, protocol: ENCLAVE_PROTOCOL })
  socket.on('error', () => undefined)
  socket.resume()
  socket.write(Buffer.concat([whole(0, [LIMITS]), announcement(ONE)]))
  await closed
})

test('strangers who take all places for data connections, and say nothing, keep nobody out', async t => {
  const listener = await DataListener.open({
    host: '127.0.0.1',
    port: 0,
    timeoutMs: 60_000,
    maxConnections: 2,
  })
  t.after(() => listener.close())
  const [first, second] = [await dataSocket(t, listener.port), await dataSocket(t, listener.port)]
  const { promise: admitted, resolve } = Promise.withResolvers<Socket>()
  const { ticket } = listener.expect(resolve)
  const client = await dataSocket(t, listener.port)
  client.write(ticket)
  await admitted
  if (!first.closed) await once(first, 'close')
  const [third] = [await dataSocket(t, listener.port), await dataSocket(t, listener.port)]
  if (!second.closed) await once(second, 'close')
  assert.deepEqual([client.closed, third.closed], [false, false])
})
