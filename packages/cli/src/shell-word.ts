// A path as it is typed in a shell, for the commands that are shown to be typed next.

const PLAIN = /^[\w@%+=:,./][\w@%+=:,./-]*$/

/** In quotes where a shell would take it for anything else. */
export function shellWord(path: string): string {
  return PLAIN.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}
