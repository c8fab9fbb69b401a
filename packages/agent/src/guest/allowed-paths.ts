// The secrets that may be asked for through the guest API: patterns as release rules have them, `repository/type/tag`
// with `*` for one whole segment. The broker decides all the same; this narrows what it is asked.

/** A segment of a secret's path (KBS protocol). */
const SEGMENT = /^[a-zA-Z0-9_-]+[a-zA-Z0-9_.-]*$/

/** Says of a path whether it may be asked for. */
export type Allowed = (path: string) => boolean

/** True for `repository/type/tag`. */
export function isSecretPath(path: string): boolean {
  const segments = path.split('/')
  return segments.length === 3 && segments.every(segment => SEGMENT.test(segment))
}

/** True for `repository/type/tag` of which any segment may be `*`. */
export function isSecretPattern(pattern: string): boolean {
  const segments = pattern.split('/')
  return segments.length === 3 && segments.every(one => one === '*' || SEGMENT.test(one))
}

/** Allows what one of these patterns matches. @throws {TypeError} for what is none by {@link isSecretPattern} */
export function allowedBy(patterns: readonly string[]): Allowed {
  const bad = patterns.find(pattern => !isSecretPattern(pattern))
  if (bad !== undefined) throw new TypeError(`${bad} is no pattern of secrets`)
  const parsed = patterns.map(pattern => pattern.split('/'))
  return path => {
    const segments = path.split('/')
    if (segments.length !== 3) return false
    return parsed.some(pattern => pattern.every((one, index) => one === '*' || one === segments[index]))
  }
}
