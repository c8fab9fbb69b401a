// Enclave identities (Intel PCS API v4, `enclaveIdentity` version 2): what a genuine quoting enclave looks like, and
// how Intel judges each of its versions. QE is the one for SGX quotes, TD_QE the one for TDX.

import type { TcbStatus } from '../claims.ts'
import { SignedFields } from './signed-fields.ts'
import type { SignedJson } from './signed-json.ts'
import { parseVerdict, type TcbVerdict } from './tcb-info.ts'

const MAX_U16 = 0xffff
const MAX_U32 = 0xffff_ffff
/** Intel's own library knows no others for an enclave. */
const ENCLAVE_STATUSES = [
  'UpToDate',
  'ConfigurationNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const satisfies readonly TcbStatus[]

export interface EnclaveIdentity extends SignedJson {
  readonly kind: 'enclave-identity'
  readonly id: 'QE' | 'TD_QE' | 'QVE' | 'QAE'
  /** Milliseconds since 1970. */
  readonly issueDate: number
  readonly nextUpdate: number
  readonly evaluationNumber: number
  /** 4 bytes, in the order of the wire. */
  readonly miscSelect: Uint8Array
  readonly miscSelectMask: Uint8Array
  /** 16 bytes: flags and XFRM. */
  readonly attributes: Uint8Array
  readonly attributesMask: Uint8Array
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  readonly levels: readonly (TcbVerdict & { readonly isvSvn: number })[]
}

/**
 * Reads a signed `enclaveIdentity`, which `value` is; its signature is checked by verification, not here.
 * @throws {Refusal} `endorsement-malformed`
 */
export function parseEnclaveIdentity(signed: SignedJson, value: unknown): EnclaveIdentity {
  const fields = new SignedFields(value, 'enclaveIdentity')
  if (fields.integer('version', MAX_U32) !== 2) fields.fail('version 2', 'version')
  const levels = fields.objects('tcbLevels').map(level => ({
    isvSvn: level.object('tcb').integer('isvsvn', MAX_U16),
    ...parseVerdict(level, ENCLAVE_STATUSES),
  }))
  if (levels.length === 0) fields.fail('at least one level', 'tcbLevels')
  return {
    ...signed,
    kind: 'enclave-identity',
    id: fields.oneOf('id', ['QE', 'TD_QE', 'QVE', 'QAE']),
    ...fields.window(),
    evaluationNumber: fields.integer('tcbEvaluationDataNumber', MAX_U32),
    // MISCSELECT too is the octets of the report as they stand: Intel's library reads both as little-endian numbers.
    miscSelect: fields.bytes('miscselect', 4),
    miscSelectMask: fields.bytes('miscselectMask', 4),
    attributes: fields.bytes('attributes', 16),
    attributesMask: fields.bytes('attributesMask', 16),
    mrSigner: fields.bytes('mrsigner', 32),
    isvProdId: fields.integer('isvprodid', MAX_U16),
    levels,
  }
}
