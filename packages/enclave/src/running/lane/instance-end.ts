// The instance's end of a lane. It blocks its thread until there is a request, or room for an answer.
import { claimed, claimOf, INPUT_HEAD, openClaim, REPLY, REPLY_HEAD, REQUEST_HEAD } from './frames.ts'
import { DOORBELL, WORD, type Words } from './memory.ts'
import type { LaneRings } from './platform-end.ts'
import { LaneBroken, portion, RingReader, RingWriter } from './ring.ts'
import type { SpinWait } from './spin-wait.ts'

/** A patient platform is told of several replies at once, but no later than this: each wake-up takes some 10 µs. */
const PATIENCE_MS = 1

/** A request that the instance has claimed: its inputs are to be read one by one, all of them. */
export interface Claimed {
  readonly call: number
  readonly inputs: number
}

export interface InstanceEndSettings {
  /** Sends the platform a message. */
  readonly ringDoorbell: () => void
  /** Milliseconds. */
  readonly now: () => number
  readonly spin: Pick<SpinWait, 'wait' | 'end'>
}

export class InstanceEnd {
  readonly #words: Words
  readonly #requests: RingReader
  readonly #replies: RingWriter
  readonly #settings: InstanceEndSettings
  /** Since when there is a reply of which the platform was not told; null if it was told, or polls. */
  #untoldSince: number | null = null

  constructor(words: Words, { requests, replies }: LaneRings, settings: InstanceEndSettings) {
    this.#words = words
    this.#requests = new RingReader(words, requests, { written: WORD.posted, read: WORD.taken })
    this.#replies = new RingWriter(words, replies, { written: WORD.answered, read: WORD.collected })
    this.#settings = settings
  }

  /** The next request, which nobody can withdraw any more. */
  next(): Claimed {
    for (;;) {
      this.#awaitInput(REQUEST_HEAD)
      const number = this.#requests.peek(0)
      if (this.#words.swap(claimOf(number), openClaim(number), claimed(number))) {
        const request = { call: this.#requests.peek(8), inputs: this.#requests.peek(12) }
        this.#requests.skip(REQUEST_HEAD)
        return request
      }
      const size = this.#requests.peek(4)
      if (size < REQUEST_HEAD || size > this.#requests.available(size))
        throw new LaneBroken('a part was withdrawn')
      this.#requests.skip(size)
      this.#requests.release()
    }
  }

  /** Length of the next input. */
  inputLength(): number {
    this.#awaitInput(INPUT_HEAD)
    const length = this.#requests.peek(0)
    this.#requests.skip(INPUT_HEAD)
    return length
  }

  /** Its bytes, all of them. */
  takeInput(into: Uint8Array): void {
    let read = 0
    while (read < into.length) {
      const size = portion(into.length - read, this.#awaitInput(4))
      this.#requests.take(size === into.length ? into : into.subarray(read, read + size))
      read += size
      this.#requests.release()
    }
  }

  skipInput(length: number): void {
    let left = length
    while (left > 0) {
      const size = portion(left, this.#awaitInput(4))
      this.#requests.skip(size)
      left -= size
      this.#requests.release()
    }
  }

  answer(bytes: Uint8Array): void {
    this.#reply(REPLY.output, bytes)
    this.#tell(false)
  }

  /** Nothing more is answered to this request. */
  refuse(status: number): void {
    this.#replyHead(REPLY.refused, status)
    this.#replies.publish()
    this.#tell(false)
  }

  log(bytes: Uint8Array): void {
    this.#reply(REPLY.log, bytes)
    this.#tell(true)
  }

  #reply(kind: number, bytes: Uint8Array): void {
    this.#replyHead(kind, bytes.length)
    let written = 0
    while (written < bytes.length) {
      const size = portion(bytes.length - written, this.#awaitRoom(4))
      this.#replies.put(size === bytes.length ? bytes : bytes.subarray(written, written + size))
      written += size
      // Also in parts: there may be more than there is room for.
      this.#replies.publish()
    }
    if (bytes.length === 0) this.#replies.publish()
  }

  #replyHead(kind: number, value: number): void {
    this.#awaitRoom(REPLY_HEAD)
    this.#replies.putWord(kind)
    this.#replies.putWord(value)
  }

  /** A platform that does not listen looks once more before it listens again. */
  #tell(isUrgent: boolean): void {
    const doorbell = this.#words.load(WORD.doorbell)
    if (doorbell === DOORBELL.off) {
      this.#untoldSince = null
      return
    }
    const now = this.#settings.now()
    this.#untoldSince ??= now
    if (isUrgent || doorbell === DOORBELL.urgent || now - this.#untoldSince >= PATIENCE_MS) this.#ring()
  }

  #ring(): void {
    this.#untoldSince = null
    if (this.#words.load(WORD.doorbell) === DOORBELL.off) return
    this.#words.store(WORD.doorbell, DOORBELL.off)
    this.#settings.ringDoorbell()
  }

  #awaitInput(least: number): number {
    const available = this.#requests.available(least)
    return available >= least
      ? available
      : this.#sleepUntil(least, this.#requests.available.bind(this.#requests))
  }

  #awaitRoom(least: number): number {
    const room = this.#replies.room(least)
    return room >= least ? room : this.#sleepUntil(least, this.#replies.room.bind(this.#replies))
  }

  #sleepUntil(least: number, available: (least: number) => number): number {
    // The platform does what is waited for here, so it must first know of all that was done here.
    this.#requests.release()
    this.#ring()
    this.#settings.spin.wait(() => available(least) >= least)
    for (;;) {
      this.#words.store(WORD.asleep, 1)
      const now = available(least)
      if (now >= least) {
        this.#words.store(WORD.asleep, 0)
        this.#settings.spin.end()
        return now
      }
      this.#words.sleep(WORD.asleep, 1)
    }
  }
}
