// A log in a directory of its own, with a clock and a key that tests hold.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import type { JsonObject } from '../../src/index.ts'
import { type Ledger, openDatabase, openLedger, SqliteLedger } from '../../src/node/index.ts'

export const ORIGIN = 'casemate.example/log'

/** PKCS #8 of an Ed25519 key up to its 32 bytes of seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The same key for the same number. */
export function signingKey(seed: number): KeyObject {
  const der = Buffer.concat([PKCS8_PREFIX, Buffer.alloc(32, seed)])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

export const KEY = signingKey(1)
export const START = Date.parse('2026-11-22T12:00:00.000Z')

export interface Fixture {
  readonly path: string
  readonly db: DatabaseSync
  readonly database: SqliteLedger
  readonly ledger: Ledger
  /** What the log's clock says. */
  readonly clock: { time: number }
}

export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-ledger-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** @param elapsedMs of what waits for other writers; the machine's own unless given */
export async function open(
  t: TestContext,
  path = join(temporaryDirectory(t), 'store.db'),
  elapsedMs?: () => number,
): Promise<Fixture> {
  const clock = { time: START }
  const db = openDatabase(path)
  t.after(() => {
    if (db.isOpen) db.close()
  })
  const database = new SqliteLedger(db, elapsedMs)
  const ledger = await openLedger({
    database,
    origin: ORIGIN,
    signingKey: KEY,
    now: () => new Date(clock.time),
  })
  return { path, db, database, ledger, clock }
}

export const entryOf = (number: number): JsonObject => ({ type: 'test', number })

/** Appends so many entries; they share batches. */
export async function fill(ledger: Ledger, count: number): Promise<void> {
  const end = ledger.size + count
  while (ledger.size < end) {
    const first = ledger.size
    const some = Math.min(end - first, 20_000)
    await Promise.all(Array.from({ length: some }, (_, at) => ledger.append(entryOf(first + at))))
  }
}
