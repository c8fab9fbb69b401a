// The id of an attestation as it was typed or copied: whole, or shortened as the log prints it.

import type { Admin } from '@casemate/client'
import { CliError } from '../failure/cli-error.ts'
import { firstOf } from './paging.ts'

/** So many ids are named where several end alike. */
const MAX_NAMED = 3

const SHORTENED = /^(?:…|\.{3})?([0-9a-f]{4,12})$/i

/** The whole id. @throws {CliError} `argument-unexpected` if none, or more than one, ends so */
export async function attestationIdOf({ attestations }: Admin, typed: string): Promise<string> {
  const [, idEnd] = SHORTENED.exec(typed) ?? []
  if (idEnd === undefined) return typed
  const filter = { idEnd: idEnd.toLowerCase() }
  const { items, more } = await firstOf(MAX_NAMED, page => attestations.list('any', page, filter))
  const [found, ...others] = items.map(({ id }) => id)
  if (found === undefined) {
    throw new CliError('argument-unexpected', `no attestation has an id that ends with ${idEnd}`, {
      hint: 'the end of an id is typed, not its beginning: casemate attestation list shows them; old refusals are removed after a time',
    })
  }
  if (others.length === 0) return found
  const count = more ? `more than ${items.length}` : items.length
  throw new CliError('argument-unexpected', `${count} attestations have ids that end with ${idEnd}`, {
    hint: `type more of it: ${[found, ...others].join(', ')}`,
  })
}
