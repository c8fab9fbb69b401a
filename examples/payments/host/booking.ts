// The one instance that remembers payments and limits. Frames are booked one after the other; the next is booked while the
// last is being written, and nobody gets an answer before all that it rests on is on disk. Where the instance or the disk
// fails, everything that is not on disk fails with it: a new instance learns what is, and the senders send again.
import { type Enclave, EnclaveError } from '@casemate/enclave'
import { type Disclosed, decodeBooked, decodeDisclosed, encodeBooking, encodeDisclosure } from '../frames.ts'
import type { Journal } from './journal.ts'
import type { Preparation } from './preparation.ts'

export interface BookingOptions {
  readonly journal: Journal
  readonly openEnclave: () => Promise<Enclave>
  readonly prepare: Preparation
  /** Told what happened that no caller is told in full. */
  readonly report: (what: string) => void
}

interface Job {
  readonly day: number
  readonly records: Uint8Array
  readonly resolve: (answers: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

export class Booking {
  readonly #options: BookingOptions
  #enclave: Enclave
  readonly #queue: Job[] = []
  #isWorking = false
  #isClosed = false
  #nextFrame = 1
  /** Of the frame that was booked last; those before it are written no later. */
  #written: Promise<void> = Promise.resolve()
  /** Why what is booked is not what is on disk. */
  #broken: unknown = null

  private constructor(options: BookingOptions, enclave: Enclave) {
    this.#options = options
    this.#enclave = enclave
  }

  static async open(options: BookingOptions): Promise<Booking> {
    const booking = new Booking(options, await options.openEnclave())
    await booking.#replay()
    return booking
  }

  /** Answers, once they are on disk. @throws {EnclaveError} if nothing was decided @throws {LedgerError} */
  book(day: number, records: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ day, records, resolve, reject })
      if (!this.#isWorking) void this.#work()
    })
  }

  /** @throws {EnclaveError} */
  async disclose(leaf: number, sealed: Uint8Array): Promise<Disclosed> {
    return decodeDisclosed(await this.#enclave.call('disclose', encodeDisclosure(leaf, sealed)))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#written.catch(() => undefined)
    await this.#enclave.close()
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      try {
        if (this.#broken !== null) await this.#recover()
        await this.#bookOne(job)
      } catch (error) {
        // A status is an answer, and leaves the instance as it was; else nobody knows what it still knows.
        const isStatus = error instanceof EnclaveError && error.code === 'call-failed'
        if (!isStatus) this.#broken ??= error
        job.reject(error)
      }
    }
    this.#isWorking = false
  }

  /** Resolves when it is booked; its answer follows when it is written. */
  async #bookOne({ day, records, resolve, reject }: Job): Promise<void> {
    const input = encodeBooking({ frame: this.#nextFrame, day, records })
    const output = await this.#enclave.call('book', input, { transfer: true })
    const { answers, frame, decisions, root, sealed } = decodeBooked(output)
    if (frame !== 0) {
      this.#nextFrame = frame + 1
      this.#written = this.#options.journal.append({ frame, decisions, root }, sealed)
    }
    // An earlier decision may have been made a moment ago, and still be on its way to the disk.
    this.#written.then(
      () => resolve(answers),
      (error: unknown) => {
        this.#broken ??= error
        reject(error)
      },
    )
  }

  /** A new instance, which knows what is on disk. */
  async #recover(): Promise<void> {
    const reason = this.#broken instanceof Error ? this.#broken.message : String(this.#broken)
    await this.#written.catch(() => undefined)
    await this.#enclave.close()
    if (this.#isClosed) throw new EnclaveError('enclave-closed', 'the server is closing')
    this.#enclave = await this.#options.openEnclave()
    const frames = await this.#replay()
    this.#broken = null
    this.#written = Promise.resolve()
    this.#options.report(`booking began anew after ${frames} frames that are on disk: ${reason}`)
  }

  async #replay(): Promise<number> {
    const { journal, prepare } = this.#options
    await prepare(this.#enclave)
    let frames = 0
    for (const piece of journal.pieces()) {
      const root = await this.#enclave.call('replay', piece.sealed)
      if (!Buffer.from(root).equals(await journal.rootOf(piece))) {
        throw new RangeError(`the ledger has another root for frame ${piece.frame} than the journal`)
      }
      frames = piece.frame
    }
    this.#nextFrame = frames + 1
    return frames
  }
}
