// Ciphertexts out of a data connection: they follow one another in the order in which the attested channel announces
// them, and nothing else stands between them. What an attacker changes, adds, drops or moves there does not open.
import type { AnnouncedCall } from './sealed-call.ts'
import { CALL_FRAME, type CallFrame } from './wire.ts'

/** Puts announced calls and their ciphertexts together, one after the other. */
export class Ciphertexts {
  readonly #onCall: (frame: CallFrame) => void
  readonly #announced: AnnouncedCall[] = []
  /** Of the first: its blob, from when its ciphertext begins to come. */
  #blob: Uint8Array<ArrayBuffer> | null = null
  #missing = 0

  constructor(onCall: (frame: CallFrame) => void) {
    this.#onCall = onCall
  }

  /** Calls whose ciphertext has not come as a whole. */
  get count(): number {
    return this.#announced.length
  }

  announce(call: AnnouncedCall): void {
    this.#announced.push(call)
    // An empty one is there already.
    this.push(new Uint8Array())
  }

  /** Takes bytes, and gives back those that nothing was announced for yet. */
  push(chunk: Uint8Array): Uint8Array {
    let rest = chunk
    for (let call = this.#announced[0]; call !== undefined; call = this.#announced[0]) {
      if (rest.length === 0 && call.ciphertextSize > 0) break
      rest = this.#take(rest, call)
      if (this.#missing > 0) break
    }
    return rest
  }

  #take(chunk: Uint8Array, call: AnnouncedCall): Uint8Array {
    const { header, ciphertextSize, tag } = call
    if (this.#blob === null) {
      // Not zeroed: it is given to nobody before all of it has come.
      this.#blob = Buffer.allocUnsafeSlow(header.length + ciphertextSize + tag.length)
      this.#blob.set(header)
      this.#blob.set(tag, header.length + ciphertextSize)
      this.#missing = ciphertextSize
    }
    const taken = Math.min(this.#missing, chunk.length)
    this.#blob.set(chunk.subarray(0, taken), header.length + ciphertextSize - this.#missing)
    this.#missing -= taken
    if (this.#missing === 0) this.#finish(call, this.#blob)
    return chunk.subarray(taken)
  }

  #finish({ id, name }: AnnouncedCall, payload: Uint8Array<ArrayBuffer>): void {
    this.#announced.shift()
    this.#blob = null
    this.#onCall({ type: CALL_FRAME.call, id, name, lengths: [payload.length], payload })
  }
}
