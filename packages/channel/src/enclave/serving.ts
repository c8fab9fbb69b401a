// One client of an enclave: its calls in, their answers out as they are ready. It is read from only as fast as it is
// answered: while as many calls are under way as may be, or answers wait to be sent, what it sends next stays with TCP.
import { EnclaveError } from '@casemate/enclave'
import { ChannelError } from '../errors.ts'
import type { AttestedConnection } from '../session/connection.ts'
import type { CallTarget } from './call-target.ts'
import type { DataListener } from './data-listener.ts'
import { IncomingData } from './incoming-data.ts'
import { receiveFrames } from './parser.ts'
import { decodeSealedCall } from './sealed-call.ts'
import {
  bodySize,
  CALL_FRAME,
  type CallFrame,
  type CallFrameType,
  decodeLimits,
  encodeDataOffer,
  encodeHead,
  encodeLimits,
  itemsOf,
  violation,
  type WireLimits,
  writeFrame,
} from './wire.ts'

/** An item costs some objects besides its bytes: a frame of 65,535 empty ones is not small. */
const ITEM_COST_BYTES = 256

export interface ServingSettings {
  readonly enclave: CallTarget
  readonly limits: WireLimits
  /** How long a client may take to say what it takes. */
  readonly timeoutMs: number
  /** Null if no sealed calls are taken. */
  readonly data: DataListener | null
  readonly onError: (error: unknown) => void
}

export class Serving {
  readonly #connection: AttestedConnection
  readonly #settings: ServingSettings
  /** Came within one chunk, beyond what may be under way. */
  readonly #waiting: CallFrame[] = []
  #callsInFlight = 0
  #bytesInFlight = 0
  #isBlocked = false
  #clientLimits: WireLimits | null = null
  /** From when the client asks for a data connection. */
  #data: IncomingData | null = null

  constructor(connection: AttestedConnection, settings: ServingSettings) {
    this.#connection = connection
    this.#settings = settings
  }

  start(): void {
    const { socket } = this.#connection
    const { limits, timeoutMs } = this.#settings
    receiveFrames(this.#connection, limits.maxFrameBytes, frame => this.#receive(frame))
    socket.on('drain', () => {
      this.#isBlocked = false
      this.#proceed()
    })
    const timer = setTimeout(() => this.#tooLate(), timeoutMs)
    timer.unref()
    socket.on('close', () => {
      clearTimeout(timer)
      // Nobody waits for these any more, or may: a peer whose verdict has ended calls nothing.
      this.#waiting.splice(0)
    })
    this.#send(CALL_FRAME.limits, 0, { name: '', items: [encodeLimits(limits)] })
  }

  #tooLate(): void {
    if (this.#clientLimits !== null) return
    const { timeoutMs } = this.#settings
    const why = `the client did not say what it takes in ${timeoutMs} ms`
    this.#connection.fail(new ChannelError('handshake-timeout', why, { expected: `at most ${timeoutMs} ms` }))
  }

  #receive(frame: CallFrame): void {
    if (this.#clientLimits === null) {
      this.#clientLimits = decodeLimits(frame)
      return
    }
    if (frame.type === CALL_FRAME.data) this.#offerData(frame.id)
    else if (frame.type === CALL_FRAME.sealedCall) this.#announce(frame)
    else if (frame.type === CALL_FRAME.call) this.#waiting.push(frame)
    else throw violation('calls', `a frame of type ${frame.type}`)
    this.#proceed()
  }

  #offerData(id: number): void {
    const listener = this.#settings.data
    if (listener === null) {
      this.#send(CALL_FRAME.failure, id, { name: 'request-invalid', items: [] })
      return
    }
    if (this.#data !== null) throw violation('one data connection', 'a request for another')
    const data = new IncomingData({
      onCall: frame => {
        this.#waiting.push(frame)
        this.#proceed()
      },
      onLost: error => this.#connection.fail(error),
    })
    const { ticket, cancel } = listener.expect(socket => data.attach(socket))
    this.#connection.socket.on('close', () => {
      cancel()
      data.close()
    })
    this.#data = data
    this.#send(CALL_FRAME.data, id, { name: '', items: [encodeDataOffer({ port: listener.port, ticket })] })
  }

  #announce(frame: CallFrame): void {
    if (this.#data === null) throw violation('a request for a data connection', 'a sealed call without one')
    this.#data.announce(decodeSealedCall(frame, this.#settings.limits.maxFrameBytes))
  }

  #proceed(): void {
    const { socket } = this.#connection
    while (!socket.destroyed && this.#hasRoom()) {
      const frame = this.#waiting.shift()
      if (frame === undefined) break
      this.#callsInFlight++
      this.#bytesInFlight += costOf(frame)
      this.#answer(frame).catch((error: unknown) => this.#settings.onError(error))
    }
    const isHeld = this.#waiting.length > 0 || !this.#hasRoom()
    this.#data?.hold(isHeld)
    const announced = this.#data?.count ?? 0
    if (isHeld || announced >= this.#settings.limits.maxCallsInFlight) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }

  /** For one call more. A client has the bytes of one largest frame here, and what came in one chunk with its end. */
  #hasRoom(): boolean {
    const { maxCallsInFlight, maxFrameBytes } = this.#settings.limits
    return !this.#isBlocked && this.#callsInFlight < maxCallsInFlight && this.#bytesInFlight < maxFrameBytes
  }

  async #answer(frame: CallFrame): Promise<void> {
    // Before the payload is given away.
    const cost = costOf(frame)
    try {
      const items = await this.#call(frame)
      this.#send(CALL_FRAME.answer, frame.id, { name: '', items })
    } catch (error) {
      this.#send(CALL_FRAME.failure, frame.id, this.#failure(error))
    } finally {
      this.#callsInFlight--
      this.#bytesInFlight -= cost
      this.#proceed()
    }
  }

  async #call(frame: CallFrame): Promise<readonly Uint8Array[]> {
    const { enclave } = this.#settings
    const { name, lengths, payload } = frame
    // The buffer is this call's alone: it goes to the instance as it is.
    if (lengths.length === 1) return [await enclave.call(name, payload, { transfer: true })]
    return enclave.callBatch(name, itemsOf(frame), { transfer: true })
  }

  /** A code, and for a status of the enclave's own that status; nothing else of what went wrong inside. */
  #failure(error: unknown): { readonly name: string; readonly items: readonly Uint8Array[] } {
    if (error instanceof ChannelError) return { name: error.code, items: [] }
    if (error instanceof EnclaveError) {
      const status = error.code === 'call-failed' ? (error.got ?? '') : ''
      return { name: error.code, items: [Buffer.from(status, 'utf8')] }
    }
    this.#settings.onError(error)
    return { name: 'call-failed', items: [] }
  }

  /** @throws {ChannelError} frame-too-large, if the client would not take it */
  #send(
    type: CallFrameType,
    id: number,
    frame: { readonly name: string; readonly items: readonly Uint8Array[] },
  ): void {
    const { socket } = this.#connection
    if (!socket.writable) return
    const head = encodeHead(type, id, frame)
    const limit = this.#clientLimits?.maxFrameBytes ?? bodySize(head)
    if (bodySize(head) > limit) {
      throw new ChannelError('frame-too-large', `the answer has ${bodySize(head)} bytes`, {
        expected: `at most ${limit} bytes`,
        got: `${bodySize(head)} bytes`,
      })
    }
    if (!writeFrame(socket, head, frame.items)) this.#isBlocked = true
  }
}

function costOf({ payload, lengths }: CallFrame): number {
  return payload.length + ITEM_COST_BYTES * lengths.length
}
