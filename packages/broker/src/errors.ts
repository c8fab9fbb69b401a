// Why the broker did not do what it was asked: one error class, one table of codes with the HTTP status of each.
// Codes are API, messages are not. Every answer that is not a success, on /v1 and on the KBS wire, comes from here.

/** HTTP status by code. A code has one meaning; add a line rather than stretch one. */
export const BROKER_ERRORS = {
  // The request itself
  'request-malformed': 400,
  'name-invalid': 400,
  'request-too-large': 413,
  'request-too-complex': 413,
  'media-type-unsupported': 415,
  'request-timeout': 408,
  'headers-too-large': 431,
  'rate-limited': 429,
  'route-missing': 404,
  'method-not-allowed': 405,
  // Administrators
  'token-missing': 401,
  'token-invalid': 401,
  'token-expired': 401,
  'role-insufficient': 403,
  'last-admin': 409,
  // What is stored
  'secret-missing': 404,
  'policy-missing': 404,
  'reference-missing': 404,
  'rule-missing': 404,
  'attestation-missing': 404,
  'evidence-missing': 404,
  'token-unknown': 404,
  'key-missing': 404,
  'entry-missing': 404,
  'entry-erased': 410,
  'tile-missing': 404,
  'policy-invalid': 422,
  'reference-invalid': 422,
  'rule-invalid': 422,
  'precondition-failed': 412,
  conflict: 409,
  // As the API describes it, and meaning what cannot be
  'cursor-invalid': 422,
  'range-invalid': 422,
  'time-invalid': 422,
  'endorsement-malformed': 422,
  // Attestation and release
  'protocol-version-unsupported': 400,
  'tee-unsupported': 400,
  'tee-key-unsupported': 400,
  'hash-algorithm-unsupported': 400,
  'device-evidence-unsupported': 400,
  'init-data-invalid': 400,
  'session-missing': 401,
  'session-invalid': 401,
  'session-expired': 401,
  'nonce-mismatch': 401,
  'attestation-token-missing': 401,
  'attestation-token-invalid': 401,
  'attestation-token-expired': 401,
  'evidence-refused': 401,
  'appraisal-refused': 401,
  'release-denied': 403,
  'rego-unsupported': 422,
  // The broker's own state; `internal` is the only code that a bug may produce
  'stored-document-invalid': 500,
  'endorsements-unavailable': 503,
  unavailable: 503,
  overloaded: 503,
  internal: 500,
} as const satisfies Record<string, number>

/** A stable code of {@link BROKER_ERRORS}. */
export type BrokerErrorCode = keyof typeof BROKER_ERRORS

/** One violated expectation, as appraisal lists them. */
export interface Violation {
  readonly path: string
  readonly expected: string
  readonly got: string
  readonly hint?: string
}

/** What an error says beyond its code. Nothing secret: all of it is sent to the caller. */
export interface BrokerErrorDetail {
  readonly expected?: string | undefined
  readonly got?: string | undefined
  /** What a person can do about it. */
  readonly hint?: string | undefined
  readonly violations?: readonly Violation[]
  /** When it is worth another try: `Retry-After`, in whole seconds, on the answer. */
  readonly retryAfterMs?: number | undefined
  /** The attestation that it is about: what an operator looks it up by. It tells its bearer nothing else. */
  readonly attestation?: string
  readonly cause?: unknown
}

/** A request that is not fulfilled, for the reason that `code` names. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: BrokerErrorCode
  readonly detail: BrokerErrorDetail

  constructor(code: BrokerErrorCode, message: string, detail: BrokerErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.detail = detail
  }

  /** The HTTP status of this error’s code. */
  get status(): number {
    return BROKER_ERRORS[this.code]
  }
}

/** The `/v1` body of an error: `{ error: { code, message, expected?, got?, hint?, violations? } }`. */
export interface ErrorBody {
  readonly error: {
    readonly code: BrokerErrorCode
    readonly message: string
    readonly expected?: string
    readonly got?: string
    readonly hint?: string
    readonly violations?: readonly Violation[]
  }
}

export function errorBody(error: BrokerError): ErrorBody {
  const { expected, got, hint, violations } = error.detail
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
      ...(hint === undefined ? {} : { hint }),
      ...(violations === undefined ? {} : { violations }),
    },
  }
}

/** The broker cannot start or run as configured: for whoever starts it to fix. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code: StartErrorCode
  readonly hint: string | undefined

  constructor(code: StartErrorCode, message: string, detail: { hint?: string; cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.hint = detail.hint
  }
}

export type StartErrorCode =
  | 'config-unknown'
  | 'config-invalid'
  | 'config-conflict'
  | 'tls-required'
  | 'tls-invalid'
  | 'address-in-use'
  | 'address-unusable'
  | 'data-directory-unsafe'
  | 'data-directory-unwritable'
  | 'data-directory-in-use'
  | 'database-missing'
  | 'database-newer'
  | 'database-damaged'
  | 'ledger-cut'
  | 'ledger-forked'
  | 'mark-missing'
  | 'mark-damaged'
  | 'mark-foreign'
  | 'kek-missing'
  | 'kek-unsafe'
  | 'kek-damaged'
  | 'kek-passphrase-missing'
  | 'kek-passphrase-wrong'
