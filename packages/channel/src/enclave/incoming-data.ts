// The data connection of one session on the server's end. It is read only while something was announced that has not
// come, and while the calls that did come find room.
import type { Socket } from 'node:net'
import { ChannelError } from '../errors.ts'
import { Ciphertexts } from './ciphertexts.ts'
import type { AnnouncedCall } from './sealed-call.ts'
import type { CallFrame } from './wire.ts'

export interface IncomingDataEvents {
  readonly onCall: (frame: CallFrame) => void
  /** Ciphertexts that were announced can no longer come. */
  readonly onLost: (error: ChannelError) => void
}

export class IncomingData {
  readonly #events: IncomingDataEvents
  readonly #ciphertexts: Ciphertexts
  #socket: Socket | null = null
  /** Came before it was announced: at most one chunk. */
  #early: Uint8Array = new Uint8Array()
  #isHeld = false
  #isLost = false

  constructor(events: IncomingDataEvents) {
    this.#events = events
    this.#ciphertexts = new Ciphertexts(events.onCall)
  }

  /** Sealed calls that are not there as a whole. */
  get count(): number {
    return this.#ciphertexts.count
  }

  attach(socket: Socket): void {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#early = this.#ciphertexts.push(chunk)
      this.#flow()
    })
    socket.once('close', () => {
      this.#isLost = true
      this.#checkLost()
    })
    this.#flow()
  }

  announce(call: AnnouncedCall): void {
    this.#ciphertexts.announce(call)
    this.#early = this.#ciphertexts.push(this.#early)
    this.#flow()
    this.#checkLost()
  }

  /** Whether there is no room for more calls. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#flow()
  }

  close(): void {
    this.#socket?.destroy()
  }

  #flow(): void {
    if (this.#isHeld || this.count === 0) this.#socket?.pause()
    else this.#socket?.resume()
  }

  #checkLost(): void {
    if (!this.#isLost || this.count === 0) return
    this.#events.onLost(
      new ChannelError('connection-lost', 'the data connection ended before all that was announced had come'),
    )
  }
}
