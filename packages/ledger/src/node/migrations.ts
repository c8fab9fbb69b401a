// The ledger's own tables, numbered apart from the broker's. A published migration never changes; the next one follows.
//
// Public, only ever added to:  ledger_segment  leaves of one batch, cut where a bundle of 256 ends
//                              ledger_tile     full tiles of hashes; partial ones are rebuilt when the log is opened
//                              ledger_checkpoint  every checkpoint that was shown
// Private:                     ledger_entry    content and salt, which can be erased
// One row:                     ledger_head     whose log it is, and the state after the last batch
// None, or one row:            ledger_marked   there from when a mark was first kept outside the database
//                              ledger_file     entries that the file had when its write-ahead log last began anew
import type { DatabaseSync } from 'node:sqlite'
import { LedgerError } from '../errors.ts'

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE ledger_head (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     verifier_key TEXT NOT NULL,
     size INTEGER NOT NULL,
     root BLOB NOT NULL,
     timestamp INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE ledger_segment (
     first INTEGER PRIMARY KEY,
     leaves BLOB NOT NULL CHECK (length(leaves) > 0 AND length(leaves) % 41 = 0)
   ) STRICT;
   CREATE TABLE ledger_tile (
     level INTEGER NOT NULL,
     position INTEGER NOT NULL,
     hashes BLOB NOT NULL CHECK (length(hashes) = 8192),
     UNIQUE (level, position)
   ) STRICT;
   CREATE TABLE ledger_checkpoint (
     size INTEGER PRIMARY KEY,
     note TEXT NOT NULL
   ) STRICT;
   CREATE TABLE ledger_entry (
     position INTEGER PRIMARY KEY,
     salt BLOB CHECK (length(salt) = 32),
     content TEXT,
     erased_by INTEGER,
     CHECK ((salt IS NULL) = (content IS NULL) AND (content IS NULL) = (erased_by IS NOT NULL))
   ) STRICT;`,
  'CREATE TABLE ledger_marked (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;',
  'CREATE TABLE ledger_file (id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL) STRICT;',
  'ALTER TABLE ledger_file ADD COLUMN run TEXT; ALTER TABLE ledger_file ADD COLUMN run_before TEXT;',
  `ALTER TABLE ledger_file ADD COLUMN run_older TEXT;
   ALTER TABLE ledger_file ADD COLUMN is_settled INTEGER NOT NULL DEFAULT 0;`,
]

/** Brings the tables to this program's version. @throws {LedgerError} ledger-newer */
export function migrate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec('CREATE TABLE IF NOT EXISTS ledger_migration (version INTEGER PRIMARY KEY) STRICT')
    const row = db.prepare('SELECT coalesce(max(version), 0) AS version FROM ledger_migration').get()
    const version = Number(row?.['version'])
    if (version > MIGRATIONS.length) {
      throw new LedgerError('ledger-newer', `the ledger has version ${version}`, {
        expected: `at most ${MIGRATIONS.length}`,
        got: String(version),
        hint: 'run the newer version of this program that wrote it',
      })
    }
    for (const [done, migration] of MIGRATIONS.entries()) {
      if (done < version) continue
      db.exec(migration)
      db.prepare('INSERT INTO ledger_migration (version) VALUES (?)').run(done + 1)
    }
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
