// JSON by its members: what it is, or which of them holds the evidence. Names are those of the services and tools that
// write them; whatever else is there is theirs, and not looked at.

import { MAX_SNP_CERTIFICATES } from '../amd/cert-table.ts'
import { bytesOfJson } from '../json-bytes.ts'
import { EVIDENCE_KINDS } from '../kinds.ts'
import { type Beside, type Members, membersOf } from '../members.ts'
import { Refusal } from '../refusal.ts'
import { FOREIGN_JSON } from './foreign-json.ts'
import type { Form } from './layer.ts'

/** Members that hold evidence, outermost first. */
const WRAPPERS: readonly string[] = [
  // Requests to a KBS of Confidential Containers and to its attestation service.
  'tee-evidence',
  'verification_requests',
  'primary_evidence',
  'evidence',
  // Intel Trust Authority: evidence of several kinds in one request.
  'tdx',
  'sgx',
  'sevsnp',
  // Intel Trust Authority, Azure Attestation, dstack and its SDKs.
  'quote',
  'Quote',
  'tdx_quote',
  'td_quote',
  'sgx_quote',
  'raw_quote',
  'quote_hex',
  // Phala and those who serve models on it.
  'intel_quote',
  'gateway_attestation',
  'app_certificates',
  'model_attestations',
  // The kernel’s configfs-tsm, as Veraison’s and other attesters pass it on.
  'outblob',
  // Azure Attestation for SEV-SNP, and reports in general.
  'SnpReport',
  'snp_report',
  'attestation_report',
  'report',
  'attestation',
  'attestation_doc',
  'attestation_document',
  // Answers: of Intel Trust Authority and Azure Attestation, and of RPC.
  'token',
  'result',
  'data',
]

/** Members that hold certificates beside a report. */
const CERTIFICATES: readonly string[] = [
  'auxblob',
  'VcekCertChain',
  'vcek',
  'vlek',
  'vcekCert',
  'certificateChain',
  'certificate_chain',
  'cert_chain',
]

/** As Confidential Containers guests have it: decoded, and so complete in itself. */
export const KBS_JSON: Form<unknown> = {
  name: 'evidence of a Confidential Containers guest',
  open: value => {
    const members = membersOf(value)
    if (members === null) return null
    for (const kind of Object.values(EVIDENCE_KINDS)) {
      const found = kind.recogniseKbs(members)
      if (found === null) continue
      const { evidence, taken } = found
      return { is: 'evidence', evidence, ...(taken === null ? {} : { others: othersOf(members, taken) }) }
    }
    return null
  },
}

export const JSON_TEXT: Form<unknown> = {
  name: 'a text in JSON',
  open: value => (typeof value === 'string' ? { is: 'text', text: value.trim() } : null),
}

export const JSON_BYTES: Form<unknown> = {
  name: 'byte numbers in JSON',
  open: value => {
    const bytes = bytesOfJson(value)
    return bytes === null ? null : { is: 'bytes', bytes }
  },
}

export const JSON_LIST: Form<unknown> = {
  name: 'a list',
  open: value => {
    if (!Array.isArray(value) || value.length === 0) return null
    // Of several of something else, that is what matters.
    FOREIGN_JSON.open(value[0])
    if (value.length === 1) return { is: 'json', value: value[0] as unknown }
    throw new Refusal(
      'evidence-malformed',
      `it holds a list of ${value.length}, and not one piece of evidence`,
      {
        expected: 'one piece of evidence',
        got: `${value.length}`,
        hint: 'cut one of them out, and give each in a file of its own',
      },
    )
  },
}

export const JSON_WRAPPER: Form<unknown> = {
  name: 'JSON',
  open: value => {
    const members = membersOf(value)
    const name = members && WRAPPERS.find(it => isPresent(members[it]))
    if (members === null || name == null) return null
    const beside = CERTIFICATES.filter(it => it !== name).flatMap(it => besideIn(it, members[it]))
    return { is: 'json', value: members[name], beside, others: othersOf(members, name) }
  },
}

/** What else may hold evidence, beside the member that was taken. */
function othersOf(members: Members, taken: string): readonly Beside[] {
  return WRAPPERS.filter(it => it !== taken && isPresent(members[it])).map(name => ({
    name,
    value: members[name],
  }))
}

function besideIn(name: string, value: unknown): readonly Beside[] {
  if (Array.isArray(value) && value.every(it => typeof it === 'string')) {
    // One too many is refused where they are read.
    return value.slice(0, MAX_SNP_CERTIFICATES + 1).map(text => ({ name, value: text }))
  }
  return (typeof value === 'string' && value !== '') || bytesOfJson(value) !== null ? [{ name, value }] : []
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}
