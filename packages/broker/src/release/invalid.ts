// An expression that is refused when it is saved.

import { BrokerError } from '../errors.ts'

/** Hints at what was probably meant, by the message of CEL. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /overload: (?:string [<>]=? google\.protobuf\.Timestamp|google\.protobuf\.Timestamp [<>]=? string)/,
    'dates of claims are texts: timestamp(claims.tcbDate) is a time',
  ],
  [
    /overload: (?:int [!=<>]+ string|string [!=<>]+ int)/,
    'numbers are written without quotes, texts with them',
  ],
  [/overload: (?:bool [!=]+ string|string [!=]+ bool)/, 'true and false are written without quotes'],
  [/^Unexpected character: [=&|]/, 'CEL compares with ==, and joins with && and ||'],
]

export function invalid(
  got: string,
  expected: string,
  { cause, near }: { readonly cause?: unknown; readonly near?: string | null } = {},
): BrokerError {
  const hint = near ? `did you mean: ${near}` : HINTS.find(([said]) => said.test(got))?.[1]
  return new BrokerError('rule-invalid', `expression: ${got}`, { expected, got, hint, cause })
}

/** What CEL says of an error; the lines after it draw the place. */
export function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'is not valid'
}
