// Sealed blobs, what opens them, and the two ends of a data connection whose every byte a test writes itself.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { openBrokerRoot, type SealingIdentity, seal, type UnsealOptions, unseal } from '@casemate/enclave'
import { FrameParser } from '../../src/enclave/parser.ts'
import { encodeSealedCall, partsOfSealed } from '../../src/enclave/sealed-call.ts'
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
  type CallTarget,
  connectAttested,
  connectEnclave,
  ENCLAVE_PROTOCOL,
  type EnclaveClient,
  type ServeEnclaveOptions,
} from '../../src/index.ts'
import { identityOf, intelMachine, listenerOf, serverOf } from '../fixtures.ts'

const identity: SealingIdentity = {
  mrEnclave: new Uint8Array(32).fill(1),
  mrSigner: new Uint8Array(32).fill(2),
  isvProdId: 0,
  isvSvn: 1,
  debug: false,
}

export const KEYS: UnsealOptions = {
  root: openBrokerRoot({ path: 'a/b/c', key: new Uint8Array(32).fill(3) }),
  identity,
}

export const sealed = (plaintext: Uint8Array): Uint8Array =>
  seal(plaintext, { ...KEYS, policy: 'mrEnclave', additionalData: Buffer.from('which one') })

/** Opens what it gets, as an enclave would: the plaintext, or the code of why not. */
export const OPENS: CallTarget = {
  call: async (_, input) => opened(input),
  callBatch: async (_, inputs) => inputs.map(opened),
}

export function opened(input: Uint8Array): Uint8Array {
  try {
    return unseal(input, KEYS).plaintext
  } catch (error) {
    return Buffer.from((error as { code: string }).code)
  }
}

export const plain = (value: Uint8Array): Uint8Array => new Uint8Array(value)

export const LIMITS = encodeLimits({ maxFrameBytes: 1_000_000, maxCallsInFlight: 64 })

export const whole = (type: 0 | 1 | 4 | 5, items: readonly Uint8Array[]): Buffer =>
  Buffer.concat([encodeHead(type, 7, { name: 'open', items }), ...items])

export function announcement(blob: Uint8Array, name = 'open'): Buffer {
  const { head, items } = encodeSealedCall(7, name, partsOfSealed(blob))
  return Buffer.concat([head, ...items])
}

export const [ONE, TWO] = [sealed(Buffer.from('one')), sealed(Buffer.from('two'))]

export const [FIRST, SECOND] = [ONE, TWO].map(blob => partsOfSealed(blob).ciphertext) as [
  Uint8Array,
  Uint8Array,
]

interface Raw {
  readonly socket: Awaited<ReturnType<typeof connectAttested>>['socket']
  readonly closed: Promise<unknown>
  /** Of the data connection. */
  readonly port: number
  readonly ticket: Uint8Array
  /** Answers, in the order in which they come. */
  readonly answer: () => Promise<Buffer>
}

/** A client whose every byte the test writes itself. */
export async function rawClient(t: TestContext, options: Partial<ServeEnclaveOptions> = {}): Promise<Raw> {
  const server = await serverOf(t, OPENS, { dataPort: 0, ...options })
  const { socket, closed } = await connectAttested({ ...server, protocol: ENCLAVE_PROTOCOL })
  socket.on('error', () => undefined)
  const answers: Buffer[] = []
  let wake: () => void = () => undefined
  const offer = Promise.withResolvers<Uint8Array>()
  const parser = new FrameParser(1_000_000, frame => {
    const [item = new Uint8Array()] = itemsOf(frame)
    if (frame.type === CALL_FRAME.data) offer.resolve(item)
    if (frame.type !== CALL_FRAME.answer) return
    answers.push(Buffer.from(item))
    wake()
  })
  socket.on('data', (chunk: Buffer) => parser.push(chunk))
  socket.write(Buffer.concat([whole(0, [LIMITS]), whole(4, [])]))
  const answer = async (): Promise<Buffer> => {
    while (answers.length === 0) await new Promise<void>(resolve => (wake = resolve))
    return answers.shift() ?? Buffer.alloc(0)
  }
  return { socket, closed, answer, ...decodeDataOffer(await offer.promise) }
}

export async function dataSocket(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.resume()
  await once(socket, 'connect')
  return socket
}

interface Offering {
  readonly client: EnclaveClient
  readonly closeSession: () => Promise<void>
  /** Of the client, at the server's end; nothing reads it. */
  readonly data: Promise<Socket>
  readonly ticket: Uint8Array
  /** Frames of sealed calls. */
  readonly announced: readonly CallFrame[]
}

/** A client of a server that offers a data connection and answers no call. */
export async function offering(t: TestContext): Promise<Offering> {
  const { promise: data, resolve } = Promise.withResolvers<Socket>()
  const server = createServer(socket => resolve(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const ticket = randomBytes(32)
  const announced: CallFrame[] = []
  const machine = await intelMachine('tdx')
  const listener = await listenerOf(t, await identityOf(t, machine.driver), {
    protocol: ENCLAVE_PROTOCOL,
    onConnection: ({ socket }) => {
      const parser = new FrameParser(100_000, frame => {
        const items = [encodeDataOffer({ port, ticket })]
        if (frame.type === CALL_FRAME.sealedCall) announced.push(frame)
        if (frame.type !== CALL_FRAME.data) return
        socket.write(Buffer.concat([encodeHead(CALL_FRAME.data, frame.id, { name: '', items }), ...items]))
      })
      socket.on('data', (chunk: Buffer) => parser.push(chunk))
      socket.on('error', () => undefined)
      socket.write(whole(0, [LIMITS]))
    },
  })
  const client = await connectEnclave({ ...listener, peer: machine.demands })
  return { client, data, ticket, announced, closeSession: () => listener.close() }
}
