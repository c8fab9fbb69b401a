// The other end of an enclave server: calls go out as they come, answers come back as they are ready. Whatever ends
// the connection ends each call that has no answer, which may have run or not.
import { ENCLAVE_ERRORS, EnclaveError, type EnclaveErrorCode } from '@casemate/enclave'
import { ChannelError, isChannelErrorCode } from '../errors.ts'
import type { Peer } from '../peer/demands.ts'
import { type ConnectOptions, connectAttested } from '../session/connect.ts'
import type { AttestedConnection } from '../session/connection.ts'
import { DEFAULT_HANDSHAKE_TIMEOUT_MS } from '../session/establish.ts'
import { receiveFrames } from './parser.ts'
import {
  bodySize,
  CALL_FRAME,
  type CallFrame,
  DEFAULT_WIRE_LIMITS,
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

interface Pending {
  /** Inputs, and so outputs. */
  readonly count: number
  readonly resolve: (outputs: readonly Uint8Array[]) => void
  readonly reject: (error: Error) => void
}

interface Waiting extends Omit<Pending, 'count'> {
  readonly name: string
  readonly inputs: readonly Uint8Array[]
}

/** @throws {ChannelError} with the code of what is wrong */
export async function connectEnclave({ limits, ...options }: ConnectEnclaveOptions): Promise<EnclaveClient> {
  const connection = await connectAttested({ ...options, protocol: ENCLAVE_PROTOCOL })
  return EnclaveClient.open(connection, {
    limits: { ...DEFAULT_WIRE_LIMITS, ...limits },
    timeoutMs: options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
  })
}

export class EnclaveClient {
  /** Resolves when the connection has ended: with why, or with null where either side closed it. */
  readonly closed: Promise<ChannelError | null>
  readonly #connection: AttestedConnection
  readonly #limits: WireLimits
  readonly #ready = Promise.withResolvers<WireLimits>()
  readonly #pending = new Map<number, Pending>()
  readonly #waiting: Waiting[] = []
  #server: WireLimits | null = null
  #nextId = 0
  #isBlocked = false
  #isClosing = false
  #end: ChannelError | null = null
  /** Of those who close. */
  #idle: PromiseWithResolvers<void> | null = null

  private constructor(connection: AttestedConnection, limits: WireLimits) {
    this.#connection = connection
    this.#limits = limits
    this.closed = connection.closed
    this.#start()
  }

  /** Resolves when the server has said what it takes. @throws {ChannelError} connection-lost, handshake-timeout */
  static async open(
    connection: AttestedConnection,
    { limits, timeoutMs }: { readonly limits: WireLimits; readonly timeoutMs: number },
  ): Promise<EnclaveClient> {
    const client = new EnclaveClient(connection, limits)
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

  /** The enclave's side; null where anyone was taken. */
  get peer(): Peer | null {
    return this.#connection.peer
  }

  /**
   * The answer to one input, which must not be changed before it has come.
   * @throws {EnclaveError} as a call in the same process; `enclave-crashed` and its like end nothing but the call
   * @throws {ChannelError} frame-too-large, too-many-calls, connection-lost, channel-closed
   */
  async call(name: string, input: Uint8Array): Promise<Uint8Array> {
    const [output] = await this.#enqueue(name, [input])
    if (output === undefined) throw violation('one answer', 'none')
    return output
  }

  /** The answers to many inputs, in their order: all of them or none. @throws as `call` */
  async callBatch(name: string, inputs: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    return inputs.length === 0 ? [] : this.#enqueue(name, inputs)
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
    receiveFrames(this.#connection, this.#limits.maxFrameBytes, frame => this.#receive(frame))
    socket.on('drain', () => {
      this.#isBlocked = false
      this.#proceed()
    })
    void this.closed.then(reason => this.#lose(reason))
    const items = [encodeLimits(this.#limits)]
    writeFrame(socket, encodeHead(CALL_FRAME.limits, 0, { name: '', items }), items)
  }

  #enqueue(name: string, inputs: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    return new Promise((resolve, reject) => {
      const refused = this.#refusal()
      if (refused !== null) {
        reject(refused)
        return
      }
      this.#waiting.push({ name, inputs, resolve, reject })
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
    while (!this.#isBlocked && this.#end === null && this.#pending.size < most) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#send(next)
    }
  }

  #send({ name, inputs, resolve, reject }: Waiting): void {
    const id = this.#nextId
    this.#nextId = (id + 1) >>> 0
    let head: Buffer
    try {
      head = encodeHead(CALL_FRAME.call, id, { name, items: inputs })
      this.#checkSize(head)
    } catch (error) {
      reject(error as Error)
      this.#checkIdle()
      return
    }
    this.#pending.set(id, { count: inputs.length, resolve, reject })
    if (!writeFrame(this.#connection.socket, head, inputs)) this.#isBlocked = true
  }

  #checkSize(head: Buffer): void {
    const limit = this.#server?.maxFrameBytes ?? 0
    if (bodySize(head) <= limit) return
    throw new ChannelError(
      'frame-too-large',
      `the call has ${bodySize(head)} bytes, the server takes ${limit}`,
      {
        expected: `at most ${limit} bytes`,
        got: `${bodySize(head)} bytes`,
      },
    )
  }

  #receive(frame: CallFrame): void {
    if (this.#server === null) {
      this.#server = decodeLimits(frame)
      this.#ready.resolve(this.#server)
      return
    }
    const pending = this.#pending.get(frame.id)
    if (pending === undefined) throw violation('answers to calls', `one to ${frame.id}, which is no call`)
    const isAnswer = frame.type === CALL_FRAME.answer && frame.lengths.length === pending.count
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
    this.#ready.reject(this.#end)
    this.#ready.promise.catch(() => undefined)
    for (const { reject } of [...this.#pending.values(), ...this.#waiting.splice(0)]) reject(this.#end)
    this.#pending.clear()
    this.#idle?.resolve()
  }
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
