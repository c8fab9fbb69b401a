// What goes over a session before the application does: small frames of type, length and body, read one at a time so
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

/** Reads frames from a socket that nobody else reads from. */
export class FrameReader {
  readonly #socket: TLSSocket

  constructor(socket: TLSSocket) {
    this.#socket = socket
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
      await this.#readable()
    }
  }

  #readable(): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => (): void => {
        socket.off('readable', onReadable)
        socket.off('end', onEnd)
        socket.off('close', onEnd)
        settle()
      }
      const onReadable = finish(resolve)
      const onEnd = finish(() => reject(lost()))
      socket.on('readable', onReadable)
      socket.on('end', onEnd)
      socket.on('close', onEnd)
    })
  }
}

function lost(): ChannelError {
  return new ChannelError('connection-lost', 'the peer ended the connection during the handshake')
}
