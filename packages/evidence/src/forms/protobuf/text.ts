// Protocol Buffers in text format, by a schema: `name: value`, `name { … }`, lists, comments, and texts with escapes, of
// which neighbours belong together. Unknown fields are read and left out; nesting and the number of fields are limited.

import { concat, encodeUtf8 } from '../../bytes.ts'
import { MAX_FIELDS } from '../layer.ts'
import { append, type FieldMap, type FieldValue } from './fields.ts'
import type { FieldType, Message } from './schema.ts'

/** The messages have six levels. */
const MAX_DEPTH = 16
/** A message with four certificates of the largest size, with four characters for each byte, is a third of it. */
const MAX_LENGTH = 1024 * 1024
/** Tools break a long text at line ends, if at all. */
const MAX_TEXTS = 10_000
/** Of 64 bits, in octal; long numbers are slow. */
const MAX_DIGITS = 24
const SPACE = /\s*/y
const COMMENT = /#[^\n]*/y
const NAME = /[A-Za-z_][\w.]*/y
const NUMBER = /-?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)/y
const ESCAPE = /\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^])/g
const SIMPLE: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, a: 7, b: 8, f: 12, v: 11 }
const EMPTY: Message = {}

/** Null where the text is not one whole message of that schema. */
export function decodeText(text: string, message: Message): FieldMap | null {
  if (text.length > MAX_LENGTH) return null
  const reader = new Reader(text)
  const map = reader.fields(message, null, 0)
  return map !== null && reader.isAtEnd() ? map : null
}

class Reader {
  readonly #text: string
  #at = 0
  /** Fields, and elements of lists, that may still be read. */
  #left = MAX_FIELDS

  constructor(text: string) {
    this.#text = text
  }

  isAtEnd(): boolean {
    this.#skip()
    return this.#at === this.#text.length
  }

  /** Up to `close`, or to the end where that is null. */
  fields(message: Message, close: string | null, depth: number): FieldMap | null {
    if (depth > MAX_DEPTH) return null
    const values = new Map<string, FieldValue[]>()
    while (close === null ? !this.isAtEnd() : !this.#is(close)) {
      this.#skip()
      const name = this.#take(NAME)
      if (name === null || this.#left-- === 0) return null
      const type = Object.hasOwn(message, name) ? message[name]?.[1] : undefined
      const found = this.#field(type ?? 'unknown', depth)
      if (found === null) return null
      if (type !== undefined) append(values, name, found)
      if (!this.#is(',')) this.#is(';')
    }
    return { values }
  }

  #field(type: FieldType | 'unknown', depth: number): FieldValue[] | null {
    const hasColon = this.#is(':')
    if (!this.#is('[')) {
      const value = this.#value(type, hasColon, depth)
      return value === null ? null : [value]
    }
    const list: FieldValue[] = []
    while (!this.#is(']')) {
      const value = this.#value(type, hasColon, depth)
      if (value === null || this.#left-- === 0) return null
      list.push(value)
      if (!this.#is(',') && !this.#is(']')) return null
      if (this.#text[this.#at - 1] === ']') break
    }
    return list
  }

  #value(type: FieldType | 'unknown', hasColon: boolean, depth: number): FieldValue | null {
    const inner = typeof type === 'object' ? type : type === 'unknown' ? EMPTY : null
    if (inner !== null && this.#is('{')) return this.fields(inner, '}', depth + 1)
    if (inner !== null && this.#is('<')) return this.fields(inner, '>', depth + 1)
    if (!hasColon || typeof type === 'object') return null
    this.#skip()
    if (type === 'bytes') return this.#texts()
    const number = this.#take(NUMBER)
    if (type === 'uint') return number === null ? null : integerOf(number)
    // Of no field that counts: a number, a text, or an enumeration's word.
    return number !== null || this.#texts() !== null || this.#take(NAME) !== null ? 0n : null
  }

  /** Texts that follow each other are one. */
  #texts(): Uint8Array | null {
    const parts: Uint8Array[] = []
    for (let text = this.#quoted(); text !== null; text = this.#quoted()) {
      if (parts.length === MAX_TEXTS) return null
      parts.push(unescape(text))
      this.#skip()
    }
    return parts.length === 0 ? null : concat(...parts)
  }

  /** What stands between the quotes; walked, as patterns over a long text need a stack for it. */
  #quoted(): string | null {
    const quote = this.#text[this.#at]
    if (quote !== '"' && quote !== "'") return null
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const character = this.#text[at]
      if (character === '\n') return null
      if (character === '\\') at++
      else if (character === quote) {
        const found = this.#text.slice(this.#at + 1, at)
        this.#at = at + 1
        return found
      }
    }
    return null
  }

  /** White space and comments. */
  #skip(): void {
    do this.#take(SPACE)
    while (this.#take(COMMENT) !== null)
  }

  #is(character: string): boolean {
    this.#skip()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    if (found === undefined) return null
    this.#at += found.length
    return found
  }
}

function integerOf(text: string): bigint | null {
  if (text.length > MAX_DIGITS || !/^(?:0[xX][0-9a-fA-F]+|\d+)$/.test(text)) return null
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : BigInt(text)
}

function unescape(text: string): Uint8Array {
  // UTF-8 has at most three octets for each UTF-16 unit, and no escape more than it has characters.
  const bytes = new Uint8Array(3 * text.length)
  let size = 0
  let from = 0
  const put = (octets: Uint8Array): void => {
    bytes.set(octets, size)
    size += octets.length
  }
  for (const { 0: escape, index } of text.matchAll(ESCAPE)) {
    if (index > from) put(encodeUtf8(text.slice(from, index)))
    put(octetsOf(escape.slice(1)))
    from = index + escape.length
  }
  put(encodeUtf8(text.slice(from)))
  return bytes.slice(0, size)
}

function octetsOf(escape: string): Uint8Array {
  const [kind = ''] = escape
  if (kind === 'x' && escape.length > 1) return Uint8Array.of(Number.parseInt(escape.slice(1), 16))
  if (/^[0-7]+$/.test(escape)) return Uint8Array.of(Number.parseInt(escape, 8) & 0xff)
  if ((kind === 'u' || kind === 'U') && escape.length > 1) {
    const code = Number.parseInt(escape.slice(1), 16)
    return encodeUtf8(String.fromCodePoint(code <= 0x10_ffff ? code : 0xfffd))
  }
  const simple = SIMPLE[kind]
  return simple === undefined ? encodeUtf8(escape) : Uint8Array.of(simple)
}
