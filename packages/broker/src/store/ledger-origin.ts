// The name of the log: chosen once, kept in the database with the log that bears it.

import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { StartError } from '../errors.ts'
import { text } from './rows.ts'

const NAME = 'ledger-origin'

/** A schema-less URL or similar: C2SP tlog-checkpoint forbids spaces and plus. */
const ORIGIN = /^[\x21-\x2a\x2c-\x7e]{1,255}$/

/** @throws {StartError} `config-invalid`, or `config-conflict` where the log has another name already */
export function ledgerOrigin(db: DatabaseSync, configured: string | null): string {
  if (configured !== null && !ORIGIN.test(configured)) {
    throw new StartError('config-invalid', 'ledgerOrigin has characters that an origin cannot have', {
      hint: 'a name such as casemate.example.org/log',
    })
  }
  const made = configured ?? `casemate-${randomBytes(8).toString('hex')}`
  // Where another process chose one just now, that is its name.
  db.prepare('INSERT OR IGNORE INTO broker_settings (name, value) VALUES (?, ?)').run(NAME, made)
  const found = db.prepare('SELECT value FROM broker_settings WHERE name = ?').get(NAME) ?? {}
  const origin = text(found, 'value')
  if (configured === null || configured === origin) return origin
  throw new StartError('config-conflict', `the log is named ${origin}, and ledgerOrigin says ${configured}`, {
    hint: 'a log keeps its name for life',
  })
}
