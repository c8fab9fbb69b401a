// Intel's signed JSON (PCS API v4): `{ "<member>": {…}, "signature": "<hex of r || s>" }`. The signature is over the
// member's text exactly as served, so the text is cut out, never parsed and written again. What is verified and
// what is read are therefore the same bytes: a member that stands twice is refused.

import { encodeUtf8, fromHex } from '../bytes.ts'
import { FILE_JSON, jsonFault } from '../json-structure.ts'
import { Refusal } from '../refusal.ts'
import type { Signed } from '../signature.ts'

/** Longest JSON taken, in characters; Intel's largest is some 60 KiB. */
export const MAX_JSON_LENGTH = 4 * 1024 * 1024

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d]

/** A signed document before it is known what it says. */
export interface SignedJson extends Signed {
  readonly signatureAlgorithm: 'ecdsa-sha256'
  readonly signatureEncoding: 'p1363'
}

/** A member of a JSON object: its value, and the text that stands for it, without white space around. */
export interface JsonMember {
  readonly text: string
  readonly value: unknown
}

/**
 * Every member of a JSON object.
 * @returns null where the text is not one JSON object, or a member stands twice
 */
export function jsonMembers(text: string): ReadonlyMap<string, JsonMember> | null {
  const whole = text.length > MAX_JSON_LENGTH ? null : parseObject(text)
  if (!whole) return null
  // From here on the text is known to be well-formed, so that only strings and brackets need care, and to name every member
  // once: the value that it has in the whole is what its own text stands for.
  const members = new Map<string, JsonMember>()
  let at = skipSpace(text, 0) + 1
  for (;;) {
    at = skipSpace(text, at)
    if (text[at] === '}') return members
    const keyEnd = skipString(text, at)
    const key = JSON.parse(text.slice(at, keyEnd)) as string
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = skipValue(text, start)
    members.set(key, { text: text.slice(start, end).trimEnd(), value: whole[key] })
    at = skipSpace(text, end)
    if (text[at] === ',') at++
  }
}

/**
 * Joins a member's text and its signature.
 * @throws {Refusal} `endorsement-malformed`
 */
export function signedJson(text: string, signature: unknown, what: string): SignedJson {
  const octets = typeof signature === 'string' ? fromHex(signature) : null
  if (octets?.length !== 64) {
    throw new Refusal('endorsement-malformed', `${what}: the signature is not 64 bytes in hex`)
  }
  // Half a character has no octets: what is read would not be what was signed.
  if (!text.isWellFormed()) throw new Refusal('endorsement-malformed', `${what} is not Unicode text`)
  return {
    tbs: encodeUtf8(text),
    signature: octets,
    signatureAlgorithm: 'ecdsa-sha256',
    signatureEncoding: 'p1363',
  }
}

/**
 * The value that a text stands for.
 * @throws {Refusal} `endorsement-malformed`
 */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Refusal('endorsement-malformed', `${what} is not JSON`, { cause })
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  if (jsonFault(text, FILE_JSON) !== null) return null
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++
  return at
}

/** From an opening quote to behind the closing one. */
function skipString(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end++) {
    const character = text.charCodeAt(end)
    if (character === BACKSLASH) end++
    else if (character === QUOTE) return end + 1
  }
  return text.length
}

/** From a value's first character to the comma or bracket behind it. */
function skipValue(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) at = skipString(text, at) - 1
    else if (character === OPEN_BRACE || character === OPEN_BRACKET) depth++
    else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) {
      if (depth === 0) return at
      depth--
    } else if (character === COMMA && depth === 0) return at
  }
  return text.length
}
