// A failure of a command in the shape in which it is printed: a stable code, what was said, and a hint.

/**
 * 1 refused (the answer is no), 2 usage (change the command or a file), 3 unavailable (try again), 70 a fault of Casemate
 * itself (EX_SOFTWARE of sysexits.h), which no input should be able to bring about; 126 and 127 are what shells say of a
 * command that they cannot run or find.
 */
export type ExitCode = 1 | 2 | 3 | 70 | 126 | 127

/** A failure as it is printed. */
export interface Failure {
  readonly exitCode: ExitCode
  readonly code: string
  readonly message: string
  readonly expected?: string
  readonly got?: string
  readonly hint?: string
  readonly problems?: readonly string[]
  /** For a fault of our own: where it happened. */
  readonly trace?: readonly string[]
}
