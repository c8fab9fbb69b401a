// A strict reader of DER (X.690): definite lengths in their shortest form, low tag numbers, nothing left over.
// It decides shape only; which tags must follow one another is said by x509.ts, crl.ts and their users.

import { startsWith, toHex } from './bytes.ts'
import { Refusal, type RefusalCode } from './refusal.ts'

/** The identifier octets that X.509 structures use. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const

/** `[number]`, constructed. */
export const explicitTag = (number: number): number => 0xa0 | number

/** One element: its identifier octet, its contents, and both with the length (`raw`). Views, made when asked for. */
export class DerElement {
  readonly tag: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly contentStart: number
  readonly end: number

  constructor(bytes: Uint8Array, start: number, contentStart: number, end: number) {
    this.bytes = bytes
    this.start = start
    this.contentStart = contentStart
    this.end = end
    this.tag = bytes[start] ?? 0
  }

  get contents(): Uint8Array {
    return this.bytes.subarray(this.contentStart, this.end)
  }

  get raw(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }
}

/**
 * Reads the elements of one constructed value from front to back.
 * @throws {Refusal} the code that it was given, for anything that is not DER
 */
export class DerReader {
  readonly #bytes: Uint8Array
  readonly #code: RefusalCode
  readonly #what: string
  readonly #start: number
  readonly #end: number
  #offset: number

  /** Stays within `start` and `end`, which are all of the bytes where they are not given. */
  // oxlint-disable-next-line max-params -- one reader stands for each level of each structure: a fourth object would cost as much
  constructor(bytes: Uint8Array, code: RefusalCode, what: string, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#code = code
    this.#what = what
    this.#start = start
    this.#end = end
    this.#offset = start
  }

  get atEnd(): boolean {
    return this.#offset === this.#end
  }

  /** The next identifier octet, or -1 at the end. */
  peek(): number {
    return this.#offset < this.#end ? (this.#bytes[this.#offset] ?? -1) : -1
  }

  next(): DerElement {
    const start = this.#offset
    const end = this.#enterNext()
    const contentStart = this.#offset
    this.#offset = end
    return new DerElement(this.#bytes, start, contentStart, end)
  }

  expect(tag: number): DerElement {
    this.#demand(tag)
    return this.next()
  }

  /** The element if it has this tag, else null and nothing is read. */
  optional(tag: number): DerElement | null {
    return this.peek() === tag ? this.next() : null
  }

  /** A reader of the contents of the next element. */
  enter(tag: number): DerReader {
    this.#demand(tag)
    const end = this.#enterNext()
    const start = this.#offset
    this.#offset = end
    return new DerReader(this.#bytes, this.#code, this.#what, start, end)
  }

  into({ bytes, contentStart, end }: DerElement): DerReader {
    return new DerReader(bytes, this.#code, this.#what, contentStart, end)
  }

  /** The contents of the next element. */
  octets(tag: number): Uint8Array {
    this.#demand(tag)
    const end = this.#enterNext()
    const start = this.#offset
    this.#offset = end
    return this.#bytes.subarray(start, end)
  }

  finish(): void {
    if (!this.atEnd) this.fail(`${this.#end - this.#offset} bytes too many`)
  }

  oid(): string {
    this.#demand(TAG.oid)
    const end = this.#enterNext()
    const text = this.#decodeOid(end)
    this.#offset = end
    return text
  }

  /** The last number of an OBJECT IDENTIFIER below `prefix` and under 128, as 3 of 2.5.4.3; null for any other. */
  arcBelow(prefix: Uint8Array): number | null {
    this.#demand(TAG.oid)
    const end = this.#enterNext()
    const start = this.#offset
    const last = this.#bytes[end - 1] ?? 0x80
    const isBelow = end - start === prefix.length + 1 && last < 0x80 && startsWith(this.#bytes, prefix, start)
    if (!isBelow) this.#decodeOid(end)
    this.#offset = end
    return isBelow ? last : null
  }

  /** The octets of a non-negative INTEGER without its sign octet. */
  unsigned(): Uint8Array {
    const end = this.#enterUnsigned()
    const start = this.#offset
    this.#offset = end
    return this.#bytes.subarray(start, end)
  }

  /** A non-negative INTEGER below 2^31. */
  small(): number {
    const end = this.#enterUnsigned()
    let value = 0
    while (this.#offset < end) value = value * 256 + this.#byte()
    if (value > 0x7fff_ffff) this.fail('an INTEGER is larger than its field allows')
    return value
  }

  boolean(): boolean {
    this.#demand(TAG.boolean)
    const end = this.#enterNext()
    const value = end - this.#offset === 1 ? this.#byte() : -1
    if (value !== 0 && value !== 0xff) this.fail('not a DER BOOLEAN')
    return value === 0xff
  }

  /** The octets of a BIT STRING that fills its last octet. */
  bitOctets(): Uint8Array {
    this.#demand(TAG.bitString)
    const end = this.#enterNext()
    const start = this.#offset
    this.#offset = end
    if (start === end || this.#bytes[start] !== 0) this.fail('a BIT STRING does not end on an octet')
    return this.#bytes.subarray(start + 1, end)
  }

  /** Milliseconds since 1970 of a UTCTime or GeneralizedTime in the one form that RFC 5280 allows. */
  time(): number {
    const tag = this.peek()
    const end = this.#enterNext()
    if (tag !== TAG.utcTime && tag !== TAG.generalizedTime) this.fail('neither UTCTime nor GeneralizedTime')
    const wanted = tag === TAG.utcTime ? 13 : 15
    const start = this.#offset
    if (end - start !== wanted || this.#bytes[end - 1] !== 0x5a) this.fail('a time is not YYYYMMDDHHMMSSZ')
    // RFC 5280, 4.1.2.5.1: the two digits of UTCTime are of the years 1950 to 2049.
    const years = this.#twoDigits(start)
    const year = wanted === 13 ? ((years + 50) % 100) + 1950 : years * 100 + this.#twoDigits(start + 2)
    const rest = end - 11
    const month = this.#twoDigits(rest)
    const day = this.#twoDigits(rest + 2)
    const hour = this.#twoDigits(rest + 4)
    const minute = this.#twoDigits(rest + 6)
    const second = this.#twoDigits(rest + 8)
    const isClock = hour < 24 && minute < 60 && second < 60
    const midnight = isClock ? calendarDay(year, month, day) : null
    if (midnight === null) return this.fail('a time does not exist')
    this.#offset = end
    return midnight + ((hour * 60 + minute) * 60 + second) * 1000
  }

  fail(reason: string): never {
    throw new Refusal(
      this.#code,
      `${this.#what}: not the expected DER: ${reason} (offset ${this.#offset - this.#start})`,
    )
  }

  #byte(): number {
    const byte = this.#offset < this.#end ? this.#bytes[this.#offset] : undefined
    if (byte === undefined) this.fail('it ends too early')
    this.#offset++
    return byte
  }

  #twoDigits(at: number): number {
    const tens = (this.#bytes[at] ?? 0) - 0x30
    const ones = (this.#bytes[at + 1] ?? 0) - 0x30
    if (tens < 0 || tens > 9 || ones < 0 || ones > 9) this.fail('a time is not YYYYMMDDHHMMSSZ')
    return tens * 10 + ones
  }

  #demand(tag: number): void {
    const found = this.peek()
    if (found !== tag) this.fail(`tag 0x${found.toString(16)}, want 0x${tag.toString(16)}`)
  }

  /** Goes from an element to its contents, and tells where they end. */
  #enterNext(): number {
    const tag = this.#byte()
    if ((tag & 0x1f) === 0x1f) this.fail('high tag numbers are not used in X.509')
    const length = this.#length()
    if (length > this.#end - this.#offset) this.fail('an element is longer than what holds it')
    return this.#offset + length
  }

  /** The same of a non-negative INTEGER, behind its sign octet. */
  #enterUnsigned(): number {
    this.#demand(TAG.integer)
    const end = this.#enterNext()
    const start = this.#offset
    if (start === end) this.fail('an INTEGER is empty')
    const first = this.#bytes[start] ?? 0
    if (first & 0x80) this.fail('an INTEGER is negative')
    if (first !== 0 || end - start === 1) return end
    if (!((this.#bytes[start + 1] ?? 0) & 0x80)) this.fail('an INTEGER is not minimal')
    this.#offset++
    return end
  }

  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const octets = first & 0x7f
    if (octets === 0 || octets > 4) this.fail('indefinite or too long a length')
    let length = 0
    for (let i = 0; i < octets; i++) length = length * 256 + this.#byte()
    if (length < 0x80 || length < 256 ** (octets - 1)) this.fail('a length is not in its shortest form')
    return length
  }

  /** Of the octets up to `end`. */
  #decodeOid(end: number): string {
    let text = ''
    let arc = 0
    let fresh = true
    for (let at = this.#offset; at < end; at++) {
      const octet = this.#bytes[at] ?? 0
      if (fresh && octet === 0x80) this.fail('an OBJECT IDENTIFIER is not minimal')
      arc = arc * 128 + (octet & 0x7f)
      if (arc > 0xffff_ffff) this.fail('an OBJECT IDENTIFIER has too large an arc')
      fresh = !(octet & 0x80)
      if (!fresh) continue
      text = text === '' ? firstArcs(arc) : `${text}.${arc}`
      arc = 0
    }
    if (text === '' || !fresh) {
      this.fail(`not an OBJECT IDENTIFIER: ${toHex(this.#bytes.subarray(this.#offset, end))}`)
    }
    return text
  }
}

/** The first two arcs share a number. */
function firstArcs(arc: number): string {
  const root = Math.min(2, Math.floor(arc / 40))
  return `${root}.${arc - 40 * root}`
}

/** Milliseconds since 1970 of a day's beginning; null for a day that no calendar shows. */
function calendarDay(year: number, month: number, day: number): number | null {
  // Date.UTC takes years below 100 for others, and rolls what does not exist over to what does.
  if (year < 100 || month < 1 || month > 12 || day < 1) return null
  const time = Date.UTC(year, month - 1, day)
  // Day 0 of a month is the last of the month before.
  return day <= 28 || time <= Date.UTC(year, month, 0) ? time : null
}
