// Intel's signed JSON (PCS API v4): `{ "<member>": {…}, "signature": "<hex of r || s>" }`. The signature is over the
// member's text exactly as served, so the text is cut out, never parsed and written again. What is verified and
// what is read are therefore the same bytes: a member that stands twice is refused.

import { decodeUtf8, encodeUtf8, fromHex } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import type { Signed } from '../signature.ts'

/** Longest JSON taken, in characters; Intel's largest is some 60 KiB. */
export const MAX_JSON_LENGTH = 4 * 1024 * 1024

/** A signed document before it is known what it says. */
export interface SignedJson extends Signed {
  readonly signatureAlgorithm: 'ecdsa-sha256'
  readonly signatureEncoding: 'p1363'
}

/**
 * The text of every member of a JSON object, as it stands; white space around values is not part of them.
 * @returns null where the text is not one JSON object, or a member stands twice
 */
export function memberTexts(text: string): ReadonlyMap<string, string> | null {
  if (text.length > MAX_JSON_LENGTH || !isJsonObject(text)) return null
  // From here on the text is known to be well-formed, so that only strings and brackets need care.
  const members = new Map<string, string>()
  let at = skipSpace(text, 0) + 1
  for (;;) {
    at = skipSpace(text, at)
    if (text[at] === '}') return members
    const keyEnd = skipString(text, at)
    const key = JSON.parse(text.slice(at, keyEnd)) as string
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = skipValue(text, start)
    if (members.has(key)) return null
    members.set(key, text.slice(start, end).trimEnd())
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
  return {
    tbs: encodeUtf8(text),
    signature: octets,
    signatureAlgorithm: 'ecdsa-sha256',
    signatureEncoding: 'p1363',
  }
}

/** The value that the signed text stands for. */
export function parseSigned(signed: SignedJson, what: string): unknown {
  try {
    return JSON.parse(decodeUtf8(signed.tbs) ?? '')
  } catch (cause) {
    throw new Refusal('endorsement-malformed', `${what} is not JSON`, { cause })
  }
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++
  return at
}

/** From an opening quote to behind the closing one, which is the first that no odd number of backslashes precedes. */
function skipString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1)
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end + 1
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/** From a value's first character to the comma or bracket behind it. */
function skipValue(text: string, at: number): number {
  const punctuation = /["{}[\],]/g
  punctuation.lastIndex = at
  let depth = 0
  for (let match = punctuation.exec(text); match !== null; match = punctuation.exec(text)) {
    const [character] = match
    if (character === '"') punctuation.lastIndex = skipString(text, match.index)
    else if (character === '{' || character === '[') depth++
    else if (depth === 0) return match.index
    else if (character !== ',') depth--
  }
  return text.length
}
