// Refusals of the command itself, before or beside those of the packages below it.

/** The codes that the command itself adds to those of the packages below it. */
export const CLI_CODES = {
  'unknown-command': 2,
  'unknown-flag': 2,
  'flag-value-missing': 2,
  'flag-value-unwanted': 2,
  'flag-value-invalid': 2,
  'flag-repeated': 2,
  'argument-missing': 2,
  'argument-unexpected': 2,
  'code-not-compared': 2,
  'file-not-readable': 2,
  'file-malformed': 2,
  'token-missing': 2,
  'token-malformed': 2,
  'config-invalid': 2,
  'simulator-missing': 2,
  'proof-invalid': 1,
  'file-exists': 2,
  'file-not-writable': 2,
  'key-unsafe': 2,
} as const satisfies Record<string, 1 | 2>

/** A stable code of {@link CLI_CODES}. */
export type CliCode = keyof typeof CLI_CODES

/** A command that could not be done as it was typed. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliCode
  readonly hint: string | undefined

  constructor(code: CliCode, message: string, detail: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.hint = detail.hint
  }
}
