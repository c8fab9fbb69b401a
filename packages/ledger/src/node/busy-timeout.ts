// How long a statement waits for another process that holds the database. The event loop waits with it.
import type { DatabaseSync } from 'node:sqlite'
import { pragma } from './database.ts'

/** Long enough for a passing reader, short enough not to be felt. */
export const BRIEF_MS = 50

/** Runs what can do without an answer from a database that somebody else holds. */
export function waitingBriefly<T>(db: DatabaseSync, act: () => T): T {
  const before = Number(pragma(db, 'busy_timeout'))
  db.exec(`PRAGMA busy_timeout = ${BRIEF_MS}`)
  try {
    return act()
  } finally {
    db.exec(`PRAGMA busy_timeout = ${before}`)
  }
}
