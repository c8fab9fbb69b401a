// casemate key: versions of the broker's keys, never their material, and their rotation without downtime.

import type { KeyDescription } from '@casemate/client'
import { adminOf } from '../broker/connection.ts'
import { type Command, SERVER_FLAGS } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { table, time } from '../terminal/table.ts'
import { wordsHint } from '../typed/flag-values.ts'
import { KEY_PROTECT_COMMAND } from './key-protect.ts'

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
      return { exitCode: 0, json: keys, lines: keysTable(keys.items, call.terminal.columns) }
    },
  },
  {
    words: ['key', 'rotate'],
    summary: 're-wrap all data keys under a new key-encryption key, or sign tokens with a new key',
    usage: 'kek|signing',
    minimum: 1,
    maximum: 1,
    flags: SERVER_FLAGS,
    notes: [
      'Tokens signed with the former key stay valid to their end; the JWKS shows both meanwhile.',
      'Former versions of the key-encryption key stay in the key file for backups; key retire takes one away.',
    ],
    examples: ['casemate key rotate kek'],
    run: async call => {
      const [typed] = call.positionals
      const key = KEYS.find(one => one === typed)
      if (key === undefined) {
        throw new CliError('argument-unexpected', `there is no key ${typed}`, {
          hint: wordsHint(typed ?? '', KEYS),
        })
      }
      const rotated = await call.terminal.progress(`rotating ${key}`, adminOf(call).keys.rotate(key))
      return { exitCode: 0, json: rotated, lines: [rotatedLine(key, rotated.key)] }
    },
  },
  {
    words: ['key', 'retire'],
    summary: 'take an old version of the key-encryption key out of the key file, for good',
    usage: 'kek VERSION',
    minimum: 2,
    maximum: 2,
    flags: SERVER_FLAGS,
    notes: [
      'Refused while the database needs the version. Backups from the time when it was current open no more.',
    ],
    examples: ['casemate key retire kek 1'],
    run: async call => {
      const [key = '', typed = ''] = call.positionals
      if (key !== 'kek') {
        throw new CliError('argument-unexpected', `no version of ${key} can be retired`, {
          hint: 'only kek: signing keys retire by themselves when their last token has ended',
        })
      }
      if (!/^[1-9]\d{0,8}$/.test(typed)) {
        throw new CliError('argument-unexpected', `${typed} is no version of the key-encryption key`, {
          hint: 'a number that casemate key list shows',
        })
      }
      const retired = await adminOf(call).keys.retire(Number(typed))
      const line = `version ${typed} of the key-encryption key is retired: backups that need it open no more`
      return { exitCode: 0, json: retired, lines: [line] }
    },
  },
  KEY_PROTECT_COMMAND,
]

/** A signing key waits until every cached JWKS shows it, and says so. */
function rotatedLine(name: string, { id, state, activeFrom }: KeyDescription): string {
  if (state === 'next' && activeFrom !== null)
    return `${name} is rotated: ${id} signs from ${time(activeFrom)} on, when every cached copy of the JWKS has it`
  return `${name} is rotated: ${id} is current`
}

function keysTable(keys: readonly KeyDescription[], columns: number | null): string[] {
  const rows = keys.map(({ purpose, id, state, activeFrom, retiresAt }) => [
    purpose,
    id,
    state,
    activeFrom === null ? '-' : time(activeFrom),
    retiresAt === null ? '-' : time(retiresAt),
  ])
  return table(['key', 'id', 'state', 'active since', 'retires'], rows, 'there are no keys', columns)
}
