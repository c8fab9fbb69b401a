// What a value on the command line is, for a shell that completes it: said by the flag itself, or by the word that stands
// for it in the help. Each of those words is in the table, so that a new one has to be decided about.

import type { Command, Flag } from '../command.ts'

/** What only a broker knows. */
export type NamesOf = 'secrets' | 'policies' | 'references' | 'rules' | 'attestations' | 'tokens'

/** One of some words, a path, a name, or what nobody can know. */
export type Takes = readonly string[] | 'files' | 'directories' | NamesOf | 'anything'

const BY_PLACEHOLDER: Readonly<Record<string, Takes>> = {
  CHECKPOINT: 'files',
  DIR: 'directories',
  EVIDENCE: 'files',
  FILE: 'files',
  IMAGE: 'files',
  INPUT: 'files',
  KEY: 'files',
  OUTPUT: 'files',
  PATH: 'secrets',
  'PATH=FILE': 'secrets',
  'PATH=NAME': 'secrets',
  RECEIPT: 'files',
  'REPOSITORY/TYPE/TAG': 'secrets',
  SOURCE: 'files',
  ADDRESS: 'anything',
  ARGUMENT: 'anything',
  BYTES: 'anything',
  CEL: 'anything',
  CODE: 'anything',
  COMMAND: 'anything',
  ETAG: 'anything',
  FUNCTION: 'anything',
  HEX: 'anything',
  'HOST:PORT': 'anything',
  ID: 'attestations',
  INDEX: 'anything',
  N: 'anything',
  NAME: 'anything',
  'NAME=VALUE': 'anything',
  PATTERN: 'anything',
  PORT: 'anything',
  SECONDS: 'anything',
  SIZE: 'anything',
  TEXT: 'anything',
  TIME: 'anything',
  URL: 'anything',
  VALUE: 'anything',
  VERSION: 'anything',
  WHEN: 'anything',
  YYYYMMDD: 'anything',
}

/** Where the same word means what its command is about. */
const BY_NOUN: Readonly<Record<string, Readonly<Record<string, Takes>>>> = {
  policy: { NAME: 'policies' },
  reference: { NAME: 'references' },
  rule: { NAME: 'rules' },
  token: { ID: 'tokens' },
}
/** Commands that name what is not there yet. */
const NEW = ['token create', 'enclave new']

/** Null where nobody has decided. */
export function takenByFlag(name: string, { value, takes }: Flag): Takes | null {
  if (value === undefined) return null
  if (takes !== undefined) return takes
  if (value === 'VALUE')
    return name.endsWith('-file') ? 'files' : name.endsWith('-dir') ? 'directories' : 'anything'
  return takenBy(value)
}

/** What the argument of this number is, from 0; the last for all beyond where it repeats. Null as above. */
export function takenByArgument({ words, usage }: Command, index: number): Takes | null {
  const places = usage
    .replaceAll(/[[\]]/g, '')
    .split(' ')
    .filter(word => word !== '' && word !== '--')
  const last = places.at(-1)
  const place = places[index] ?? (last?.endsWith('...') === true ? last : undefined)
  if (place === undefined || NEW.includes(words.join(' '))) return 'anything'
  const word = place.replace('...', '')
  return BY_NOUN[words[0]]?.[word] ?? takenBy(word)
}

/** `kek|signing` and `kek` are what is typed. */
function takenBy(placeholder: string): Takes | null {
  if (/^[a-z|]+$/.test(placeholder)) return placeholder.split('|')
  return BY_PLACEHOLDER[placeholder] ?? null
}
