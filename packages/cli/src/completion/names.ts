// Names that only the broker knows, for a person who waits at a prompt: at most a second, at most so many, and nothing at
// all where there is no broker or no token, as a completion is no place for an error.

import { adminOf } from '../broker/connection.ts'
import { firstOf } from '../broker/paging.ts'
import type { Call } from '../command.ts'
import type { NamesOf } from './takes.ts'

const PATIENCE_MS = 1_000
const MAX_NAMES = 200
/** Such as a shell takes as they stand, and a command not as a flag: whoever may store something chooses its name. */
const PLAIN = /^[\w./:@+][\w./:@+-]*$/

export async function namesOf(what: NamesOf, call: Call): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const fetch: typeof globalThis.fetch = (input, init) =>
    call.terminal.fetch(input, {
      ...init,
      signal: AbortSignal.any([signal, ...(init?.signal ? [init.signal] : [])]),
    })
  try {
    const names = await listOf(what, { ...call, terminal: { ...call.terminal, fetch } })
    return names.filter(name => PLAIN.test(name))
  } catch {
    return []
  }
}

async function listOf(what: NamesOf, call: Call): Promise<readonly string[]> {
  const admin = adminOf(call)
  switch (what) {
    case 'secrets':
      return (await firstOf(MAX_NAMES, page => admin.secrets.list(page))).items.map(({ path }) => path)
    case 'attestations':
      return (await firstOf(MAX_NAMES, page => admin.attestations.list('any', page))).items.map(
        ({ id }) => id,
      )
    case 'tokens':
      return (await firstOf(MAX_NAMES, page => admin.tokens.list(page))).items.map(({ id }) => id)
    case 'policies':
    case 'references':
    case 'rules': {
      const documents = admin[what]
      return (await firstOf(MAX_NAMES, page => documents.list(page))).items.map(({ name }) => name)
    }
    default:
      return what satisfies never
  }
}
