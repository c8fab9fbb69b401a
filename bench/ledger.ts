// Durable appends: entries acknowledged after their batch is synced, against bare SQLite transactions of as many rows. The log
// has a mark outside the database, as a broker's has.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MarkFile, openDatabase, openLedger, SqliteLedger } from '@casemate/ledger/node'
import { measure, scaled } from './measure.ts'
import { printFigure, printRates, printRatio } from './report.ts'

/** Entries in flight at once: what a busy broker has waiting while a batch commits. */
const IN_FLIGHT = 1_000

/** Prints the tables of this topic. */
export async function benchLedger(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-bench-'))
  try {
    const db = openDatabase(join(directory, 'ledger.db'))
    const mark = new MarkFile(join(directory, 'mark'))
    const { privateKey } = generateKeyPairSync('ed25519')
    const ledger = await openLedger({
      database: new SqliteLedger(db),
      origin: 'bench.invalid/log',
      signingKey: privateKey,
      now: () => new Date(),
      mark,
    })
    const bare = openDatabase(join(directory, 'bare.db'))
    bare.exec('CREATE TABLE row (id INTEGER PRIMARY KEY, salt BLOB NOT NULL, entry BLOB NOT NULL)')
    const insert = bare.prepare('INSERT INTO row (salt, entry) VALUES (?, ?)')
    const entry = {
      type: 'release.granted',
      at: new Date().toISOString(),
      actor: { attestation: '01J0000000000000000000000' },
      path: 'default/key/model',
      version: 3,
    }
    const salt = new Uint8Array(32)
    const bytes = new TextEncoder().encode(JSON.stringify(entry))

    const [batches, transactions] = await measure([
      {
        name: `ledger appends, ${IN_FLIGHT} in flight, synced`,
        run: () => Promise.all(Array.from({ length: IN_FLIGHT }, () => ledger.append(entry))),
      },
      {
        name: `bare SQLite rows, ${IN_FLIGHT} a transaction, synced`,
        run: () => {
          bare.exec('BEGIN IMMEDIATE')
          for (let index = 0; index < IN_FLIGHT; index++) insert.run(salt, bytes)
          bare.exec('COMMIT')
        },
      },
    ])
    const [ours, floor] = [scaled(batches!, IN_FLIGHT), scaled(transactions!, IN_FLIGHT)]
    printRates('Append to the ledger, durable', [ours, floor])
    printRatio('against bare SQLite rows', ours, floor, 'none')
    printFigure('entries a second', ours, { atLeast: 100_000 })
    await ledger.close()
    mark.close()
    db.close()
    bare.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
}
