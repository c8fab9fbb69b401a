// `repository/type/tag` as the KBS protocol has it: three segments, none of which can climb out of anything.

import { BrokerError } from './errors.ts'

/** `repository/type/tag`, each segment checked by whoever made it. */
export interface SecretPath {
  readonly repository: string
  readonly type: string
  readonly tag: string
}

/** A segment starts with a letter, digit, `_` or `-`, and goes on with those and dots. At most 128 bytes (ours). */
export const SEGMENT_PATTERN = '^[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,127}$'

/** The same for people. */
export const SEGMENT_WORDS = '1 to 128 letters, digits, _, - and ., the first of them no dot'

const SEGMENT = new RegExp(SEGMENT_PATTERN)

/** @throws {BrokerError} `name-invalid` */
export function secretPath(repository: string, type: string, tag: string): SecretPath {
  for (const [name, value] of Object.entries({ repository, type, tag })) {
    if (SEGMENT.test(value)) continue
    throw new BrokerError('name-invalid', `${name} is not a valid segment of a secret's path`, {
      expected: SEGMENT_WORDS,
      hint: 'a path is repository/type/tag; each starts with a letter, digit, _ or -',
    })
  }
  return { repository, type, tag }
}

/** The text form. */
export function formatSecretPath(path: SecretPath): string {
  return `${path.repository}/${path.type}/${path.tag}`
}
