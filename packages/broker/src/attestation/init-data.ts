// Init-data (Confidential Containers): TOML that configures a guest and whose digest the hardware puts in the report.
// The digest is over the raw bytes as they were sent. Which guests have to send it is the appraisal policy's to say.

import { hash } from 'node:crypto'
import { parse } from 'smol-toml'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'

/** Init-data as a guest sends it with its evidence. */
export interface SentInitData {
  readonly format: string
  readonly body: string
}

/** Checked init-data. */
export interface InitData {
  /** Of the raw body: 32, 48 or 64 bytes of hex; the appraisal fits it to the field of the report. */
  readonly digest: string
  /** The `[data]` table: names of files and their texts. */
  readonly data: JsonObject
}

/**
 * Largest init-data, in bytes. Its files are configurations of a few KiB and the agent's policy, which Kata's
 * generator makes of a rule set of some 70 KiB and several KiB for each container.
 */
export const MAX_INIT_DATA_BYTES = 256 * 1024

/**
 * Most that may stand outside of strings, comments and white space: names, tables, punctuation; a string counts as
 * one. Init-data with ten files has 300 characters of it; a parser's work grows with it, and faster than that.
 */
const MAX_STRUCTURE_CHARS = 4096

const ALGORITHMS: readonly string[] = ['sha256', 'sha384', 'sha512']
const MEMBERS: readonly string[] = ['version', 'algorithm', 'data']

/** @throws {BrokerError} `init-data-invalid` */
export function readInitData({ format, body }: SentInitData): InitData {
  if (format !== 'toml') throw invalid('its format is not toml')
  if (Buffer.byteLength(body) > MAX_INIT_DATA_BYTES) {
    throw invalid(`it is larger than ${MAX_INIT_DATA_BYTES} bytes`)
  }
  if (structureOf(body) > MAX_STRUCTURE_CHARS) throw invalid('it is more than a flat table of texts')
  const document = parseToml(body)
  for (const name of Object.keys(document)) {
    if (!MEMBERS.includes(name)) throw invalid(`it has members other than ${MEMBERS.join(', ')}`)
  }
  if (document['version'] !== '0.1.0') throw invalid('its version is not 0.1.0')
  const algorithm = digestName(document['algorithm'])
  const { data } = document
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw invalid('it has no table [data]')
  const texts = Object.entries(data)
  if (!texts.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw invalid('a member of [data] is no string')
  }
  return { digest: hash(algorithm, body, 'hex'), data: Object.fromEntries(texts) }
}

/** Characters outside of strings, comments and white space, in one pass; a string that does not end is for the parser. */
function structureOf(body: string): number {
  let count = 0
  for (let at = 0; at < body.length; ) {
    const character = body[at] ?? ''
    if (character === '#') at = endOf(body, '\n', at)
    else if (character === '"' || character === "'") at = endOfString(body, at)
    else at++
    if (!WHITE_SPACE.includes(character) && character !== '#') count++
  }
  return count
}

const WHITE_SPACE = ' \t\r\n'

/** Where the string that begins at `start` is over; the end of the line, or of the text, where it is not. */
function endOfString(body: string, start: number): number {
  const quote = body[start] ?? ''
  const isLong = body.startsWith(quote.repeat(3), start)
  const mark = isLong ? quote.repeat(3) : quote
  for (let at = start + mark.length; at < body.length; at++) {
    if (!isLong && body[at] === '\n') return at
    if (body.startsWith(mark, at)) return at + mark.length + (isLong ? moreQuotes(body, quote, at + 3) : 0)
    if (quote === '"' && body[at] === '\\') at++
  }
  return body.length
}

/** A long string may end with one or two quotes of its own, before the three that close it. */
function moreQuotes(body: string, quote: string, at: number): number {
  if (body[at] !== quote) return 0
  return body[at + 1] === quote ? 2 : 1
}

function endOf(body: string, mark: string, from: number): number {
  const found = body.indexOf(mark, from)
  return found < 0 ? body.length : found + mark.length
}

function parseToml(body: string): Record<string, unknown> {
  try {
    return parse(body)
  } catch (error) {
    throw invalid('it is not TOML', error)
  }
}

/** The specification's text writes `sha-384`, its code `sha384`: both are read. */
function digestName(algorithm: unknown): string {
  const name = typeof algorithm === 'string' ? algorithm.toLowerCase().replace('-', '') : ''
  if (!ALGORITHMS.includes(name)) throw invalid(`its algorithm is none of ${ALGORITHMS.join(', ')}`)
  return name
}

function invalid(what: string, cause?: unknown): BrokerError {
  return new BrokerError('init-data-invalid', `the init-data is not acceptable: ${what}`, { cause })
}
