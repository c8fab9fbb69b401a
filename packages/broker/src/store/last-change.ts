// Which ledger entry the last change of the state belongs to, kept with the state: ledger tables that were set back
// under state that was not, or the other way round, do not fit it.

import type { DatabaseSync } from 'node:sqlite'
import { ENTRY_INDEX } from '@casemate/ledger/node'
import type { JsonObject } from '../json.ts'
import { text } from './rows.ts'
import type { Append, SqliteParts } from './sqlite-parts.ts'

const NAME = 'last-change'

/** Where an entry stands and what is looked at of it. */
export interface EntryNote {
  readonly index: number
  /** Members that it must have. */
  readonly members: JsonObject
}

/** Parts whose every append leaves its note, in the same transaction. */
export function noteChanges({ db, append }: SqliteParts): SqliteParts {
  const noting: Append = (entry, change) => {
    const { type = null, at = null } = entry
    const values = [ENTRY_INDEX, JSON.stringify({ type, at } satisfies EntryNote['members'])]
    return append(entry, [...change, { sql: NOTE, values, expected: 1 }])
  }
  return { db, append: noting }
}

const NOTE = `INSERT INTO broker_settings (name, value)
  VALUES ('${NAME}', json_object('index', ?, 'members', json(?)))
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`

/** Null where nothing was changed since notes are kept. */
export function lastChange(db: DatabaseSync): EntryNote | null {
  const row = db.prepare('SELECT value FROM broker_settings WHERE name = ?').get(NAME)
  return row === undefined ? null : (JSON.parse(text(row, 'value')) as EntryNote)
}
