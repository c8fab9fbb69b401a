// The other end of an enclave server: calls go out as they come, answers come back as they are ready. Whatever ends
// the connection ends each call that has no answer, which may have run or not.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ENCLAVE_ERRORS, EnclaveError, type EnclaveErrorCode } from '@casemate/enclave'
import { ChannelError, isChannelErrorCode } from '../errors.ts'
import type { Peer } from '../peer/demands.ts'
import { type ConnectOptions, connectAttested } from '../session/connect.ts'
import type { AttestedConnection } from '../session/connection.ts'
import { DEFAULT_HANDSHAKE_TIMEOUT_MS } from '../session/establish.ts'
import { connectData } from './outgoing-data.ts'
import { receiveFrames } from './parser.ts'
import { encodeSealedCall, partsOfSealed } from './sealed-call.ts'
import {
  bodySize,
  CALL_FRAME,
  type CallFrame,
  type CallFrameType,
  DEFAULT_WIRE_LIMITS,
  decodeDataOffer,
  decodeLimits,
  ENCLAVE_PROTOCOL,
  encodeHead,
  encodeLimits,
  itemsOf,
  violation,
  type WireLimits,
  writeFrame,
} from './wire.ts'

/** Calls that wait for others to be answered; whoever has more to do has to wait for answers. */
const MAX_WAITING = 65_536

export interface ConnectEnclaveOptions extends Omit<ConnectOptions, 'protocol'> {
  /** Default {@link DEFAULT_WIRE_LIMITS}: what this side takes. The server's are kept to as well. */
  readonly limits?: Partial<WireLimits>
}

interface Request {
  readonly encode: (id: number) => { readonly head: Buffer; readonly items: readonly Uint8Array[] }
  /** For the data connection. */
  readonly ciphertext?: Uint8Array
  /** Of the frame that answers it, if no failure does; and how many items that has. */
  readonly answer: CallFrameType
  readonly count: number
}

interface Pending extends Pick<Request, 'answer' | 'count'> {
  readonly resolve: (outputs: readonly Uint8Array[]) => void
  readonly reject: (error: Error) => void
}

type Waiting = Request & Pending

interface ClientSettings {
  /** Where data connections go as well. */
  readonly host: string
  readonly limits: WireLimits
  readonly timeoutMs: number
}

/** @throws {ChannelError} with the code of what is wrong */
export async function connectEnclave({ limits, ...options }: ConnectEnclaveOptions): Promise<EnclaveClient> {
  const connection = await connectAttested({ ...options, protocol: ENCLAVE_PROTOCOL })
  return EnclaveClient.open(connection, {
    host: options.host,
    limits: { ...DEFAULT_WIRE_LIMITS, ...limits },
    timeoutMs: options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
  })
}

export class EnclaveClient {
  /** Resolves when the connection has ended: with why, or with null if either side closed it. */
  readonly closed: Promise<ChannelError | null>
  readonly #connection: AttestedConnection
  readonly #settings: ClientSettings
  readonly #ready = Promise.withResolvers<WireLimits>()
  readonly #pending = new Map<number, Pending>()
  readonly #waiting: Waiting[] = []
  #server: WireLimits | null = null
  #nextId = 0
  /** Sockets that have enough for now. */
  readonly #blocked = new Set<object>()
  #data: Promise<void> | null = null
  #dataSocket: Socket | null = null
  #isClosing = false
  #end: ChannelError | null = null
  /** Of those who close. */
  #idle: PromiseWithResolvers<void> | null = null

  private constructor(connection: AttestedConnection, settings: ClientSettings) {
    this.#connection = connection
    this.#settings = settings
    this.closed = connection.closed
    this.#start()
  }

  /** Resolves when the server has said what it takes. @throws {ChannelError} connection-lost, handshake-timeout */
  static async open(connection: AttestedConnection, settings: ClientSettings): Promise<EnclaveClient> {
    const { timeoutMs } = settings
    const client = new EnclaveClient(connection, settings)
    const late = new ChannelError(
      'handshake-timeout',
      `the server did not say what it takes in ${timeoutMs} ms`,
    )
    const timer = setTimeout(() => connection.fail(late), timeoutMs)
    try {
      await client.#ready.promise
    } finally {
      clearTimeout(timer)
    }
    return client
  }

  /** The enclave's side; null if anyone was taken. */
  get peer(): Peer | null {
    return this.#connection.peer
  }

  /**
   * The answer to one input, which must not be changed before it has come.
   * @throws {EnclaveError} as a call in the same process; `enclave-crashed` and its like end nothing but the call
   * @throws {ChannelError} frame-too-large, too-many-calls, connection-lost, channel-closed
   */
  async call(name: string, input: Uint8Array): Promise<Uint8Array> {
    return this.#callOne({
      encode: id => frameOf(id, name, [input]),
      answer: CALL_FRAME.answer,
      count: 1,
    })
  }

  /**
   * As `call`, with what `seal` gave as its input: the ciphertext goes beside the channel, encrypted once. The function
   * must open it, and must take nothing of it for granted before.
   * @throws {ChannelError} as `call`; request-invalid if it is no sealed blob, or the server takes no sealed calls;
   * connect-failed
   */
  async callSealed(name: string, blob: Uint8Array): Promise<Uint8Array> {
    const parts = partsOfSealed(blob)
    await (this.#data ??= this.#openData())
    return this.#callOne({
      encode: id => encodeSealedCall(id, name, parts),
      ciphertext: parts.ciphertext,
      answer: CALL_FRAME.answer,
      count: 1,
    })
  }

  /** The answers to many inputs, in their order: all of them or none. @throws as `call` */
  async callBatch(name: string, inputs: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    if (inputs.length === 0) return []
    return this.#enqueue({
      encode: id => frameOf(id, name, inputs),
      answer: CALL_FRAME.answer,
      count: inputs.length,
    })
  }

  /** Takes no more calls, waits for the answers to those that there are, then ends the connection. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (this.#end === null && this.#pending.size + this.#waiting.length > 0) {
      this.#idle ??= Promise.withResolvers<void>()
      await this.#idle.promise
    }
    await this.#connection.close()
  }

  #start(): void {
    const { socket } = this.#connection
    const { limits } = this.#settings
    receiveFrames(this.#connection, limits.maxFrameBytes, frame => this.#receive(frame))
    this.#proceedOnDrain(socket)
    void this.closed.then(reason => this.#lose(reason))
    const { head, items } = frameOf(0, '', [encodeLimits(limits)], CALL_FRAME.limits)
    writeFrame(socket, head, items)
  }

  #proceedOnDrain(socket: Duplex): void {
    socket.on('drain', () => {
      this.#blocked.delete(socket)
      this.#proceed()
    })
  }

  async #openData(): Promise<void> {
    const offer = await this.#callOne({
      encode: id => frameOf(id, '', [], CALL_FRAME.data),
      answer: CALL_FRAME.data,
      count: 1,
    })
    const { host, timeoutMs } = this.#settings
    const socket = await connectData({ ...decodeDataOffer(offer), host, timeoutMs })
    if (this.#end !== null) {
      socket.destroy()
      throw this.#end
    }
    this.#dataSocket = socket
    this.#proceedOnDrain(socket)
    socket.once('close', () => {
      if (!this.#isClosing)
        this.#connection.fail(new ChannelError('connection-lost', 'the data connection ended'))
    })
  }

  async #callOne(request: Request): Promise<Uint8Array> {
    const [output] = await this.#enqueue(request)
    if (output === undefined) throw violation('one answer', 'none')
    return output
  }

  #enqueue(request: Request): Promise<readonly Uint8Array[]> {
    return new Promise((resolve, reject) => {
      const refused = this.#refusal()
      if (refused !== null) {
        reject(refused)
        return
      }
      this.#waiting.push({ ...request, resolve, reject })
      this.#proceed()
    })
  }

  #refusal(): ChannelError | null {
    if (this.#end !== null) return this.#end
    if (this.#isClosing) return new ChannelError('channel-closed', 'this side closed the channel')
    if (this.#waiting.length < MAX_WAITING) return null
    return new ChannelError('too-many-calls', `${MAX_WAITING} calls wait already`, {
      hint: 'wait for answers before you call again',
    })
  }

  #proceed(): void {
    const most = this.#server?.maxCallsInFlight ?? 0
    while (this.#blocked.size === 0 && this.#end === null && this.#pending.size < most) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#send(next)
    }
  }

  #send({ encode, ciphertext, ...pending }: Waiting): void {
    const id = this.#nextId
    this.#nextId = (id + 1) >>> 0
    let frame: ReturnType<Request['encode']>
    try {
      frame = encode(id)
      this.#checkSize(bodySize(frame.head) + (ciphertext?.length ?? 0))
    } catch (error) {
      pending.reject(error as Error)
      this.#checkIdle()
      return
    }
    this.#pending.set(id, pending)
    const { socket } = this.#connection
    if (!writeFrame(socket, frame.head, frame.items)) this.#blocked.add(socket)
    // In the same order as the announcements, always.
    const data = this.#dataSocket
    if (ciphertext !== undefined && data?.write(ciphertext) === false) this.#blocked.add(data)
  }

  #checkSize(size: number): void {
    const limit = this.#server?.maxFrameBytes ?? 0
    if (size <= limit) return
    throw new ChannelError('frame-too-large', `the call has ${size} bytes, the server takes ${limit}`, {
      expected: `at most ${limit} bytes`,
      got: `${size} bytes`,
    })
  }

  #receive(frame: CallFrame): void {
    if (this.#server === null) {
      this.#server = decodeLimits(frame)
      this.#ready.resolve(this.#server)
      return
    }
    const pending = this.#pending.get(frame.id)
    if (pending === undefined) throw violation('answers to calls', `one to ${frame.id}, which is no call`)
    const isAnswer = frame.type === pending.answer && frame.lengths.length === pending.count
    if (isAnswer) pending.resolve(itemsOf(frame))
    else if (frame.type === CALL_FRAME.failure) pending.reject(failureOf(frame))
    else
      throw violation('answers to all inputs of a call', `type ${frame.type}, ${frame.lengths.length} items`)
    this.#pending.delete(frame.id)
    this.#proceed()
    this.#checkIdle()
  }

  #checkIdle(): void {
    if (this.#pending.size + this.#waiting.length === 0) this.#idle?.resolve()
  }

  #lose(reason: ChannelError | null): void {
    const cause = reason ?? undefined
    const why = reason === null ? 'the connection was closed' : reason.message
    this.#end = this.#isClosing
      ? new ChannelError('channel-closed', 'this side closed the channel', { cause })
      : new ChannelError('connection-lost', `${why}: the call has no answer, and may have run`, {
          ...(reason === null ? {} : { got: reason.code }),
          cause,
          hint: 'connect again; call again where the function may run twice',
        })
    this.#dataSocket?.destroy()
    this.#ready.reject(this.#end)
    this.#ready.promise.catch(() => undefined)
    for (const { reject } of [...this.#pending.values(), ...this.#waiting.splice(0)]) reject(this.#end)
    this.#pending.clear()
    this.#idle?.resolve()
  }
}

function frameOf(
  id: number,
  name: string,
  items: readonly Uint8Array[],
  type: CallFrameType = CALL_FRAME.call,
): { readonly head: Buffer; readonly items: readonly Uint8Array[] } {
  return { head: encodeHead(type, id, { name, items }), items }
}

/** The error that the same call would have met in the server's process, without what only that process may know. */
function failureOf(frame: CallFrame): Error {
  const { name: code } = frame
  const [status] = itemsOf(frame)
  const got = status === undefined ? '' : Buffer.from(status).toString('utf8')
  if (isEnclaveErrorCode(code)) {
    return new EnclaveError(code, `the enclave answered: ${ENCLAVE_ERRORS[code]}`, got === '' ? {} : { got })
  }
  if (isChannelErrorCode(code)) return new ChannelError(code, 'the server could not send the answer')
  return new ChannelError('protocol-violation', 'the server gave a code that is not known here')
}

function isEnclaveErrorCode(text: string): text is EnclaveErrorCode {
  return Object.hasOwn(ENCLAVE_ERRORS, text)
}
