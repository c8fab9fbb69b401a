// Whether the ledger has the entries that the state beside it says it has. Both are of one transaction: what does not
// fit was put together by somebody.

import type { DatabaseSync } from 'node:sqlite'
import type { Ledger } from '@casemate/ledger/node'
import { StartError } from '../errors.ts'
import { type EntryNote, lastChange } from './last-change.ts'
import { integer, text } from './rows.ts'

/** The newest attestations: they are the ones that a ledger which was set back has no entries for. */
const LATEST_ATTESTATIONS =
  'SELECT id, ledger_index FROM attestations WHERE ledger_index IS NOT NULL ORDER BY sequence DESC LIMIT 16'

/** @throws {StartError} `database-damaged` */
export async function demandEntries(db: DatabaseSync, ledger: Ledger): Promise<void> {
  const change = lastChange(db)
  if (change !== null) await demandEntry(ledger, change, 'the last change of secrets, rules, tokens or keys')
  for (const row of db.prepare(LATEST_ATTESTATIONS).all()) {
    const id = text(row, 'id')
    const note = { index: integer(row, 'ledger_index'), members: { actor: { attestation: id } } }
    await demandEntry(ledger, note, `attestation ${id}`)
  }
}

async function demandEntry(ledger: Ledger, { index, members }: EntryNote, what: string): Promise<void> {
  const entry = index < ledger.size ? (await ledger.entry(index)).entry : undefined
  // Erased: the leaf is there, and says no more.
  if (entry === null) return
  const isSame =
    entry !== undefined &&
    Object.entries(members).every(([name, value]) => JSON.stringify(entry[name]) === JSON.stringify(value))
  if (isSame) return
  throw new StartError(
    'database-damaged',
    `${what} is recorded in entry ${index} of the log, which ${entry === undefined ? `has ${ledger.size} entries` : 'is about something else'}`,
    {
      hint: 'state and log in the database are of different times: restore it from a backup, and keep this one to compare',
    },
  )
}
