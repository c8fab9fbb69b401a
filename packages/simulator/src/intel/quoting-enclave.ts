// The two simulated quoting enclaves: what their reports say, and how a report binds the attestation key
// (Intel SGX ECDSA QuoteLibReference, A.4, “QE Report”).

import { createHash } from 'node:crypto'
import type { FieldValue } from '../layout.ts'
import { SGX_REPORT_BODY, type SgxReportField } from './structures.ts'

/** Hex. */
export interface QuotingEnclave {
  /** The identity’s id. */
  readonly id: 'QE' | 'TD_QE'
  readonly mrEnclave: string
  readonly mrSigner: string
  readonly isvProdId: number
  readonly isvSvn: number
  readonly previousIsvSvn: number
}

function digest(of: string): string {
  return createHash('sha256').update(of).digest('hex')
}

/** Measurements are digests of their names, so that they are the same in every installation. */
export const QUOTING_ENCLAVES: Readonly<Record<'sgx' | 'tdx', QuotingEnclave>> = {
  sgx: {
    id: 'QE',
    mrEnclave: digest('casemate simulated QE'),
    mrSigner: digest('casemate simulated QE signer'),
    isvProdId: 1,
    isvSvn: 8,
    previousIsvSvn: 6,
  },
  tdx: {
    id: 'TD_QE',
    mrEnclave: digest('casemate simulated TD QE'),
    mrSigner: digest('casemate simulated TD QE signer'),
    isvProdId: 2,
    isvSvn: 4,
    previousIsvSvn: 3,
  },
}

/** INIT | MODE64BIT | PROVISIONKEY, and the x87, SSE, AVX and AVX-512 states, as Intel’s quoting enclaves have. */
const QE_ATTRIBUTES_FLAGS = 0x15
const QE_ATTRIBUTES_XFRM = 0xe7

export interface QeReportInput {
  readonly enclave: QuotingEnclave
  readonly cpuSvn: readonly number[]
  /** x ‖ y. */
  readonly attestationKey: Uint8Array
  readonly authenticationData: Uint8Array
  /** Fields that shall say something else than the enclave would. */
  readonly overrides: Readonly<Partial<Record<SgxReportField, FieldValue>>>
}

/** 384 bytes; report data is SHA-256(attestation key ‖ authentication data) ‖ 32 zeros. */
export function qeReport(input: QeReportInput): Uint8Array {
  const binding = createHash('sha256').update(input.attestationKey).update(input.authenticationData).digest()
  return SGX_REPORT_BODY.write({
    cpuSvn: Uint8Array.from(input.cpuSvn),
    attributesFlags: QE_ATTRIBUTES_FLAGS,
    attributesXfrm: QE_ATTRIBUTES_XFRM,
    mrEnclave: input.enclave.mrEnclave,
    mrSigner: input.enclave.mrSigner,
    isvProdId: input.enclave.isvProdId,
    isvSvn: input.enclave.isvSvn,
    reportData: Buffer.concat([binding, new Uint8Array(32)]),
    ...input.overrides,
  })
}
