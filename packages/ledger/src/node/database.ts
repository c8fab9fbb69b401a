// Opens the one database file that holds the broker's state and the ledger. What is acknowledged must survive a power
// cut: WAL with synchronous=FULL syncs on every commit. The file is its owner's alone.
import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { LedgerError } from '../errors.ts'
import { reading } from './storage-failure.ts'

/** Another process, such as a backup, may hold the file for as long before a write gives up. */
const BUSY_TIMEOUT_MS = 5_000
const OWNER_ONLY = 0o600

/**
 * @throws {LedgerError} ledger-not-durable where the file system cannot carry a write-ahead log; ledger-damaged where
 * the file is not a database
 */
export function openDatabase(path: string): DatabaseSync {
  // SQLite gives its -wal and -shm files the mode of the main file, so that one has to be right before they exist.
  closeSync(openSync(path, 'a', OWNER_ONLY))
  chmodSync(path, OWNER_ONLY)
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  try {
    reading(() => configure(db))
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function configure(db: DatabaseSync): void {
  const mode = db.prepare('PRAGMA journal_mode = WAL').get()
  if (mode?.['journal_mode'] !== 'wal') {
    throw new LedgerError(
      'ledger-not-durable',
      `the journal mode is ${String(mode?.['journal_mode'])}, want wal`,
      {
        hint: 'keep the data directory on a local file system',
      },
    )
  }
  // fullfsync matters on macOS only, where fsync alone stops at the drive's cache.
  db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
  db.exec('PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
}

export function hasTable(db: DatabaseSync, name: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined
}

/** What a `PRAGMA` answers: the first column of its first row. */
export function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}
