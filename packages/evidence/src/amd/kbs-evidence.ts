// SEV-SNP evidence as Confidential Containers guests send it: the decoded report, and the certificates that the host
// gave to the guest, if any.

import { JsonFields } from '../json-fields.ts'
import { Refusal } from '../refusal.ts'
import { SNP_CERTIFICATE_TYPES, type SnpCertificate } from './cert-table.ts'
import type { SnpEvidence } from './evidence.ts'
import { parseSnpReport } from './report.ts'
import { encodeReportJson } from './report-json.ts'

const MAX_CERTIFICATES = 8
/** A VCEK is some 1,350 bytes, an ARK 1,650. */
const MAX_CERTIFICATE_BYTES = 16 * 1024
const MAX_TYPE_LENGTH = 16

/**
 * Reads `{ attestation_report, cert_chain }`.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function parseSnpKbsEvidence(value: unknown): SnpEvidence {
  const json = new JsonFields(value, 'evidence')
  const report = parseSnpReport(encodeReportJson(json.object('attestation_report')))
  const certificates = json.optionalObjects('cert_chain', MAX_CERTIFICATES).map(readCertificate)
  json.finish()
  return { kind: 'snp', report, certificates }
}

function readCertificate(json: JsonFields): SnpCertificate {
  const name = json.text('cert_type', MAX_TYPE_LENGTH)
  const type = SNP_CERTIFICATE_TYPES.find(it => it === name)
  if (type === undefined) {
    throw new Refusal('evidence-malformed', `the certificate chain has a ${JSON.stringify(name)}`, {
      expected: SNP_CERTIFICATE_TYPES.join(', '),
      got: name,
    })
  }
  const bytes = json.bytesUpTo('data', MAX_CERTIFICATE_BYTES)
  json.finish()
  return { type, bytes }
}
