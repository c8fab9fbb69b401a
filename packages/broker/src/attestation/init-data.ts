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

const ALGORITHMS: readonly string[] = ['sha256', 'sha384', 'sha512']
const MEMBERS: readonly string[] = ['version', 'algorithm', 'data']

/** @throws {BrokerError} `init-data-invalid` */
export function readInitData({ format, body }: SentInitData): InitData {
  if (format !== 'toml') throw invalid('its format is not toml')
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
