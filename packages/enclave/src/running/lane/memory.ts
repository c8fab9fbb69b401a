// The memory that one instance shares with the platform, and with nobody else: two rings of bytes, requests to the
// instance and replies from it, and a few words. The code of an enclave reaches none of it; the instance's own thread does.
//
// | word        | written by | what it says |
// |-------------|------------|--------------|
// | posted      | platform   | bytes of requests published, ever growing, modulo 2^32 |
// | taken       | instance   | bytes of requests that are read and released: the platform may write there again |
// | answered    | instance   | bytes of replies published |
// | collected   | platform   | bytes of replies that are read and released |
// | asleep      | both       | 1: the instance is about to sleep, or sleeps; who sets it to 0 because of new work wakes it |
// | doorbell    | both       | not 0: the platform wants a message about replies; the instance sets it to 0 and sends one |
// | claim of n  | both       | open by the platform, then by one compare-exchange either claimed by the instance or withdrawn |
//
// Each ring has one writer and one reader. The writer writes bytes first and then publishes them by their word; the reader
// loads the word first and then reads. No wake-up is lost: each side says that it will sleep and then looks once more, and
// the other publishes and then looks whether somebody sleeps. All words go through Atomics, which puts their accesses
// in one order for both sides. Nothing is ever taken out of a ring: a request that is withdrawn stays, and is passed
// over. The memory of an instance that ended is never used again.

/** Indices of words, each in a cache line of its own. */
export const WORD = {
  posted: 0,
  taken: 16,
  answered: 32,
  collected: 48,
  asleep: 64,
  doorbell: 80,
  claims: 96,
} as const

/** Jobs that an instance has at once, begun or not. */
export const MAX_JOBS = 256
/** Of each ring; a power of two. What is larger goes through it in parts. Memory that is never touched costs nothing. */
const RING_BYTES = 2_097_152

/** Values of the doorbell: nobody waits; wants to hear of replies, though not of each at once; of the next one at once. */
export const DOORBELL = { off: 0, patient: 1, urgent: 2 } as const

/** As it is given to the thread of an instance. */
export interface LaneBuffers {
  readonly words: SharedArrayBuffer
  readonly requests: SharedArrayBuffer
  readonly replies: SharedArrayBuffer
}

export function makeBuffers(ringBytes = RING_BYTES): LaneBuffers {
  return {
    words: new SharedArrayBuffer((WORD.claims + MAX_JOBS) * 4),
    requests: new SharedArrayBuffer(ringBytes),
    replies: new SharedArrayBuffer(ringBytes),
  }
}

/** The words, as the ends of a lane use them. */
export interface Words {
  readonly load: (word: number) => number
  readonly store: (word: number, value: number) => void
  /** Whether the word had the value that was expected, and now has the other. */
  readonly swap: (word: number, expected: number, value: number) => boolean
  /** Blocks the thread while the word has this value, and nobody wakes it. */
  readonly sleep: (word: number, value: number) => void
  readonly wake: (word: number) => void
}

/** The bytes of a ring, by their position modulo 2^32. Positions of words are multiples of four. */
export interface RingBytes {
  readonly size: number
  readonly word: (at: number) => number
  readonly setWord: (at: number, value: number) => void
  readonly read: (at: number, into: Uint8Array) => void
  readonly write: (at: number, bytes: Uint8Array) => void
}

export class SharedWords implements Words {
  readonly #words: Int32Array<SharedArrayBuffer>

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
  }

  load(word: number): number {
    return Atomics.load(this.#words, word)
  }

  store(word: number, value: number): void {
    Atomics.store(this.#words, word, value)
  }

  swap(word: number, expected: number, value: number): boolean {
    return Atomics.compareExchange(this.#words, word, expected, value) === expected
  }

  sleep(word: number, value: number): void {
    Atomics.wait(this.#words, word, value)
  }

  wake(word: number): void {
    Atomics.notify(this.#words, word)
  }
}

export class SharedRing implements RingBytes {
  readonly size: number
  readonly #bytes: Uint8Array<SharedArrayBuffer>
  readonly #words: Uint32Array<SharedArrayBuffer>

  constructor(buffer: SharedArrayBuffer) {
    this.size = buffer.byteLength
    this.#bytes = new Uint8Array(buffer)
    this.#words = new Uint32Array(buffer)
  }

  word(at: number): number {
    return this.#words[(at & (this.size - 1)) >>> 2] ?? 0
  }

  setWord(at: number, value: number): void {
    this.#words[(at & (this.size - 1)) >>> 2] = value
  }

  read(at: number, into: Uint8Array): void {
    const from = at & (this.size - 1)
    const first = Math.min(into.length, this.size - from)
    copy(this.#bytes.subarray(from, from + first), into, 0)
    if (first < into.length) copy(this.#bytes.subarray(0, into.length - first), into, first)
  }

  write(at: number, bytes: Uint8Array): void {
    const to = at & (this.size - 1)
    const first = Math.min(bytes.length, this.size - to)
    copy(first === bytes.length ? bytes : bytes.subarray(0, first), this.#bytes, to)
    if (first < bytes.length) copy(bytes.subarray(first), this.#bytes, 0)
  }
}

/** From here on to call the copying of buffers is worth it: that of arrays goes word by word where memory is shared. */
const LARGE_BYTES = 4096

function copy(from: Uint8Array, to: Uint8Array, at: number): void {
  if (from.length < LARGE_BYTES) to.set(from, at)
  else Buffer.prototype.copy.call(from, to, at)
}
