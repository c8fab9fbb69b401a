// The floor under a frame: one pass of AES-256-GCM in each of two processes, and the kernel's bytes between them. What
// the camera and the enclave's server do beside that (seals, frames, channel, instance, detector) is held against it.
import { createCipheriv, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ANSWER_SIZE } from '../frame.ts'

export const CIPHER = 'aes-256-gcm'
export const TAG_SIZE = 16
/** Encrypted at a time, in bytes: it is still in the processor's cache when the kernel copies it. */
const PIECE_SIZE = 65_536

/** At once: garbage collection is late for large buffers. */
export function free({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** A counter: the key is made for one measurement, on one connection. */
export function nonceOf(sequence: number): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setUint32(0, sequence)
  return nonce
}

export interface FloorLoad {
  readonly pictures: readonly Uint8Array[]
  readonly frames: number
  /** Frames that are not answered yet. */
  readonly inFlight: number
}

export class FloorCamera {
  readonly #socket: Socket
  readonly #key: KeyObject
  #sequence = 0
  #answered = 0
  #onAnswer: () => void = () => undefined

  private constructor(socket: Socket, key: KeyObject) {
    this.#socket = socket
    this.#key = key
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      this.#answered = Math.floor(bytes / ANSWER_SIZE)
      this.#onAnswer()
    })
  }

  static async open(port: number, key: KeyObject): Promise<FloorCamera> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new FloorCamera(socket, key)
  }

  /** Frames a second. */
  async measure({ pictures, frames, inFlight }: FloorLoad): Promise<number> {
    const [start, end] = [performance.now(), this.#sequence + frames]
    while (this.#answered < end) {
      while (this.#sequence < end && this.#sequence - this.#answered < inFlight) this.#send(pictures)
      await new Promise<void>(resolve => {
        this.#onAnswer = resolve
      })
    }
    return (frames * 1000) / (performance.now() - start)
  }

  close(): void {
    this.#socket.destroy()
  }

  #send(pictures: readonly Uint8Array[]): void {
    const picture = pictures[this.#sequence % pictures.length] ?? new Uint8Array()
    const cipher = createCipheriv(CIPHER, this.#key, nonceOf(this.#sequence++), { authTagLength: TAG_SIZE })
    for (let at = 0; at < picture.length; at += PIECE_SIZE) {
      const piece = cipher.update(picture.subarray(at, at + PIECE_SIZE))
      this.#socket.write(piece, () => free(piece))
    }
    cipher.final()
    this.#socket.write(cipher.getAuthTag())
  }
}
