// Evidence as Confidential Containers guests send it to a key broker: one JSON value for each kind of attester.

import { MAX_SNP_CERTIFICATES, SNP_CERTIFICATE_TYPES, type SnpCertificate } from './amd/cert-table.ts'
import type { SnpEvidence } from './amd/evidence.ts'
import { parseSnpReport } from './amd/report.ts'
import { encodeReportJson } from './amd/report-json.ts'
import type { Kind } from './claims.ts'
import { MAX_QUOTE_BYTES, parseIntelQuote } from './intel/quote.ts'
import { JsonFields } from './json-fields.ts'
import type { ParsedEvidence } from './parse.ts'
import { Refusal } from './refusal.ts'
import { parseSampleEvidence } from './sample.ts'

/** What older and newer guests send beside a TDX quote. */
const EVENT_LOGS = ['cc_eventlog', 'aa_eventlog'] as const
/** Longest event log taken, in characters of base64; it is not evidence, and not looked at. */
const MAX_EVENT_LOG_LENGTH = 4 * 1024 * 1024

const MAX_CERT_TYPE_LENGTH = 16
/** A VCEK is some 1,350 bytes, an ARK 1,650. */
const MAX_CERTIFICATE_BYTES = 16 * 1024

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
  const certificates = json.optionalObjects('cert_chain', MAX_SNP_CERTIFICATES).map(readCertificate)
  json.finish()
  return { kind: 'snp', report, certificates }
}

function readCertificate(json: JsonFields): SnpCertificate {
  const name = json.word('cert_type', MAX_CERT_TYPE_LENGTH)
  const bytes = json.bytesUpTo('data', MAX_CERTIFICATE_BYTES)
  json.finish()
  const type = SNP_CERTIFICATE_TYPES.find(it => it === name)
  if (type) return { type, bytes }
  throw new Refusal('evidence-malformed', `evidence.cert_chain has a certificate of type ${name}`, {
    expected: SNP_CERTIFICATE_TYPES.join(', '),
    got: name,
  })
}
