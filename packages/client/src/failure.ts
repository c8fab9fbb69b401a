// Two ways to fail: the broker (or a check of ours) said no, which is final for this input; or it could not be
// asked, which may be tried again. Wrong arguments are a third, and the caller's to mend.

import type { CertificateFaultCode } from '@casemate/evidence'

/** Codes of the client's own refusals; any other code is the broker's own, passed on. */
export const CLIENT_REFUSALS = {
  'response-malformed': 'the answer does not have the shape that the protocol prescribes',
  'response-too-large': 'the answer is larger than any that the protocol has',
  'redirect-refused':
    'the answer points elsewhere; credentials and evidence are not carried to another place',
  'token-signature-invalid': 'the attestation token is not signed by a key of the broker’s JWKS',
  'token-expired': 'the attestation token is past its exp, or before its nbf',
  'token-claim-mismatch': 'the token’s issuer, audience or a mandatory claim is not what was wanted',
  'token-nonce-mismatch': 'the token was made for another handshake than this one',
  'token-key-mismatch': 'the token binds another TEE key than this one',
  'secret-undecryptable': 'the secret was not encrypted to this TEE key, or was changed on the way',
  'receipt-mismatch': 'the receipt is for another entry than was asked for',
} as const

/** The broker's or the client's no: final for this request. */
export class BrokerRefusal extends Error {
  override readonly name = 'BrokerRefusal'
  /** Stable kebab-case: of {@link CLIENT_REFUSALS}, or the broker's. */
  readonly code: string
  /** The HTTP status of the broker's answer; null if the client refused. */
  readonly status: number | null
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly hint: string | undefined
  /** The violations of a policy, if they are the reason. */
  readonly violations: readonly Violation[]

  constructor(code: string, message: string, detail: BrokerRefusalDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.status = detail.status ?? null
    this.expected = detail.expected
    this.got = detail.got
    this.hint = detail.hint
    this.violations = detail.violations ?? []
  }
}

/** One expectation that was not met. */
export interface Violation {
  readonly path: string
  readonly expected: string
  readonly got: string
  readonly hint?: string
}

/** Details of a {@link BrokerRefusal} beside its code. */
export interface BrokerRefusalDetail {
  readonly status?: number
  readonly expected?: string | undefined
  readonly got?: string | undefined
  readonly hint?: string | undefined
  readonly violations?: readonly Violation[]
  readonly cause?: unknown
}

/** A code of the client's own table. */
export type ClientRefusalCode = keyof typeof CLIENT_REFUSALS

/** A refusal of the client's own. */
export function refuse(
  code: ClientRefusalCode,
  message: string,
  detail: BrokerRefusalDetail = {},
): BrokerRefusal {
  return new BrokerRefusal(code, message, detail)
}

/** Why the broker could not be asked; the three of its certificate end when a right one is served. */
export type UnavailableCode =
  | 'unreachable'
  | CertificateFaultCode
  | 'timeout'
  | 'rate-limited'
  | 'server-error'

/** The broker could not be asked, or asks to wait: network failure, timeout, 429, 5xx. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
  readonly code: UnavailableCode
  /** When to ask again, if the broker said; else null. */
  readonly retryAfterMs: number | null
  readonly hint: string | undefined

  constructor(
    code: Unavailable['code'],
    message: string,
    detail: { retryAfterMs?: number | null; hint?: string; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.retryAfterMs = detail.retryAfterMs ?? null
    this.hint = detail.hint
  }
}

/** An argument that cannot be right, e.g. a secret path of two segments. */
export class ClientConfigError extends Error {
  override readonly name = 'ClientConfigError'
  readonly code: 'url-invalid' | 'url-insecure' | 'path-invalid' | 'key-type-unsupported'
  readonly hint: string | undefined

  constructor(code: ClientConfigError['code'], message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}
