// A strict reader of DER (X.690): definite lengths in their shortest form, low tag numbers, nothing left over.
// It decides shape only; which tags must follow one another is said by x509.ts, crl.ts and their users.

import { toHex } from './bytes.ts'
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

/** The part of an array that a reader stays within. */
interface DerSpan {
  readonly start: number
  readonly end: number
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

  constructor(
    bytes: Uint8Array,
    code: RefusalCode,
    what: string,
    { start, end }: DerSpan = { start: 0, end: bytes.length },
  ) {
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
    const tag = this.#byte()
    if ((tag & 0x1f) === 0x1f) this.fail('high tag numbers are not used in X.509')
    const length = this.#length()
    if (length > this.#end - this.#offset) this.fail('an element is longer than what holds it')
    const contentStart = this.#offset
    this.#offset += length
    return new DerElement(this.#bytes, start, contentStart, this.#offset)
  }

  expect(tag: number): DerElement {
    const found = this.peek()
    if (found !== tag) this.fail(`tag 0x${found.toString(16)}, want 0x${tag.toString(16)}`)
    return this.next()
  }

  /** The element if it has this tag, else null and nothing is read. */
  optional(tag: number): DerElement | null {
    return this.peek() === tag ? this.next() : null
  }

  /** A reader of the contents of the next element. */
  enter(tag: number): DerReader {
    return this.into(this.expect(tag))
  }

  into(element: DerElement): DerReader {
    return new DerReader(element.bytes, this.#code, this.#what, {
      start: element.contentStart,
      end: element.end,
    })
  }

  finish(): void {
    if (!this.atEnd) this.fail(`${this.#end - this.#offset} bytes too many`)
  }

  oid(): string {
    return this.#decodeOid(this.expect(TAG.oid).contents)
  }

  /** The octets of a non-negative INTEGER without its sign octet. */
  unsigned(): Uint8Array {
    const { contents } = this.expect(TAG.integer)
    const [first, second] = contents
    if (first === undefined) this.fail('an INTEGER is empty')
    if (first & 0x80) this.fail('an INTEGER is negative')
    if (first === 0 && second !== undefined && !(second & 0x80)) this.fail('an INTEGER is not minimal')
    return first === 0 && second !== undefined ? contents.subarray(1) : contents
  }

  /** A non-negative INTEGER below 2^31. */
  small(): number {
    const octets = this.unsigned()
    if (octets.length > 4) this.fail('an INTEGER is larger than its field allows')
    const value = octets.reduce((sum, octet) => sum * 256 + octet, 0)
    if (value > 0x7fff_ffff) this.fail('an INTEGER is larger than its field allows')
    return value
  }

  boolean(): boolean {
    const { contents } = this.expect(TAG.boolean)
    if (contents.length !== 1 || (contents[0] !== 0 && contents[0] !== 0xff)) this.fail('not a DER BOOLEAN')
    return contents[0] === 0xff
  }

  /** The octets of a BIT STRING that fills its last octet. */
  bitOctets(): Uint8Array {
    const { contents } = this.expect(TAG.bitString)
    if (contents[0] !== 0) this.fail('a BIT STRING does not end on an octet')
    return contents.subarray(1)
  }

  /** Milliseconds since 1970 of a UTCTime or GeneralizedTime in the one form that RFC 5280 allows. */
  time(): number {
    const { tag, contents } = this.next()
    if (tag !== TAG.utcTime && tag !== TAG.generalizedTime) this.fail('neither UTCTime nor GeneralizedTime')
    const wanted = tag === TAG.utcTime ? 13 : 15
    if (contents.length !== wanted || contents[wanted - 1] !== 0x5a)
      this.fail('a time is not YYYYMMDDHHMMSSZ')
    // RFC 5280, 4.1.2.5.1: the two digits of UTCTime are of the years 1950 to 2049.
    const years = this.#twoDigits(contents, 0)
    const year = wanted === 13 ? ((years + 50) % 100) + 1950 : years * 100 + this.#twoDigits(contents, 2)
    const rest = wanted - 11
    const [month, day] = [this.#twoDigits(contents, rest), this.#twoDigits(contents, rest + 2)]
    const [hour, minute] = [this.#twoDigits(contents, rest + 4), this.#twoDigits(contents, rest + 6)]
    const second = this.#twoDigits(contents, rest + 8)
    const isClock = hour < 24 && minute < 60 && second < 60
    const midnight = isClock ? calendarDay(year, month, day) : null
    if (midnight === null) return this.fail('a time does not exist')
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

  #twoDigits(contents: Uint8Array, at: number): number {
    const tens = (contents[at] ?? 0) - 0x30
    const ones = (contents[at + 1] ?? 0) - 0x30
    if (tens < 0 || tens > 9 || ones < 0 || ones > 9) this.fail('a time is not YYYYMMDDHHMMSSZ')
    return tens * 10 + ones
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

  #decodeOid(contents: Uint8Array): string {
    let text = ''
    let arc = 0
    let fresh = true
    for (let i = 0; i < contents.length; i++) {
      const octet = contents[i] ?? 0
      if (fresh && octet === 0x80) this.fail('an OBJECT IDENTIFIER is not minimal')
      arc = arc * 128 + (octet & 0x7f)
      if (arc > 0xffff_ffff) this.fail('an OBJECT IDENTIFIER has too large an arc')
      fresh = !(octet & 0x80)
      if (!fresh) continue
      text = text === '' ? firstArcs(arc) : `${text}.${arc}`
      arc = 0
    }
    if (text === '' || !fresh) this.fail(`not an OBJECT IDENTIFIER: ${toHex(contents)}`)
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
  return day <= 28 || new Date(time).getUTCDate() === day ? time : null
}
