// A database file and a write-ahead log as they are copied one after the other: put beside each other, and whether they are
// taken for one.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { LedgerError } from '../../src/index.ts'
import { openDatabase, openLedger, SqliteLedger, verifyFile } from '../../src/node/index.ts'
import { KEY, ORIGIN, START } from './fixture.ts'

export interface Halves {
  readonly file: Buffer
  readonly writeAheadLog: Buffer
}

export const read = (path: string): Halves => ({
  file: readFileSync(path),
  writeAheadLog: readFileSync(`${path}-wal`),
})

/** Puts the two beside each other, and says whether they are taken for one. */
export function isTaken(path: string, { file }: Halves, { writeAheadLog }: Halves): boolean {
  rmSync(`${path}-shm`, { force: true })
  writeFileSync(path, file)
  writeFileSync(`${path}-wal`, writeAheadLog)
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    verifyFile(db)
    return true
  } catch (error) {
    assert.ok(error instanceof LedgerError && error.code === 'ledger-damaged', String(error))
    // Of some mixtures SQLite itself says that it cannot read them.
    if (error.message === 'the database file cannot be read') return false
    assert.match(error.message, /is (older|newer) than the write-ahead log beside it/)
    assert.match(error.hint ?? '', /-wal and .*-shm away/)
    return false
  } finally {
    db.close()
  }
}

/** What opens is checked as a whole. */
async function isWhole(path: string): Promise<boolean> {
  const db = openDatabase(path)
  try {
    const ledger = await openLedger({
      database: new SqliteLedger(db),
      origin: ORIGIN,
      signingKey: KEY,
      now: () => new Date(START),
    })
    await ledger.check()
    const [found] = db.prepare('PRAGMA integrity_check(1)').all()
    return found?.['integrity_check'] === 'ok'
  } catch {
    return false
  } finally {
    db.close()
  }
}

export function moveIntoFile(db: DatabaseSync): void {
  assert.equal(db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.['busy'], 0)
}

interface Moments {
  readonly copy: string
  readonly moments: readonly Halves[]
}

/** Each moment is whole; of a file and a write-ahead log of two moments those that are taken for one are, too. */
export async function demandWholeWhereTaken({
  copy,
  moments,
}: Moments): Promise<{ taken: number; refused: number }> {
  let [taken, refused] = [0, 0]
  for (const [at, newer] of moments.entries()) {
    assert.ok(isTaken(copy, newer, newer), `moment ${at} is of one time`)
    for (const [before, older] of moments.slice(0, at).entries()) {
      for (const [file, writeAheadLog] of [
        [older, newer],
        [newer, older],
      ] as const) {
        if (!isTaken(copy, file, writeAheadLog)) refused++
        else if (++taken % 4 === 0) assert.ok(await isWhole(copy), `moments ${before} and ${at}`)
      }
    }
  }
  return { taken, refused }
}
