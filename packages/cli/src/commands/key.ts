// casemate key: versions of the broker's keys, never their material, and their rotation without downtime.

import type { KeyDescription } from '@casemate/client'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { adminOf } from '../connection.ts'
import { CliError } from '../failure.ts'
import { table, time } from '../table.ts'

const KEYS = ['kek', 'signing'] as const

export const KEY_COMMANDS: readonly Command[] = [
  {
    words: ['key', 'list'],
    summary: 'list the versions of the broker’s keys',
    usage: '',
    minimum: 0,
    maximum: 0,
    flags: SERVER_FLAGS,
    examples: ['casemate key list'],
    run: async call => {
      const keys = await adminOf(call).keys.list()
      return { exitCode: 0, json: keys, lines: keysTable(keys.items) }
    },
  },
  {
    words: ['key', 'rotate'],
    summary: 're-wrap all data keys under a new key-encryption key, or sign tokens with a new key',
    usage: 'kek|signing',
    minimum: 1,
    maximum: 1,
    flags: SERVER_FLAGS,
    notes: ['Tokens signed with the former key stay valid to their end; the JWKS shows both meanwhile.'],
    examples: ['casemate key rotate kek'],
    run: async call => {
      const [typed] = call.positionals
      const key = KEYS.find(one => one === typed)
      if (key === undefined) {
        throw new CliError('argument-unexpected', `there is no key ${typed}`, {
          hint: `one of ${KEYS.join(', ')}`,
        })
      }
      const rotated = await call.terminal.progress(`rotating ${key}`, adminOf(call).keys.rotate(key))
      return { exitCode: 0, json: rotated, lines: [rotatedLine(key, rotated.key)] }
    },
  },
]

/** A signing key waits until every cached JWKS shows it, and says so. */
function rotatedLine(name: string, { id, state, activeFrom }: KeyDescription): string {
  if (state === 'next' && activeFrom !== null)
    return `${name} is rotated: ${id} signs from ${time(activeFrom)} on, when every cached copy of the JWKS has it`
  return `${name} is rotated: ${id} is current`
}

function keysTable(keys: readonly KeyDescription[]): string[] {
  const rows = keys.map(({ purpose, id, state, activeFrom, retiresAt }) => [
    purpose,
    id,
    state,
    activeFrom === null ? '-' : time(activeFrom),
    retiresAt === null ? '-' : time(retiresAt),
  ])
  return table(['key', 'id', 'state', 'active since', 'retires'], rows, 'there are no keys')
}
