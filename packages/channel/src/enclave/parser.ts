// Frames out of a stream of chunks, whatever their boundaries. The items of a frame are copied once, into a buffer
// that is whoever takes the frame's.
import { asChannelError, ChannelError } from '../errors.ts'
import type { AttestedConnection } from '../session/connection.ts'
import { type CallFrame, HEADER_SIZE, LENGTH_SIZE, violation } from './wire.ts'

interface Header {
  readonly size: number
  readonly type: number
  readonly nameLength: number
  readonly count: number
  readonly id: number
}

export class FrameParser {
  readonly #maxFrameBytes: number
  readonly #onFrame: (frame: CallFrame) => void
  /** Header, name and lengths, as far as they have come. */
  #head: Buffer = Buffer.alloc(HEADER_SIZE)
  #headSize = 0
  #header: Header | null = null
  /** Items, as far as they have come. */
  #frame: Omit<CallFrame, 'payload'> | null = null
  #payload: Uint8Array<ArrayBuffer> = new Uint8Array()
  #payloadSize = 0

  constructor(maxFrameBytes: number, onFrame: (frame: CallFrame) => void) {
    this.#maxFrameBytes = maxFrameBytes
    this.#onFrame = onFrame
  }

  /** @throws {ChannelError} frame-too-large, protocol-violation */
  push(chunk: Uint8Array): void {
    let rest = chunk
    // An empty frame ends with its header.
    while (rest.length > 0) {
      rest = this.#frame === null ? this.#takeHead(rest) : this.#takePayload(rest)
      if (this.#frame !== null && this.#payloadSize === this.#payload.length) this.#finish(this.#frame)
    }
  }

  #takeHead(chunk: Uint8Array): Uint8Array {
    const taken = Math.min(this.#head.length - this.#headSize, chunk.length)
    this.#head.set(chunk.subarray(0, taken), this.#headSize)
    this.#headSize += taken
    if (this.#header === null && this.#headSize === HEADER_SIZE) this.#readHeader()
    if (this.#header !== null && this.#headSize === this.#head.length) this.#readPrefix(this.#header)
    return chunk.subarray(taken)
  }

  #readHeader(): void {
    const header = {
      size: this.#head.readUInt32LE(0),
      type: this.#head.readUInt8(4),
      nameLength: this.#head.readUInt8(5),
      count: this.#head.readUInt16LE(6),
      id: this.#head.readUInt32LE(8),
    }
    if (header.size > this.#maxFrameBytes) {
      throw new ChannelError('frame-too-large', `the peer announces a frame of ${header.size} bytes`, {
        expected: `at most ${this.#maxFrameBytes} bytes`,
        got: `${header.size} bytes`,
      })
    }
    const prefix = header.nameLength + LENGTH_SIZE * header.count
    if (prefix > header.size) throw violation('a frame that holds its name and lengths', 'a shorter one')
    this.#header = header
    const whole = Buffer.allocUnsafe(HEADER_SIZE + prefix)
    whole.set(this.#head)
    this.#head = whole
  }

  #readPrefix({ size, type, nameLength, count, id }: Header): void {
    const at = HEADER_SIZE + nameLength
    const lengths = Array.from({ length: count }, (_, index) =>
      this.#head.readUInt32LE(at + LENGTH_SIZE * index),
    )
    const payloadSize = size - nameLength - LENGTH_SIZE * count
    const stated = lengths.reduce((sum, length) => sum + length, 0)
    if (stated !== payloadSize) throw violation(`items of ${payloadSize} bytes`, `items of ${stated} bytes`)
    const name = this.#head.toString('utf8', HEADER_SIZE, at)
    this.#frame = { type, id, name, lengths }
    // Not zeroed: it is given to nobody before all of it has come.
    this.#payload = Buffer.allocUnsafeSlow(payloadSize)
    this.#payloadSize = 0
  }

  #takePayload(chunk: Uint8Array): Uint8Array {
    const taken = Math.min(this.#payload.length - this.#payloadSize, chunk.length)
    this.#payload.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), this.#payloadSize)
    this.#payloadSize += taken
    return chunk.subarray(taken)
  }

  #finish(frame: Omit<CallFrame, 'payload'>): void {
    const payload = this.#payload
    this.#head = Buffer.alloc(HEADER_SIZE)
    this.#headSize = 0
    this.#header = null
    this.#frame = null
    this.#payload = new Uint8Array()
    this.#onFrame({ ...frame, payload })
  }
}

/** Frames of a connection from here on; what is no frame, or is taken for none, ends it. */
export function receiveFrames(
  connection: AttestedConnection,
  maxFrameBytes: number,
  onFrame: (frame: CallFrame) => void,
): void {
  const parser = new FrameParser(maxFrameBytes, onFrame)
  connection.socket.on('data', (chunk: Buffer) => {
    try {
      parser.push(chunk)
    } catch (error) {
      connection.fail(asChannelError(error))
    }
  })
}
