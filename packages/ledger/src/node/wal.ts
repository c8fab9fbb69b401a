// What the ledger demands of the connection that it is given, and how erased content leaves the write-ahead log.
import type { DatabaseSync } from 'node:sqlite'
import { LedgerError } from '../errors.ts'
import { waitingBriefly } from './busy-timeout.ts'
import { pragma } from './database.ts'
import { resultCode } from './storage-failure.ts'

/** `PRAGMA synchronous`: FULL; EXTRA is above. */
const SYNCHRONOUS_FULL = 2

/** @throws {LedgerError} ledger-not-durable */
export function requireDurable(db: DatabaseSync): void {
  const synchronous = Number(pragma(db, 'synchronous'))
  if (synchronous < SYNCHRONOUS_FULL) throw notDurable('synchronous', 'FULL', String(synchronous))
  const journal = String(pragma(db, 'journal_mode'))
  // A database without a file has nothing to lose by it.
  if (journal !== 'wal' && db.location() !== null) throw notDurable('journal_mode', 'wal', journal)
  // Erased content is overwritten, not only unlinked.
  db.exec('PRAGMA secure_delete = ON')
}

/**
 * Moves the write-ahead log into the database file and empties it. False where that cannot be done now: a reader is
 * in the way, or the disk is full.
 * LIMIT: the blocks that the file system frees are not overwritten.
 */
export function truncateWal(db: DatabaseSync): boolean {
  try {
    return waitingBriefly(db, () => pragma(db, 'wal_checkpoint(TRUNCATE)') === 0)
  } catch (error) {
    if (resultCode(error) === undefined) throw error
    return false
  }
}

function notDurable(name: string, expected: string, got: string): LedgerError {
  return new LedgerError('ledger-not-durable', `${name} is ${got}, want ${expected}`, {
    expected,
    got,
    hint: 'open the file with openDatabase',
  })
}
