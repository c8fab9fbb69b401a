// How the KBS protocol says that something went wrong: status and `{type, detail}` for every code of BrokerError.
// Guests re-attest on 401 (three rounds), so only what a fresh attestation could cure answers 401 after `attest`:
// a denied secret is 403 and a missing one 404, which ends the loop. On `auth` and `attest` guests read a reason
// from 401 alone, so there every refusal of the guest is 401, as the protocol's first server has it.

import { BROKER_ERRORS, type BrokerError, type BrokerErrorCode } from '../errors.ts'

/** Prefix of every `type`; what follows is the variant. */
export const ERROR_TYPE_PREFIX = 'https://github.com/confidential-containers/kbs/errors/'

/** The body of every answer other than 200. */
export interface KbsErrorBody {
  readonly type: string
  /**
   * `code: what was wrong`, with what was got and wanted and a hint, as clients show nothing else; and the attestation by
   * its id: what explains a decision is for auditors, who find it under that id, and not in it.
   */
  readonly detail: string
}

interface KbsRow {
  readonly variant: string
  /** Where the protocol's status is another than that of /v1. */
  readonly status?: number
  /** A fixed text, where the error's own message could explain a decision or name a secret. */
  readonly text?: string
}

/** Codes that have a variant of their own in the protocol; all others are `PluginInternalError` with their status. */
export const KBS_ERRORS: Readonly<Partial<Record<BrokerErrorCode, KbsRow>>> = {
  'request-malformed': { variant: 'SerdeError' },
  'media-type-unsupported': { variant: 'SerdeError' },
  'request-too-large': { variant: 'HTTPFailed' },
  'request-too-complex': { variant: 'SerdeError' },
  overloaded: { variant: 'HTTPFailed' },
  'method-not-allowed': { variant: 'HTTPFailed' },
  'request-timeout': { variant: 'HTTPFailed' },
  'headers-too-large': { variant: 'HTTPFailed' },
  'rate-limited': { variant: 'HTTPFailed' },
  'route-missing': { variant: 'PluginNotFound' },
  'name-invalid': { variant: 'InvalidRequestPath', status: 404 },
  'token-missing': { variant: 'AdminAuthAccess' },
  'token-invalid': { variant: 'AdminAuthAccess' },
  'token-expired': { variant: 'AdminAuthAccess' },
  'role-insufficient': { variant: 'AdminAuthAccess' },
  'protocol-version-unsupported': { variant: 'AttestationError', status: 401 },
  'hash-algorithm-unsupported': { variant: 'AttestationError', status: 401 },
  'tee-unsupported': { variant: 'AttestationError', status: 401 },
  'tee-key-unsupported': { variant: 'JweError', status: 401 },
  'init-data-invalid': { variant: 'AttestationError', status: 401 },
  'device-evidence-unsupported': { variant: 'AttestationError', status: 401 },
  'session-missing': { variant: 'AttestationError' },
  'session-invalid': { variant: 'AttestationError' },
  'session-expired': { variant: 'AttestationError' },
  'nonce-mismatch': { variant: 'AttestationError' },
  'evidence-refused': { variant: 'AttestationError', text: 'the evidence did not verify' },
  'appraisal-refused': { variant: 'AttestationError', text: 'the evidence is not what the policy wants' },
  'attestation-token-missing': { variant: 'TokenNotFound', text: 'Attestation Token not found' },
  'attestation-token-invalid': { variant: 'TokenVerifierError' },
  'attestation-token-expired': { variant: 'TokenVerifierError' },
  'release-denied': { variant: 'PolicyDeny', text: 'Access denied by policy' },
  'secret-missing': { variant: 'ResourceNotFound', text: 'there is no such resource' },
  'rego-unsupported': { variant: 'ParsePolicyError', status: 400 },
  'reference-invalid': { variant: 'RvpsError', status: 400 },
  'reference-missing': { variant: 'RvpsError' },
  'endorsements-unavailable': { variant: 'AttestationError', text: 'endorsements cannot be had; try again' },
  'stored-document-invalid': {
    variant: 'AttestationError',
    text: 'no evidence can be appraised now; the broker’s operator finds why',
  },
  internal: { variant: 'PluginInternalError', text: 'Plugin internal error' },
}

/** The status with which the protocol answers a code. */
export function kbsStatus(code: BrokerErrorCode): number {
  return KBS_ERRORS[code]?.status ?? BROKER_ERRORS[code]
}

/** Status and body with which the protocol answers `error`. */
export function kbsAnswer(error: BrokerError): { readonly status: number; readonly body: KbsErrorBody } {
  const row = KBS_ERRORS[error.code] ?? { variant: 'PluginInternalError' }
  const { attestation } = error.detail
  const where = attestation === undefined ? '' : ` (attestation ${attestation})`
  const what = row.text ?? whole(error)
  return {
    status: kbsStatus(error.code),
    body: {
      type: ERROR_TYPE_PREFIX + row.variant,
      detail: `${error.code}: ${what}${where}`,
    },
  }
}

function whole({ message, detail: { got, expected, hint } }: BrokerError): string {
  const parts = [
    message,
    got === undefined ? '' : `got ${got}`,
    expected === undefined ? '' : `want ${expected}`,
    hint ?? '',
  ]
  return parts.filter(part => part !== '').join('; ')
}
