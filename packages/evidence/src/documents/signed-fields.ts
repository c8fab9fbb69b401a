// Reads the members of Intel's endorsements: those that the specification names must be there and have its shape.
// Members that it does not name are let be, since a newer edition may add some and the signature covers them.

import { fromHex, toHex } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import { escapeUnfit } from '../untrusted-text.ts'

/** RFC 3339 in UTC, with or without fractions of a second, as PCS writes it. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/** Milliseconds since 1970. */
interface Window {
  readonly issueDate: number
  readonly nextUpdate: number
}

/** Where some fields stand: put together only for a message, because a document has hundreds of objects. */
interface Place {
  readonly holder: SignedFields
  readonly name: string
  /** In an array; null where the member itself is the object. */
  readonly index: number | null
}

/** @throws {Refusal} `endorsement-malformed`, naming the member by its path */
export class SignedFields {
  readonly #members: Readonly<Record<string, unknown>>
  readonly #place: Place | string

  constructor(value: unknown, place: Place | string) {
    this.#place = place
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw wrong(this.#path(), 'an object', value)
    }
    this.#members = value as Readonly<Record<string, unknown>>
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#members, name)
  }

  integer(name: string, max: number): number {
    const value = this.#get(name)
    if (!isIntegerUpTo(value, max)) throw wrong(this.#at(name), `an integer from 0 to ${max}`, value)
    return value
  }

  /** An integer member of each object of an array: TCB info has hundreds of such objects, which get no fields of their own. */
  integersOf(name: string, member: string, max: number): readonly number[] {
    return this.list(name).map((item, index) => {
      const value = ownMember(item, member)
      if (isIntegerUpTo(value, max)) return value
      return new SignedFields(item, { holder: this, name, index }).integer(member, max)
    })
  }

  text(name: string): string {
    const value = this.#get(name)
    if (typeof value !== 'string') throw wrong(this.#at(name), 'a string', value)
    return value
  }

  /** Empty where the member is absent or no string: for what explains, and decides nothing. */
  optionalText(name: string): string {
    const value = this.#get(name)
    return typeof value === 'string' ? value : ''
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.#get(name)
    const found = allowed.find(it => it === value)
    if (found === undefined) throw wrong(this.#at(name), `one of ${allowed.join(', ')}`, value)
    return found
  }

  /** Bytes of exactly `size`, written in hex of either case. */
  bytes(name: string, size: number): Uint8Array {
    const value = this.#get(name)
    const bytes = typeof value === 'string' ? fromHex(value) : null
    if (bytes?.length !== size) throw wrong(this.#at(name), `${size} bytes in hex`, value)
    return bytes
  }

  /** The same as lower-case hex. */
  hex(name: string, size: number): string {
    return toHex(this.bytes(name, size))
  }

  /** When it was issued, and is to be issued again, which is not before. */
  window(): Window {
    const [issueDate, nextUpdate] = [this.time('issueDate'), this.time('nextUpdate')]
    if (nextUpdate < issueDate) this.fail('a time after issueDate', 'nextUpdate')
    return { issueDate, nextUpdate }
  }

  /** Milliseconds since 1970. */
  time(name: string): number {
    const value = this.#get(name)
    const time = typeof value === 'string' && TIME.test(value) ? Date.parse(value) : Number.NaN
    if (Number.isNaN(time) || isRolledOver(time, String(value))) {
      throw wrong(this.#at(name), 'a time such as 2025-06-19T10:16:03Z', value)
    }
    return time
  }

  object(name: string): SignedFields {
    return new SignedFields(this.#get(name), { holder: this, name, index: null })
  }

  objects(name: string): readonly SignedFields[] {
    return this.list(name).map((item, index) => new SignedFields(item, { holder: this, name, index }))
  }

  /** The strings of an array; none where the member is absent. */
  texts(name: string): readonly string[] {
    if (!this.has(name)) return []
    return this.list(name).map(item => {
      if (typeof item !== 'string') throw wrong(this.#at(name), 'an array of strings', item)
      return item
    })
  }

  list(name: string): readonly unknown[] {
    const value = this.#get(name)
    if (!Array.isArray(value)) throw wrong(this.#at(name), 'an array', value)
    return value
  }

  fail(expected: string, name: string): never {
    throw wrong(this.#at(name), expected, this.#get(name))
  }

  #get(name: string): unknown {
    return this.has(name) ? this.#members[name] : undefined
  }

  #at(name: string): string {
    return `${this.#path()}.${name}`
  }

  #path(): string {
    if (typeof this.#place === 'string') return this.#place
    const { holder, name, index } = this.#place
    return index === null ? holder.#at(name) : `${holder.#at(name)}[${index}]`
  }
}

function isIntegerUpTo(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
}

function ownMember(item: unknown, name: string): unknown {
  const isObject = typeof item === 'object' && item !== null && Object.hasOwn(item, name)
  return isObject ? (item as Readonly<Record<string, unknown>>)[name] : undefined
}

/** Some engines roll 30 February over to March. */
function isRolledOver(time: number, text: string): boolean {
  const day = Number(text.slice(8, 10))
  return day > 28 && new Date(time).getUTCDate() !== day
}

function wrong(path: string, expected: string, value: unknown): Refusal {
  // What was served may be long or hostile: its beginning says enough.
  const got =
    value === undefined ? 'nothing' : escapeUnfit((JSON.stringify(value) ?? typeof value).slice(0, 80))
  return new Refusal('endorsement-malformed', `${path} is ${got}, want ${expected}`, { expected, got })
}
