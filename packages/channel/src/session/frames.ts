// Before the application's bytes, small frames go over a session: type, length and body, read one at a time so
// that not a byte of what follows is taken.
import type { TLSSocket } from 'node:tls'
import { ChannelError } from '../errors.ts'

export const FRAME = { hello: 1, binding: 2, ready: 3, refused: 4 } as const
export type FrameType = (typeof FRAME)[keyof typeof FRAME]

/** Type (1), length of the body (4, little-endian). */
const HEADER_SIZE = 5
/** Evidence for one session is the largest. */
const MAX_BODY = 64 * 1024

export interface Frame {
  readonly type: number
  readonly body: Uint8Array
}

export function encodeFrame(type: FrameType, ...parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(HEADER_SIZE)
  header.writeUInt8(type)
  header.writeUInt32LE(
    parts.reduce((size, part) => size + part.length, 0),
    1,
  )
  return Buffer.concat([header, ...parts])
}

const CHANGES = ['readable', 'end', 'close'] as const

/** Reads frames from a socket that nobody else reads from, until it is released. */
export class FrameReader {
  readonly #socket: TLSSocket
  #wake: () => void = () => undefined
  readonly #onChange = (): void => this.#wake()

  constructor(socket: TLSSocket) {
    this.#socket = socket
    // Once and for all: one who begins to listen while some bytes are there is called at once, so that beginning anew
    // for each wait would turn in circles on part of a frame, and nothing else would ever run.
    for (const change of CHANGES) socket.on(change, this.#onChange)
  }

  /** Leaves the socket to whoever reads what follows. */
  release(): void {
    for (const change of CHANGES) this.#socket.off(change, this.#onChange)
  }

  /** @throws {ChannelError} connection-lost, frame-too-large */
  async next(): Promise<Frame> {
    const header = await this.#read(HEADER_SIZE)
    const size = header.readUInt32LE(1)
    if (size > MAX_BODY) {
      throw new ChannelError('frame-too-large', `the peer announces a frame of ${size} bytes`, {
        expected: `at most ${MAX_BODY} bytes`,
        got: `${size} bytes`,
      })
    }
    return { type: header.readUInt8(), body: size === 0 ? new Uint8Array() : await this.#read(size) }
  }

  async #read(size: number): Promise<Buffer> {
    for (;;) {
      const bytes: unknown = this.#socket.read(size)
      // At the end of the stream `read` gives what is left.
      if (bytes instanceof Buffer && bytes.length === size) return bytes
      if (bytes !== null || this.#socket.destroyed || this.#socket.readableEnded) throw lost()
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

function lost(): ChannelError {
  return new ChannelError('connection-lost', 'the peer ended the connection during the handshake')
}
