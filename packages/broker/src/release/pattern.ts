// Which secrets a rule speaks about: `repository/type/tag`, where `*` stands for one whole segment.

import { BrokerError } from '../errors.ts'
import { SEGMENT_PATTERN, type SecretPath } from '../secret-path.ts'

const SEGMENT = new RegExp(SEGMENT_PATTERN)

/** A parsed pattern; null stands for any segment. */
export interface SecretPattern {
  readonly repository: string | null
  readonly type: string | null
  readonly tag: string | null
}

/** @throws {BrokerError} `rule-invalid` */
export function parseSecretPattern(text: string): SecretPattern {
  const [repository, type, tag, ...rest] = text.split('/').map(segment => {
    if (segment !== '*' && !SEGMENT.test(segment)) throw invalid(text)
    return segment === '*' ? null : segment
  })
  if (repository === undefined || type === undefined || tag === undefined || rest.length > 0)
    throw invalid(text)
  return { repository, type, tag }
}

export function patternMatches(pattern: SecretPattern, path: SecretPath): boolean {
  return (
    (pattern.repository ?? path.repository) === path.repository &&
    (pattern.type ?? path.type) === path.type &&
    (pattern.tag ?? path.tag) === path.tag
  )
}

function invalid(got: string): BrokerError {
  return new BrokerError('rule-invalid', 'secrets is not a pattern of secrets’ paths', {
    expected: 'repository/type/tag, each a name or * for any one segment',
    got: got.slice(0, 400),
  })
}
