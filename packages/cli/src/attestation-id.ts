// The id of an attestation as it was typed or copied: whole, or shortened as the log prints it.

import type { Call } from './command.ts'
import { adminOf } from './connection.ts'
import { CliError } from './failure.ts'
import { listed } from './paging.ts'

const SHORTENED = /^(?:…|\.{3})?([0-9a-f]{4,12})$/i

/** The whole id. @throws {CliError} `argument-unexpected` where none, or more than one, ends so */
export async function attestationIdOf(call: Call, typed: string): Promise<string> {
  const [, idEnd] = SHORTENED.exec(typed) ?? []
  if (idEnd === undefined) return typed
  const { attestations } = adminOf(call)
  const { items } = await listed(call, page => attestations.list('any', page, { idEnd: idEnd.toLowerCase() }))
  const [found, ...others] = items.map(({ id }) => id)
  if (found === undefined) {
    throw new CliError('argument-unexpected', `no attestation has an id that ends with ${idEnd}`, {
      hint: 'casemate attestation list shows them; old refusals are removed after a time',
    })
  }
  if (others.length === 0) return found
  throw new CliError('argument-unexpected', `${items.length} attestations have ids that end with ${idEnd}`, {
    hint: `type more of it: ${[found, ...others].slice(0, 3).join(', ')}`,
  })
}
