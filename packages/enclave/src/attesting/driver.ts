// One interface to whatever signs evidence here: report data in, evidence out. What hardware, kernel or LibOS stands
// behind it is the driver's business; what runs on top of it is in the report data.
import type { BinaryKind } from '@casemate/evidence'
import { EnclaveError } from '../errors.ts'
import type { RegisterState } from './register.ts'
import type { EnclaveStatement } from './statement.ts'

/** REPORTDATA of SGX and TDX, REPORT_DATA of SEV-SNP, in bytes. */
export const REPORT_DATA_SIZE = 64

/** Evidence as the platform gives it, binary. */
export interface Quote {
  readonly kind: BinaryKind
  /** An SGX or TDX quote, or a SEV-SNP report of 1,184 bytes. */
  readonly evidence: Uint8Array
  /** SEV-SNP: the certificate table that the host offers (GHCB, extended guest request); null if there is none. */
  readonly certificateTable: Uint8Array | null
}

/** Asks the platform that this process runs on. */
export interface AttestationDriver {
  readonly kind: Quote['kind']
  /** Nothing in it proves anything about hardware. */
  readonly simulated: boolean
  /** Where the evidence comes from, for people: a path or a provider. */
  readonly source: string
  /** Evidence with these 64 bytes in it. @throws {EnclaveError} attestation-failed, attestation-busy, invalid-parameter */
  readonly quote: (reportData: Uint8Array) => Promise<Quote>
  /** Shows the enclave in a run-time register, once for the life of the machine; absent on kinds without registers. */
  readonly extendRegister?: (statement: EnclaveStatement) => Promise<RegisterState>
}

/** @throws {EnclaveError} invalid-parameter */
export function checkReportData(reportData: Uint8Array): void {
  if (reportData.length === REPORT_DATA_SIZE) return
  throw new EnclaveError('invalid-parameter', `report data is ${reportData.length} bytes, want 64`, {
    expected: `${REPORT_DATA_SIZE} bytes`,
    got: `${reportData.length} bytes`,
    hint: 'a digest that is shorter is padded with zeros on the right',
  })
}
