// A SEV-SNP report as Confidential Containers guests send it to a key broker: the JSON of their attester
// (guest-components: attestation-agent/attester, snp), whose types are virtee/sev’s.

import { type Members, membersOf } from '../members.ts'
import { StrictFields } from '../strict-fields.ts'
import {
  type CertTableEntry,
  certificatesOf,
  MAX_CERT_TABLE_ENTRIES,
  MAX_SNP_CERTIFICATES,
  parseCertTable,
  SNP_CERTIFICATE_TYPES,
  type SnpCertificate,
} from './cert-table.ts'
import { MAX_CERT_TABLE_SIZE, type SnpEvidence } from './evidence.ts'
import { parseSnpReport } from './report.ts'
import { decodeReport, encodeReportJson } from './report-json.ts'

const MAX_CERT_TYPE_LENGTH = 16
/** A GUID in text. */
const GUID_LENGTH = 36

/** What `primary_evidence` holds for `snp`; bytes are arrays of numbers. */
export interface SnpKbsEvidence {
  readonly attestation_report: Readonly<Record<string, unknown>>
  readonly cert_chain: readonly { readonly cert_type: string; readonly data: readonly number[] }[] | null
}

/** A decoded report, and the certificates that the guest's host has given it. */
export function parseSnpKbs(value: unknown): SnpEvidence {
  const json = new StrictFields(value, 'evidence')
  const report = parseSnpReport(encodeReportJson(json.object('attestation_report')))
  const entries = json.optionalObjects('cert_chain', MAX_CERT_TABLE_ENTRIES).map(readEntry)
  json.finish()
  return { kind: 'snp', report, certificates: certificatesOf(entries) }
}

/** virtee/sev's `CertTableEntry`: the type is a word, or `{ OTHER: GUID }` for a GUID that is not AMD's. */
function readEntry(json: StrictFields): CertTableEntry {
  const type = json.isText('cert_type') ? readType(json) : readOther(json.object('cert_type'))
  // As much as a host's table may hold altogether: what is no certificate is passed over, not refused.
  const bytes = json.bytesUpTo('data', MAX_CERT_TABLE_SIZE)
  json.finish()
  return { type, bytes }
}

function readType(json: StrictFields): CertTableEntry['type'] {
  const name = json.word('cert_type', MAX_CERT_TYPE_LENGTH)
  return SNP_CERTIFICATE_TYPES.find(it => it === name) ?? null
}

function readOther(json: StrictFields): null {
  json.word('OTHER', GUID_LENGTH)
  json.finish()
  return null
}

/**
 * A report of 1,184 bytes, decoded, with the certificates that came with it: the leaf spares the verifier a request.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function snpKbsEvidence(
  report: Uint8Array,
  certificates: readonly SnpCertificate[] = [],
): SnpKbsEvidence {
  const chain = certificates
    .slice(0, MAX_SNP_CERTIFICATES)
    .map(({ type, bytes }) => ({ cert_type: type, data: [...bytes] }))
  return {
    attestation_report: decodeReport(parseSnpReport(report)),
    cert_chain: chain.length === 0 ? null : chain,
  }
}

/** What a driver has: a report, and the table that the host offers, of which the verifier lacks the leaf alone. */
export function encodeSnpKbs(report: Uint8Array, certificateTable: Uint8Array | null): SnpKbsEvidence {
  return snpKbsEvidence(report, leafOf(certificateTable))
}

/** The verifier pins the roots itself and has what stands below them; the leaf is what it would have to ask AMD for. */
function leafOf(table: Uint8Array | null): readonly SnpCertificate[] {
  if (table === null || table.length === 0) return []
  return parseCertTable(table).filter(({ type }) => type === 'VCEK' || type === 'VLEK')
}

const MEMBERS = ['attestation_report', 'cert_chain'] as const

/** Tools add members of their own; a file of evidence is not refused for them. */
export function recogniseSnpKbs(
  members: Members,
): { readonly evidence: SnpEvidence; readonly taken: 'attestation_report' } | null {
  if (membersOf(members['attestation_report']) === null) return null
  const known = Object.fromEntries(MEMBERS.filter(name => name in members).map(name => [name, members[name]]))
  return { evidence: parseSnpKbs(known), taken: 'attestation_report' }
}
