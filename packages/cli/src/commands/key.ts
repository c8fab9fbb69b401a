// casemate key: versions of the broker's keys, never their material, and their rotation without downtime.

import { type Command, SERVER_FLAGS } from '../command.ts'
import { adminOf } from '../connection.ts'
import { CliError } from '../failure.ts'
import { cell, table, time } from '../table.ts'

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
      return { exitCode: 0, json: keys, text: keysText(keys) }
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
      return { exitCode: 0, json: rotated, text: `${key} is rotated` }
    },
  },
]

function keysText(keys: Readonly<Record<string, unknown>>): string {
  const items = Array.isArray(keys['items']) ? keys['items'] : []
  const rows = items.map((key: Record<string, unknown>) => [
    cell(key['purpose'] ?? key['key']),
    cell(key['id'] ?? key['version']),
    cell(key['state']),
    typeof key['createdAt'] === 'string' ? time(key['createdAt']) : '-',
  ])
  return table(['key', 'id', 'state', 'created'], rows, 'there are no keys')
}
