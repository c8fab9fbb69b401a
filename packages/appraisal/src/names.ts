// The names of policies and workloads.

import { text } from './leaf.ts'

/** Names of policies and workloads: they appear in tokens, URLs and messages. Words of the policy are no names. */
export const NAME_PATTERN = '^(?!(?:any|known|none|bound)$)[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$'
const NAME =
  'a name of 1 to 64 lower-case letters, digits, dots, dashes and underscores, other than any, known, none and bound'

/** A leaf for such a name. */
export const name = () => text(NAME_PATTERN, NAME)
