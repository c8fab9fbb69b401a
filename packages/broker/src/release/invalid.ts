// An expression that is refused when it is saved.

import { BrokerError } from '../errors.ts'

export function invalid(got: string, expected: string, cause?: unknown): BrokerError {
  return new BrokerError('rule-invalid', `expression: ${got}`, { expected, got, cause })
}

/** What CEL says of an error; the lines after it draw the place. */
export function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'is not valid'
}
