// SQLite keeps the contract of the store: two connections to one file are its two processes.
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after } from 'node:test'
import { openDatabase, openLedger, SqliteLedger } from '@casemate/ledger/node'
import { migrate } from '../../src/store/migrations.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { Handle } from './contract/common.ts'
import { describeStore } from './contract.ts'

const REFUSAL_BUDGET = 4_096

/** PKCS #8 of an Ed25519 key (RFC 8410 section 7): the same one for all handles. */
const DER = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)])

const directory = mkdtempSync(join(tmpdir(), 'casemate-contract-'))
const path = join(directory, 'store.db')
after(() => rmSync(directory, { recursive: true, force: true }))

async function open(): Promise<Handle> {
  const db = openDatabase(path)
  migrate(db)
  const database = new SqliteLedger(db)
  const ledger = await openLedger({
    database,
    origin: 'contract.example/log',
    signingKey: createPrivateKey({ key: DER, format: 'der', type: 'pkcs8' }),
    now: () => new Date('2026-11-22T12:00:00Z'),
  })
  const store = createSqliteStore(
    { db, append: (entry, change) => ledger.append(entry, change) },
    REFUSAL_BUDGET,
  )
  const close = async () => {
    await ledger.close()
    db.close()
  }
  return { store, ledger, database, close }
}

function onFile<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path)
  try {
    return work(db)
  } finally {
    db.close()
  }
}

describeStore('SQLite', {
  open,
  changes: {
    prepare: () => onFile(db => db.exec('CREATE TABLE probe (name TEXT PRIMARY KEY)')),
    put: name => [{ sql: 'INSERT INTO probe VALUES (?)', values: [name], expected: 1 }],
    refused: [{ sql: 'SELECT 1 WHERE 0', values: [], expected: 1 }],
    names: () =>
      onFile(db =>
        db
          .prepare('SELECT name FROM probe ORDER BY name')
          .all()
          .map(row => String(row['name'])),
      ),
  },
  refusalBudget: REFUSAL_BUDGET,
})
