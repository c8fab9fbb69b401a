// The two ends of a ring of bytes: one writes and publishes, the other reads and releases. All of it is whole words, and
// bytes are padded to them.
import type { RingBytes, Words } from './memory.ts'

/** The other side wrote what it never writes. */
export class LaneBroken extends Error {
  override readonly name = 'LaneBroken'
}

/** Which words of the lane belong to a ring: how far it is written, and how far read. */
interface RingWords {
  readonly written: number
  readonly read: number
}

export const padded = (bytes: number): number => (bytes + 3) & ~3

/** How many of these bytes go at once if there is only so much space: all, or whole words. */
export const portion = (bytes: number, space: number): number => (bytes <= space ? bytes : space & ~3)

export class RingWriter {
  readonly #words: Words
  readonly #bytes: RingBytes
  readonly #where: RingWords
  #at: number
  /** How far it was read at the last look. */
  #read: number

  constructor(words: Words, bytes: RingBytes, where: RingWords) {
    this.#words = words
    this.#bytes = bytes
    this.#where = where
    this.#at = words.load(where.written) >>> 0
    this.#read = this.#at
  }

  /** Position of what is written next. */
  get position(): number {
    return this.#at
  }

  /** Bytes that can be written. It looks again if fewer are known than wanted; a reader that lies leaves none. */
  room(least: number): number {
    const known = this.#bytes.size - ((this.#at - this.#read) >>> 0)
    if (known >= least) return known
    this.#read = this.#words.load(this.#where.read) >>> 0
    return Math.max(0, this.#bytes.size - ((this.#at - this.#read) >>> 0))
  }

  /** Only if there is room. */
  putWord(value: number): void {
    this.#bytes.setWord(this.#at, value)
    this.#at = (this.#at + 4) >>> 0
  }

  /** Only if there is room. */
  put(bytes: Uint8Array): void {
    this.#bytes.write(this.#at, bytes)
    this.#at = (this.#at + padded(bytes.length)) >>> 0
  }

  /** From here on the reader sees all that was written. */
  publish(): void {
    this.#words.store(this.#where.written, this.#at | 0)
  }
}

export class RingReader {
  readonly #words: Words
  readonly #bytes: RingBytes
  readonly #where: RingWords
  #at: number
  /** How far it was written at the last look. */
  #written: number

  constructor(words: Words, bytes: RingBytes, where: RingWords) {
    this.#words = words
    this.#bytes = bytes
    this.#where = where
    this.#at = words.load(where.read) >>> 0
    this.#written = this.#at
  }

  /** Bytes that can be read. It looks again if fewer are known than wanted. @throws {LaneBroken} */
  available(least: number): number {
    const known = (this.#written - this.#at) >>> 0
    if (known >= least) return known
    this.#written = this.#words.load(this.#where.written) >>> 0
    const available = (this.#written - this.#at) >>> 0
    if (available > this.#bytes.size || available % 4 !== 0) {
      throw new LaneBroken(`${available} bytes were published at once`)
    }
    return available
  }

  /** A word that is available, so many bytes further on. */
  peek(offset: number): number {
    return this.#bytes.word((this.#at + offset) >>> 0)
  }

  /** Fills with bytes that are available. */
  take(into: Uint8Array): void {
    this.#bytes.read(this.#at, into)
    this.skip(into.length)
  }

  skip(bytes: number): void {
    this.#at = (this.#at + padded(bytes)) >>> 0
  }

  /** From here on the writer may write over all that was read. */
  release(): void {
    this.#words.store(this.#where.read, this.#at | 0)
  }
}
