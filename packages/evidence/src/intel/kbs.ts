// Quotes of SGX and TDX as Confidential Containers guests send them to a key broker: the JSON of their attesters
// (guest-components: attestation-agent/attester, sgx_dcap and tdx).

import { toBase64 } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import { StrictFields } from '../strict-fields.ts'
import { MAX_QUOTE_BYTES, parseIntelQuote, type SgxQuote, type TdxQuote } from './quote.ts'

/** What older and newer guests send beside a TDX quote. */
const EVENT_LOGS = ['cc_eventlog', 'aa_eventlog'] as const
/** Longest event log taken, in characters of base64; it is not evidence, and not looked at. */
const MAX_EVENT_LOG_LENGTH = 4 * 1024 * 1024

/** What `primary_evidence` holds for `sgx`. */
export interface SgxKbsEvidence {
  /** Base64. */
  readonly quote: string
}

/** What `primary_evidence` holds for `tdx`. */
export interface TdxKbsEvidence {
  /** No event log: what it says has to be derived from the quote's registers anyway. */
  readonly cc_eventlog: null
  /** Base64. */
  readonly quote: string
}

/** @throws {Refusal} `evidence-malformed`, `evidence-unsupported` */
export function parseSgxKbs(primaryEvidence: unknown): SgxQuote {
  const json = new StrictFields(primaryEvidence, 'evidence')
  const quote = readQuote(json)
  json.finish()
  if (quote.kind === 'sgx') return quote
  throw otherKind('sgx', quote)
}

/** @throws {Refusal} `evidence-malformed`, `evidence-unsupported` */
export function parseTdxKbs(primaryEvidence: unknown): TdxQuote {
  const json = new StrictFields(primaryEvidence, 'evidence')
  const quote = readQuote(json)
  for (const log of EVENT_LOGS) json.optionalText(log, MAX_EVENT_LOG_LENGTH)
  json.finish()
  if (quote.kind === 'tdx') return quote
  throw otherKind('tdx', quote)
}

function readQuote(json: StrictFields): SgxQuote | TdxQuote {
  return parseIntelQuote(json.base64('quote', MAX_QUOTE_BYTES))
}

function otherKind(named: string, { kind }: SgxQuote | TdxQuote): Refusal {
  const message = `the evidence is named ${named}, its quote is of ${kind}`
  return new Refusal('evidence-malformed', message, { expected: named, got: kind })
}

export function sgxKbsEvidence(quote: Uint8Array): SgxKbsEvidence {
  return { quote: toBase64(quote) }
}

export function tdxKbsEvidence(quote: Uint8Array): TdxKbsEvidence {
  return { cc_eventlog: null, quote: toBase64(quote) }
}
