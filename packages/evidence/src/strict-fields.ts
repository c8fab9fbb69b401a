// Reads the members of one JSON object strictly: every member has the wanted type and range, and none is left over.
// JSON of evidence comes from a guest: nothing in it is trusted, and nothing in it may be passed over in silence.

import { fromBase64 } from './bytes.ts'
import { Refusal } from './refusal.ts'
import { quoteUntrusted } from './untrusted-text.ts'

const PRINTABLE_ASCII = /^[ -~]*$/

/**
 * The members of an object, each read once; {@link finish} refuses the ones that nobody asked for.
 * @throws {Refusal} `evidence-malformed`, naming the member by its path
 */
export class StrictFields {
  readonly #members: Map<string, unknown>
  readonly #path: string

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw wrong(path, 'an object', value)
    }
    this.#members = new Map(Object.entries(value))
    this.#path = path
  }

  /** An integer from 0 to `max`, which is at most 2^53 - 1: JSON numbers are doubles here. */
  integer(name: string, max: number): number {
    const value = this.#take(name)
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
      throw wrong(this.#at(name), `an integer from 0 to ${max}`, value)
    }
    return value
  }

  /** Null where the member is null or absent. */
  optionalInteger(name: string, max: number): number | null {
    return this.#skipsNull(name) ? null : this.integer(name, max)
  }

  /** An array of `size` byte numbers. */
  bytes(name: string, size: number): Uint8Array {
    const bytes = this.bytesUpTo(name, size)
    if (bytes.length !== size) throw wrong(this.#at(name), `an array of ${size} byte numbers`, [...bytes])
    return bytes
  }

  /** An array of at most `max` byte numbers. */
  bytesUpTo(name: string, max: number): Uint8Array {
    const value = this.#take(name)
    if (!Array.isArray(value) || value.length > max || !value.every(isByte)) {
      throw wrong(this.#at(name), `an array of at most ${max} byte numbers`, value)
    }
    return Uint8Array.from(value)
  }

  /** A string of at most `maxLength` characters. */
  text(name: string, maxLength: number): string {
    const value = this.#take(name)
    if (typeof value !== 'string' || value.length > maxLength) {
      throw wrong(this.#at(name), `a string of at most ${maxLength} characters`, value)
    }
    return value
  }

  /** Whether the member, which is not taken, is a string. */
  isText(name: string): boolean {
    return typeof this.#members.get(name) === 'string'
  }

  /** The same of printable ASCII, fit for claims and messages. */
  word(name: string, maxLength: number): string {
    const value = this.text(name, maxLength)
    if (!PRINTABLE_ASCII.test(value)) {
      throw wrong(this.#at(name), `at most ${maxLength} printable ASCII characters`, value)
    }
    return value
  }

  /** Standard, padded base64 of at most `max` bytes. */
  base64(name: string, max: number): Uint8Array {
    const value = this.#take(name)
    const text = typeof value === 'string' && isPaddedStandard(value) ? value : ''
    const bytes = text.length <= Math.ceil(max / 3) * 4 ? fromBase64(text) : null
    if (bytes === null || bytes.length > max || text !== value) {
      throw wrong(this.#at(name), `standard base64 of at most ${max} bytes`, value)
    }
    return bytes
  }

  /** Null where the member is null or absent. */
  optionalText(name: string, maxLength: number): string | null {
    return this.#skipsNull(name) ? null : this.text(name, maxLength)
  }

  object(name: string): StrictFields {
    return new StrictFields(this.#take(name), this.#at(name))
  }

  /** The objects of an array of at most `max`; none where the member is null or absent. */
  optionalObjects(name: string, max: number): readonly StrictFields[] {
    if (this.#skipsNull(name)) return []
    const value = this.#take(name)
    if (!Array.isArray(value) || value.length > max) {
      throw wrong(this.#at(name), `an array of at most ${max}`, value)
    }
    return value.map((item, index) => new StrictFields(item, `${this.#at(name)}[${index}]`))
  }

  finish(): void {
    const [left] = this.#members.keys()
    if (left !== undefined)
      throw wrong(this.#at(quoteUntrusted(left)), 'no such member', this.#members.get(left))
  }

  #take(name: string): unknown {
    const value = this.#members.get(name)
    this.#members.delete(name)
    return value
  }

  #skipsNull(name: string): boolean {
    const value = this.#members.get(name)
    if (value !== null && value !== undefined) return false
    this.#members.delete(name)
    return true
  }

  #at(name: string): string {
    return `${this.#path}.${name}`
  }
}

/** The rest is for the decoder to refuse: a pattern over all of a quote would cost more than decoding it. */
function isPaddedStandard(text: string): boolean {
  return text.length % 4 === 0 && !text.includes('-') && !text.includes('_')
}

function isByte(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255
}

function wrong(path: string, expected: string, value: unknown): Refusal {
  const got = describe(value)
  return new Refusal('evidence-malformed', `${path} is ${got}, want ${expected}`, { expected, got })
}

// Evidence may be private: what stood there is said by its type, and by its value only where that is a number.
function describe(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'number') return `${value}`
  if (Array.isArray(value)) return `an array of ${value.length}`
  return value === null ? 'null' : `a ${typeof value}`
}
