// The log against its mark: it must have reached the state that the mark remembers, and have the same root there.
// Nothing is written, so that a database that is refused is left as it was found.
import type { DatabaseSync } from 'node:sqlite'
import { encodeBase64, equalBytes } from '../bytes.ts'
import { LedgerError } from '../errors.ts'
import { hasTable } from './database.ts'
import { emptyRoot } from './hasher.ts'
import type { Mark, MarkFile } from './mark-file.ts'
import { restoreTail } from './restore.ts'
import { reading } from './storage-failure.ts'
import { LedgerStore } from './store.ts'
import { MerkleTail } from './tail.ts'
import { TreeReader } from './tree.ts'

const HINT =
  'restore the newest database, with the files beside it, or say that it was restored from a backup'

/**
 * Compares the log in a database, which may be opened read-only, with its mark.
 * @returns how many entries the log has
 * @throws {LedgerError} mark-missing, mark-damaged, mark-foreign, ledger-cut, ledger-forked, ledger-damaged
 */
export function verifyMark(db: DatabaseSync, mark: MarkFile): number {
  return reading(() => {
    if (!hasTable(db, 'ledger_head'))
      return demandMark({ db, store: null, tail: MerkleTail.restore(0, []) }, mark)
    const store = new LedgerStore(db)
    const head = store.head()
    const tail = head === undefined ? MerkleTail.restore(0, []) : restoreTail(store, head)
    return demandMark({ db, store, tail, verifierKey: head?.verifierKey }, mark)
  })
}

/** How many entries the log in a database says that it has. */
export function sizeOf(db: DatabaseSync): number {
  return reading(() => (hasTable(db, 'ledger_head') ? (new LedgerStore(db).head()?.size ?? 0) : 0))
}

/** The log as it lies in the database. */
export interface StoredLog {
  readonly db: DatabaseSync
  /** Null where there are no tables yet. */
  readonly store: LedgerStore | null
  readonly tail: MerkleTail
  readonly verifierKey?: string | undefined
}

/** @throws {LedgerError} as {@link verifyMark} */
export function demandMark({ db, store, tail, verifierKey }: StoredLog, mark: MarkFile): number {
  const { kept } = mark
  if (kept === null) {
    if (mark.state === 'damaged') throw lost('mark-damaged', `${mark.path} cannot be read`)
    if (isMarked(db)) throw lost('mark-missing', `${mark.path} is missing`)
    return tail.size
  }
  if (verifierKey !== undefined && verifierKey !== kept.verifierKey && !mark.isBlank) {
    throw lost('mark-foreign', `${mark.path} is of another log`, {
      expected: kept.verifierKey,
      got: verifierKey,
    })
  }
  if (tail.size < kept.size) {
    throw lost(
      'ledger-cut',
      `the log ends before its mark: its last ${kept.size - tail.size} entries are missing`,
      {
        expected: `at least ${kept.size} entries`,
        got: `${tail.size} entries`,
      },
    )
  }
  const root = store === null ? emptyRoot() : new TreeReader(store, tail).rootAt(kept.size)
  demandRoot(kept, root)
  return tail.size
}

/** No size is signed with two roots. @throws {LedgerError} ledger-forked */
export function demandRoot(kept: Mark, root: Uint8Array): void {
  if (equalBytes(root, kept.root)) return
  throw lost('ledger-forked', `at ${kept.size} entries the log has another root than its mark`, {
    expected: encodeBase64(kept.root),
    got: encodeBase64(root),
  })
}

function lost(
  code: 'mark-missing' | 'mark-damaged' | 'mark-foreign' | 'ledger-cut' | 'ledger-forked',
  message: string,
  detail: { readonly expected?: string; readonly got?: string } = {},
): LedgerError {
  return new LedgerError(code, message, { ...detail, hint: HINT })
}

/** Whether a mark was ever kept for the log in this database. */
function isMarked(db: DatabaseSync): boolean {
  return hasTable(db, 'ledger_marked') && db.prepare('SELECT 1 FROM ledger_marked').get() !== undefined
}

/** From now on a mark that is missing was lost. */
export function setMarked(db: DatabaseSync): void {
  db.exec('INSERT OR IGNORE INTO ledger_marked (id) VALUES (1)')
}
