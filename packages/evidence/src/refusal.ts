// Why evidence or an endorsement was not accepted: one error class, one table of stable codes.
// Codes are API, messages are not. A code names the thing that failed, so that nobody has to read the message
// to act on it; each code has exactly one meaning.

import type { Step } from './step.ts'

/** Every code a {@link Refusal} can carry, with its one meaning. */
export const REFUSALS = {
  'evidence-malformed': 'the bytes do not have the shape that their format prescribes',
  'evidence-unsupported': 'a format, version, key type or certification type that is not handled here',
  'certificate-malformed': 'a certificate is not the DER X.509 that its vendor issues',
  'certificate-expired': 'a certificate in the chain is past its notAfter',
  'certificate-not-yet-valid': 'a certificate in the chain is before its notBefore',
  'certificate-revoked': 'a certificate in the chain is listed in its issuer’s revocation list',
  'certificate-usage-invalid':
    'a certificate does what its extensions or its role in the hierarchy do not allow',
  'certificate-signature-invalid': 'a certificate is not signed by the issuer that it names',
  'chain-incomplete': 'a certificate between the leaf and the root was not found',
  'chain-untrusted': 'the chain does not end in a pinned root',
  'crl-malformed': 'a revocation list is not a DER X.509 CRL',
  'crl-missing': 'no revocation list of a needed issuer was supplied',
  'crl-expired': 'the revocation list is past its nextUpdate',
  'crl-not-yet-valid': 'the revocation list is before its thisUpdate',
  'crl-signature-invalid': 'the revocation list is not signed by the issuer that it names',
  'endorsement-malformed': 'TCB info, an identity or another endorsement does not have its specified shape',
  'endorsement-missing': 'no endorsement of the needed kind matches this evidence',
  'endorsement-expired': 'the matching endorsement is past its nextUpdate',
  'endorsement-not-yet-valid': 'the matching endorsement is before its issueDate',
  'endorsement-signature-invalid': 'the endorsement is not signed by the vendor’s signing key',
  'evaluation-number-too-low': 'the endorsement’s tcbEvaluationDataNumber is below the wanted minimum',
  'quote-signature-invalid': 'the quote or report is not signed by the key that it names',
  'qe-report-signature-invalid': 'the quoting enclave’s report is not signed by the PCK',
  'qe-binding-mismatch': 'the quoting enclave’s report data does not bind this attestation key',
  'qe-identity-mismatch': 'the quoting enclave is not the one that the vendor’s identity describes',
  'pce-mismatch': 'all TCB info for the certificate’s FMSPC is for another PCE id',
  'tcb-level-unknown': 'no TCB level of the endorsement matches this platform',
  'tdx-module-mismatch': 'the TDX module is not one that the TCB info describes',
  'hardware-id-mismatch': 'the report’s chip id is not the one that the leaf certificate was issued for',
  'product-mismatch': 'the certificate chain belongs to another processor family than the report',
  'tcb-mismatch': 'the leaf certificate was issued for another TCB than the report states',
  'enclave-malformed': 'the statement of an enclave, or the SIGSTRUCT in it, does not have its shape',
  'enclave-signature-invalid': 'the SIGSTRUCT of an enclave is not signed by the key that it carries',
  'enclave-mismatch': 'the stated enclave is not the one that the processor measured',
  'tcb-inconsistent': 'the committed, current, reported and launch TCB contradict one another',
} as const

/** A stable code of {@link REFUSALS}. */
export type RefusalCode = keyof typeof REFUSALS

/** What a refusal says beyond its code. */
export interface RefusalDetail {
  /** What was wanted, in the specification’s words. */
  readonly expected?: string
  /** What was found instead. */
  readonly got?: string
  /** What a person can do about it. */
  readonly hint?: string
  readonly cause?: unknown
}

/** Evidence or an endorsement that is not acceptable: final for these bytes at this time. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly hint: string | undefined
  /** The steps that had passed before this one failed; filled in by `verify`. */
  steps: readonly Step[] = []

  constructor(code: RefusalCode, message: string, detail: RefusalDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.expected = detail.expected
    this.got = detail.got
    this.hint = detail.hint
  }
}
