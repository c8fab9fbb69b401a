// A strict DER writer (ITU-T X.690): definite minimal lengths, minimal integers, nothing optional.
// It shares nothing with the reader but the names of the tags, and is tested against OpenSSL alone.

import { concat, encodeUtf8 } from './bytes.ts'
import { TAG } from './der.ts'

/** First year that RFC 5280 4.1.2.5 wants as GeneralizedTime. */
const FIRST_GENERALIZED_YEAR = 2050

function bigEndian(value: number): number[] {
  const octets = [value & 0xff]
  for (let rest = value >>> 8; rest > 0; rest >>>= 8) octets.unshift(rest & 0xff)
  return octets
}

function length(size: number): number[] {
  if (size < 0x80) return [size]
  const octets = bigEndian(size)
  return [0x80 | octets.length, ...octets]
}

/** One element: tag, minimal length, content. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, content) => sum + content.length, 0)
  return concat(Uint8Array.of(tag, ...length(size)), ...contents)
}

export function sequence(...items: readonly Uint8Array[]): Uint8Array {
  return element(TAG.sequence, ...items)
}

/** A SET OF one member; DER would have to sort more. */
export function setOfOne(item: Uint8Array): Uint8Array {
  return element(TAG.set, item)
}

/** An unsigned INTEGER from a number or from big-endian bytes. */
export function unsigned(value: number | Uint8Array): Uint8Array {
  let octets = typeof value === 'number' ? Uint8Array.from(bigEndian(value)) : value
  while (octets.length > 1 && octets[0] === 0) octets = octets.subarray(1)
  const negative = (octets[0] ?? 0) >= 0x80
  return element(TAG.integer, negative ? concat(Uint8Array.of(0), octets) : octets)
}

/** One-octet ENUMERATED. */
export function enumerated(value: number): Uint8Array {
  return element(TAG.enumerated, Uint8Array.of(value))
}

export function boolean(value: boolean): Uint8Array {
  return element(TAG.boolean, Uint8Array.of(value ? 0xff : 0x00))
}

export function nullValue(): Uint8Array {
  return element(TAG.null)
}

export function octetString(content: Uint8Array): Uint8Array {
  return element(TAG.octetString, content)
}

/** `unusedBits` counts the padding bits at the end of the last octet. */
export function bitString(content: Uint8Array, unusedBits = 0): Uint8Array {
  return element(TAG.bitString, Uint8Array.of(unusedBits), content)
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(TAG.oid, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(arc: number): number[] {
  const septets = [arc & 0x7f]
  for (let rest = arc >>> 7; rest > 0; rest >>>= 7) septets.unshift(0x80 | (rest & 0x7f))
  return septets
}

export function utf8String(text: string): Uint8Array {
  return element(TAG.utf8String, encodeUtf8(text))
}

/** The caller keeps to the characters of the type. */
export function printableString(text: string): Uint8Array {
  return element(TAG.printableString, encodeUtf8(text))
}

/** ASCII only. */
export function ia5String(text: string): Uint8Array {
  return element(TAG.ia5String, encodeUtf8(text))
}

/** UTCTime until 2049, GeneralizedTime after; whole seconds, in UTC. */
export function time(date: Date): Uint8Array {
  const digits = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  return date.getUTCFullYear() < FIRST_GENERALIZED_YEAR
    ? element(TAG.utcTime, encodeUtf8(digits.slice(2)))
    : element(TAG.generalizedTime, encodeUtf8(digits))
}

/** `[number] EXPLICIT`. */
export function explicit(number: number, content: Uint8Array): Uint8Array {
  return element(0xa0 | number, content)
}

/** `[number] IMPLICIT` of a primitive; `content` comes without the header that it replaces. */
export function implicit(number: number, content: Uint8Array): Uint8Array {
  return element(0x80 | number, content)
}
