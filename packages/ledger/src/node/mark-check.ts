// The log against its mark: it must have reached the state that the mark remembers, and have the same root there.
// Nothing is written, so that a database that is refused is left as it was found.
import type { DatabaseSync } from 'node:sqlite'
import { encodeBase64, equalBytes } from '../bytes.ts'
import { LedgerError } from '../errors.ts'
import { hasTable } from './database.ts'
import type { LedgerDatabase } from './ledger-database.ts'
import type { Mark, MarkFile } from './mark-file.ts'
import { restoreTail } from './restore.ts'
import { SqliteLedger } from './sqlite-ledger.ts'
import { SqliteStatements } from './sqlite-statements.ts'
import { reading } from './storage-failure.ts'
import { MerkleTail } from './tail.ts'
import { TreeReader } from './tree.ts'

const HINT =
  'restore the newest database, with the files beside it, or say that it was restored from a backup'

/**
 * Compares the log in a database file, which may be opened read-only, with its mark.
 * @returns how many entries the log has
 * @throws {LedgerError} mark-missing, mark-damaged, mark-foreign, ledger-cut, ledger-forked, ledger-damaged
 */
export async function verifyMark(db: DatabaseSync, mark: MarkFile): Promise<number> {
  const database = new SqliteLedger(db)
  if (!hasHead(db)) return demandMark({ database, tail: MerkleTail.restore(0, []) }, mark)
  const edge = await database.edge()
  const { verifierKey } = edge.head
  return demandMark({ database, tail: restoreTail(edge), verifierKey }, mark)
}

function hasHead(db: DatabaseSync): boolean {
  return reading(() => hasTable(db, 'ledger_head') && new SqliteStatements(db).head() !== undefined)
}

/** How many entries the log in a database file says that it has. */
export function sizeOf(db: DatabaseSync): number {
  return reading(() => (hasTable(db, 'ledger_head') ? (new SqliteStatements(db).head()?.size ?? 0) : 0))
}

/** The log as it lies in the database. */
export interface StoredLog {
  readonly database: LedgerDatabase
  readonly tail: MerkleTail
  readonly verifierKey?: string
}

/** @throws {LedgerError} as {@link verifyMark} */
export async function demandMark(
  { database, tail, verifierKey }: StoredLog,
  mark: MarkFile,
): Promise<number> {
  const { kept } = mark
  if (kept === null) {
    if (mark.state === 'damaged') throw lost('mark-damaged', `${mark.path} cannot be read`)
    if (await database.isMarked()) throw lost('mark-missing', `${mark.path} is missing`)
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
  demandRoot(kept, await new TreeReader(database, tail).rootAt(kept.size))
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
