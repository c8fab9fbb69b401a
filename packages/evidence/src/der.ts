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

/** One element: its identifier octet, its contents, and both with the length (`raw`). Views, not copies. */
export interface DerElement {
  readonly tag: number
  readonly contents: Uint8Array
  readonly raw: Uint8Array
}

/**
 * Reads the elements of one constructed value from front to back.
 * @throws {Refusal} the code that it was given, for anything that is not DER
 */
export class DerReader {
  readonly #bytes: Uint8Array
  readonly #code: RefusalCode
  readonly #what: string
  #offset = 0

  constructor(bytes: Uint8Array, code: RefusalCode, what: string) {
    this.#bytes = bytes
    this.#code = code
    this.#what = what
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  /** The next identifier octet, or -1 at the end. */
  peek(): number {
    return this.#bytes[this.#offset] ?? -1
  }

  next(): DerElement {
    const start = this.#offset
    const tag = this.#byte()
    if ((tag & 0x1f) === 0x1f) this.fail('high tag numbers are not used in X.509')
    const length = this.#length()
    if (length > this.#bytes.length - this.#offset) this.fail('an element is longer than what holds it')
    const contents = this.#bytes.subarray(this.#offset, this.#offset + length)
    this.#offset += length
    return { tag, contents, raw: this.#bytes.subarray(start, this.#offset) }
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
    return new DerReader(element.contents, this.#code, this.#what)
  }

  finish(): void {
    if (!this.atEnd) this.fail(`${this.#bytes.length - this.#offset} bytes too many`)
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
    const pairs = Array.from({ length: wanted >> 1 }, (_, index) => this.#twoDigits(contents, 2 * index))
    // RFC 5280, 4.1.2.5.1: the two digits of UTCTime are of the years 1950 to 2049.
    const year =
      wanted === 13 ? (((pairs[0] ?? 0) + 50) % 100) + 1950 : (pairs[0] ?? 0) * 100 + (pairs[1] ?? 0)
    return calendarTime(year, pairs.slice(-5)) ?? this.fail('a time does not exist')
  }

  fail(reason: string): never {
    throw new Refusal(this.#code, `${this.#what}: not the expected DER: ${reason} (offset ${this.#offset})`)
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset]
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
    const arcs: number[] = []
    let arc = 0
    let fresh = true
    for (const octet of contents) {
      if (fresh && octet === 0x80) this.fail('an OBJECT IDENTIFIER is not minimal')
      arc = arc * 128 + (octet & 0x7f)
      if (arc > 0xffff_ffff) this.fail('an OBJECT IDENTIFIER has too large an arc')
      fresh = !(octet & 0x80)
      if (fresh) {
        arcs.push(arc)
        arc = 0
      }
    }
    const [first] = arcs
    if (first === undefined || !fresh) this.fail(`not an OBJECT IDENTIFIER: ${toHex(contents)}`)
    const root = Math.min(2, Math.floor(first / 40))
    return [root, first - 40 * root, ...arcs.slice(1)].join('.')
  }
}

/** Month, day, hour, minute and second; null for what no calendar or clock shows. */
function calendarTime(
  year: number,
  [month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[],
) {
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  // Date.UTC rolls what does not exist over to what does, and takes years below 100 for others.
  const shown = new Date(time)
  const isReal = year >= 100 && shown.getUTCMonth() === month - 1 && shown.getUTCDate() === day
  return isReal && hour < 24 && minute < 60 && second < 60 ? time : null
}
