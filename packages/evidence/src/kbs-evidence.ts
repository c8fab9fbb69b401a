// Evidence as Confidential Containers guests send it to a key broker: one JSON value for each kind of attester.

import {
  type CertTableEntry,
  certificatesOf,
  MAX_CERT_TABLE_ENTRIES,
  SNP_CERTIFICATE_TYPES,
} from './amd/cert-table.ts'
import { MAX_CERT_TABLE_SIZE, type SnpEvidence } from './amd/evidence.ts'
import { parseSnpReport } from './amd/report.ts'
import { encodeReportJson } from './amd/report-json.ts'
import type { Kind } from './claims.ts'
import { MAX_QUOTE_BYTES, parseIntelQuote } from './intel/quote.ts'
import { JsonFields } from './json-fields.ts'
import type { ParsedEvidence } from './parse.ts'
import { Refusal } from './refusal.ts'
import { parseSampleEvidence } from './sample/evidence.ts'

/** What older and newer guests send beside a TDX quote. */
const EVENT_LOGS = ['cc_eventlog', 'aa_eventlog'] as const
/** Longest event log taken, in characters of base64; it is not evidence, and not looked at. */
const MAX_EVENT_LOG_LENGTH = 4 * 1024 * 1024

const MAX_CERT_TYPE_LENGTH = 16
/** A GUID in text. */
const GUID_LENGTH = 36

/**
 * Parses `primary_evidence` of the given TEE.
 * @throws {Refusal} `evidence-malformed`, also where the quote inside is of another kind; `evidence-unsupported`
 */
export function parseKbsEvidence(tee: Kind, primaryEvidence: unknown): ParsedEvidence {
  if (tee === 'snp') return parseSnpJson(primaryEvidence)
  if (tee === 'sample') return parseSampleEvidence(primaryEvidence)
  const json = new JsonFields(primaryEvidence, 'evidence')
  const quote = parseIntelQuote(json.base64('quote', MAX_QUOTE_BYTES))
  if (tee === 'tdx') for (const log of EVENT_LOGS) json.optionalText(log, MAX_EVENT_LOG_LENGTH)
  json.finish()
  if (quote.kind === tee) return quote
  throw new Refusal('evidence-malformed', `the evidence is named ${tee}, its quote is of ${quote.kind}`, {
    expected: tee,
    got: quote.kind,
  })
}

/** A decoded report, and the certificates that the guest's host has given it. */
function parseSnpJson(value: unknown): SnpEvidence {
  const json = new JsonFields(value, 'evidence')
  const report = parseSnpReport(encodeReportJson(json.object('attestation_report')))
  const entries = json.optionalObjects('cert_chain', MAX_CERT_TABLE_ENTRIES).map(readEntry)
  json.finish()
  return { kind: 'snp', report, certificates: certificatesOf(entries) }
}

/** virtee/sev's `CertTableEntry`: the type is a word, or `{ OTHER: GUID }` for a GUID that is not AMD's. */
function readEntry(json: JsonFields): CertTableEntry {
  const type = json.isText('cert_type') ? readType(json) : readOther(json.object('cert_type'))
  // As much as a host's table may hold altogether: what is no certificate is passed over, not refused.
  const bytes = json.bytesUpTo('data', MAX_CERT_TABLE_SIZE)
  json.finish()
  return { type, bytes }
}

function readType(json: JsonFields): CertTableEntry['type'] {
  const name = json.word('cert_type', MAX_CERT_TYPE_LENGTH)
  return SNP_CERTIFICATE_TYPES.find(it => it === name) ?? null
}

function readOther(json: JsonFields): null {
  json.word('OTHER', GUID_LENGTH)
  json.finish()
  return null
}
