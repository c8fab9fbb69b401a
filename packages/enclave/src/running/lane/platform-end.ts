// The platform's end of a lane. It never blocks: it writes requests as far as there is room, and reads the replies that
// are there. It believes nothing that the instance answers.
import {
  claimOf,
  INPUT_HEAD,
  MAX_LOG_BYTES,
  numberAfter,
  openClaim,
  REPLY,
  REPLY_HEAD,
  REQUEST_HEAD,
  type Request,
  sizeOf,
  withdrawn,
} from './frames.ts'
import { type RingBytes, WORD, type Words } from './memory.ts'
import { LaneBroken, padded, portion, RingReader, RingWriter } from './ring.ts'

/** The place of one request in the lane. */
export interface Posted {
  readonly number: number
  /** Where it begins. */
  readonly at: number
  /** All of it was written at once; if not, it cannot be withdrawn. */
  readonly isWhole: boolean
}

/** Takes replies one by one, in their order. If it throws, the lane ends. */
export interface Receiver {
  /** How many outputs of the job at hand are still expected; 0 if there is no job. */
  readonly expected: number
  readonly output: (bytes: Uint8Array<ArrayBuffer>) => void
  readonly refused: (status: number) => void
  readonly log: (bytes: Uint8Array<ArrayBuffer>) => void
}

/** A request that is not yet written to its end. */
interface Rest {
  /** Its inputs are read anew each time: they may be copies by then. */
  readonly request: Request
  readonly number: number
  readonly size: number
  hasHead: boolean
  /** The input at hand, and how much of it is written; null before its length. */
  input: number
  written: number | null
}

/** A reply that is not yet read to its end. */
interface Incoming {
  readonly kind: number
  readonly bytes: Uint8Array<ArrayBuffer>
  read: number
}

export interface LaneRings {
  readonly requests: RingBytes
  readonly replies: RingBytes
}

/** Published at the latest after so many bytes: the instance begins with the first input while others are written. */
const PUBLISH_BYTES = 16_384

export class PlatformEnd {
  readonly #words: Words
  readonly #requestBytes: RingBytes
  readonly #requests: RingWriter
  readonly #replies: RingReader
  readonly #maxOutput: number
  #number = 0
  #rest: Rest | null = null
  #incoming: Incoming | null = null

  constructor(words: Words, { requests, replies }: LaneRings, maxOutput: number) {
    this.#words = words
    this.#requestBytes = requests
    this.#requests = new RingWriter(words, requests, { written: WORD.posted, read: WORD.taken })
    this.#replies = new RingReader(words, replies, { written: WORD.answered, read: WORD.collected })
    this.#maxOutput = maxOutput
  }

  /** Whether all of it can be written now. */
  fits(inputs: readonly Uint8Array[]): boolean {
    const size = sizeOf(inputs)
    return this.#rest === null && size <= this.#requests.room(size)
  }

  /** Whether it must keep the inputs of the last request as they are. */
  get isWriting(): boolean {
    return this.#rest !== null
  }

  /** Only if no other is being written. If it does not fit, the rest follows in parts, whenever replies are attended to. */
  post(request: Request): Posted {
    const number = this.#number
    this.#number = numberAfter(number)
    const size = sizeOf(request.inputs)
    const isWhole = size <= this.#requests.room(size)
    const at = this.#requests.position
    this.#words.store(claimOf(number), openClaim(number))
    this.#rest = { request, number, size: isWhole ? size : 0, hasHead: false, input: 0, written: null }
    this.#write()
    return { number, at, isWhole }
  }

  /** Reads what there is and writes what there is room for. */
  attend(to: Receiver): void {
    this.#collect(to)
    this.#write()
  }

  /** Asks to be told from now on. True if there is something to attend to already: nobody will tell of that. */
  listen(doorbell: number): boolean {
    this.#words.store(WORD.doorbell, doorbell)
    return this.#replies.available(1) > 0 || this.#canWrite()
  }

  /** Whether the instance has not begun it, and never will. */
  withdraw({ number, isWhole }: Posted): boolean {
    return isWhole && this.#words.swap(claimOf(number), openClaim(number), withdrawn(number))
  }

  /** Copies of the inputs of a request that was withdrawn, before anything else is posted. */
  readBack({ at }: Posted): Uint8Array<ArrayBuffer>[] {
    const count = this.#requestBytes.word(at + 12)
    let next = at + REQUEST_HEAD
    return Array.from({ length: count }, () => {
      const input = new Uint8Array(this.#requestBytes.word(next))
      this.#requestBytes.read(next + INPUT_HEAD, input)
      next += INPUT_HEAD + padded(input.length)
      return input
    })
  }

  #write(): void {
    let unseen = 0
    while (this.#rest !== null && this.#canWrite()) {
      unseen += this.#writePart(this.#rest)
      if (unseen < PUBLISH_BYTES) continue
      this.#publish()
      unseen = 0
    }
    if (unseen > 0) this.#publish()
  }

  #canWrite(): boolean {
    if (this.#rest === null) return false
    const least = this.#rest.hasHead ? INPUT_HEAD : REQUEST_HEAD
    return this.#requests.room(least) >= least
  }

  /** The next part: a head, a length, or bytes. How much room it took. */
  #writePart(rest: Rest): number {
    const { call, inputs } = rest.request
    const input = inputs[rest.input]
    let taken: number
    if (!rest.hasHead) {
      for (const word of [rest.number, rest.size, call, inputs.length]) this.#requests.putWord(word)
      rest.hasHead = true
      taken = REQUEST_HEAD
    } else if (input !== undefined && rest.written === null) {
      this.#requests.putWord(input.length)
      rest.written = 0
      taken = INPUT_HEAD
    } else {
      taken = this.#writeBytes(rest)
    }
    if (inputs[rest.input]?.length === rest.written) {
      rest.input++
      rest.written = null
    }
    if (rest.input === inputs.length) this.#rest = null
    return taken
  }

  #writeBytes(rest: Rest): number {
    const input = rest.request.inputs[rest.input]
    if (input === undefined || rest.written === null) return 0
    const left = input.length - rest.written
    const size = portion(left, this.#requests.room(padded(left)))
    this.#requests.put(size === input.length ? input : input.subarray(rest.written, rest.written + size))
    rest.written += size
    return padded(size)
  }

  #publish(): void {
    this.#requests.publish()
    this.#wake()
  }

  /** If the instance sleeps or is about to. */
  #wake(): void {
    if (this.#words.load(WORD.asleep) === 0) return
    this.#words.store(WORD.asleep, 0)
    this.#words.wake(WORD.asleep)
  }

  /** As much as there was when it began: what is answered meanwhile waits for the next time. */
  #collect(to: Receiver): void {
    // The word is loaded anew: if a reply that the instance gave before it failed were missed, the wrong job would be
    // blamed for the failure.
    let left = this.#replies.available(Number.POSITIVE_INFINITY)
    if (left === 0) return
    while (left > 0) {
      const read = this.#incoming === null ? this.#readNext(left, to) : this.#readBytes(this.#incoming, left)
      if (read === 0) break
      left -= read
      const incoming = this.#incoming
      if (incoming === null || incoming.read < incoming.bytes.length) continue
      this.#incoming = null
      if (incoming.kind === REPLY.log) to.log(incoming.bytes)
      else to.output(incoming.bytes)
    }
    this.#replies.release()
    this.#wake()
  }

  #readNext(available: number, to: Receiver): number {
    const run = to.expected > 1 ? this.#readRun(available, to) : 0
    return run > 0 ? run : this.#readHead(available, to)
  }

  /** All outputs of a batch that are there, in one copy with the heads between them. */
  #readRun(available: number, to: Receiver): number {
    const lengths: number[] = []
    let size = 0
    const most = to.expected
    while (lengths.length < most && available - size >= REPLY_HEAD) {
      const length = this.#replies.peek(size + 4)
      const next = size + REPLY_HEAD + padded(length)
      if (this.#replies.peek(size) !== REPLY.output || length > this.#maxOutput || next > available) break
      lengths.push(length)
      size = next
    }
    const run = new Uint8Array(size)
    this.#replies.take(run)
    let at = 0
    for (const length of lengths) {
      to.output(run.subarray(at + REPLY_HEAD, at + REPLY_HEAD + length))
      at += REPLY_HEAD + padded(length)
    }
    return size
  }

  #readHead(available: number, to: Receiver): number {
    if (available < REPLY_HEAD) return 0
    const kind = this.#replies.peek(0)
    const value = this.#replies.peek(4)
    this.#replies.skip(REPLY_HEAD)
    if (kind === REPLY.refused) {
      to.refused(value)
      return REPLY_HEAD
    }
    const most = kind === REPLY.output ? this.#maxOutput : kind === REPLY.log ? MAX_LOG_BYTES : -1
    if (value > most) throw new LaneBroken(`a reply of kind ${kind} with ${value} bytes`)
    this.#incoming = { kind, bytes: new Uint8Array(value), read: 0 }
    return REPLY_HEAD
  }

  #readBytes(incoming: Incoming, available: number): number {
    const size = portion(incoming.bytes.length - incoming.read, available)
    const isAll = size === incoming.bytes.length
    this.#replies.take(isAll ? incoming.bytes : incoming.bytes.subarray(incoming.read, incoming.read + size))
    incoming.read += size
    return padded(size)
  }
}
