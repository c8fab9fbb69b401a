// `--allow repository/type/tag`: which secrets the guest API may be asked for.

import { type Allowed, allowedBy, isSecretPattern } from '@casemate/agent'
import { CliError } from '../failure/cli-error.ts'

/** @throws {CliError} flag-value-invalid */
export function readAllowed(patterns: readonly string[], flag: string): Allowed {
  const bad = patterns.find(pattern => !isSecretPattern(pattern))
  if (bad === undefined) return allowedBy(patterns)
  throw new CliError('flag-value-invalid', `--${flag} is ${bad}`, {
    hint: 'repository/type/tag, each a name or * for any one segment, e.g. default/db/*',
  })
}
