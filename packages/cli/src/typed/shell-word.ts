// Commands that are shown to be typed next, and a path as it is typed in a shell.

import { isSea } from 'node:sea'

const PLAIN = /^[\w@%+=:,./][\w@%+=:,./-]*$/

/** In quotes where a shell would take it for anything else. */
export function shellWord(path: string): string {
  return PLAIN.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}

/**
 * A command as it can be pasted: by the executable that this is, or in a checkout or project, where a shell finds no
 * `casemate`; --no keeps npx from fetching one.
 */
export function pasted(words: string): string {
  return `${isSea() ? shellWord(process.argv[1] ?? 'casemate') : 'npx --no casemate'} ${words}`
}
