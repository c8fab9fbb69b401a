// Commands that are shown to be typed next, and a path as it is typed in a shell.

const PLAIN = /^[\w@%+=:,./][\w@%+=:,./-]*$/

/** In quotes where a shell would take it for anything else. */
export function shellWord(path: string): string {
  return PLAIN.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}

/** A command as it can be pasted in the checkout, where a shell finds no `casemate`; --no keeps npx from fetching one. */
export function pasted(words: string): string {
  return `npx --no casemate ${words}`
}
