// Which secrets may be asked for through the guest API: patterns as release rules have them, `repository/type/tag`
// with `*` for one whole segment. The broker decides all the same; this narrows what it is asked.

import { CliError } from '../failure.ts'

/** A segment of a secret's path (KBS protocol). */
const SEGMENT = /^[a-zA-Z0-9_-]+[a-zA-Z0-9_.-]*$/

/** Says of a path whether it may be asked for. */
export type Allowed = (path: string) => boolean

/** True for `repository/type/tag`. */
export function isSecretPath(path: string): boolean {
  const segments = path.split('/')
  return segments.length === 3 && segments.every(segment => SEGMENT.test(segment))
}

/** @throws {CliError} flag-value-invalid */
export function readAllowed(patterns: readonly string[], flag: string): Allowed {
  const parsed = patterns.map(pattern => {
    const segments = pattern.split('/')
    if (segments.length === 3 && segments.every(one => one === '*' || SEGMENT.test(one))) return segments
    throw new CliError('flag-value-invalid', `--${flag} is ${pattern}`, {
      hint: 'repository/type/tag, each a name or * for any one segment, e.g. default/db/*',
    })
  })
  return path => {
    const segments = path.split('/')
    if (segments.length !== 3) return false
    return parsed.some(pattern => pattern.every((one, index) => one === '*' || one === segments[index]))
  }
}
