// Which ledger entry the last change of the state belongs to, kept with the state: ledger tables that were set back
// under state that was not, or the other way round, do not fit it.

import type { DatabaseSync } from 'node:sqlite'
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
  const note = db.prepare(
    `INSERT INTO broker_settings (name, value) VALUES ('${NAME}', ?)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  )
  const noting: Append = (entry, within) =>
    append(entry, index => {
      const value = within(index)
      const { type = null, at = null } = entry
      note.run(JSON.stringify({ index, members: { type, at } } satisfies EntryNote))
      return value
    })
  return { db, append: noting }
}

/** Null where nothing was changed since notes are kept. */
export function lastChange(db: DatabaseSync): EntryNote | null {
  const row = db.prepare('SELECT value FROM broker_settings WHERE name = ?').get(NAME)
  return row === undefined ? null : (JSON.parse(text(row, 'value')) as EntryNote)
}
