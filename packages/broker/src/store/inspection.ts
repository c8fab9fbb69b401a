// A look at the data before anything of it is opened for writing: a database that is missing, cut, older than its mark or
// of another history is refused, and left as it was found, but for what a killed process had not committed. To begin without
// what is missing is asked for by name.

import { existsSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { LedgerError } from '@casemate/ledger'
import { asUnreadable, type MarkFile, sizeOf, verifyFile, verifyMark } from '@casemate/ledger/node'
import { StartError, type StartErrorCode } from '../errors.ts'
import type { Beginning } from './beginning.ts'

/** Another process, such as a backup, may hold the database for as long. */
const BUSY_TIMEOUT_MS = 5_000

const DAMAGED = 'restore the database from a backup; keep this one, and the files beside it, to compare'

export interface DataFiles {
  readonly database: string
  readonly kekFile: string
  readonly mark: MarkFile
}

/**
 * @throws {StartError} `database-missing`, `database-damaged`, `ledger-cut`, `ledger-forked`, `mark-missing`, `mark-damaged`,
 * `mark-foreign`, `config-conflict`
 */
export async function inspectData(files: DataFiles, beginning: Beginning): Promise<void> {
  const { database } = files
  undoUncommitted(database)
  if (sizeOfFile(database) === 0) return demandNothingElse(files, beginning)
  if (beginning === 'anew') {
    throw new StartError('config-conflict', `${database} is there: --begin-anew is for where it is not`, {
      hint: 'start without --begin-anew; to begin with nothing of what was, move the database away first',
    })
  }
  const db = new DatabaseSync(database, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  try {
    demandWhole(db, database)
    verifyFile(db)
    if (beginning === 'as-it-was') await demandLog(db, files)
    else demandSize(sizeOf(db), beginning.restoredAt)
  } catch (error) {
    throw withWayOut(asUnreadable(error), () => sizeOf(db))
  } finally {
    db.close()
  }
}

/**
 * A process that is killed before the database has its write-ahead log leaves a journal of the other kind. What it undoes
 * was never committed, and a connection that cannot write reads nothing before it is undone.
 */
function undoUncommitted(database: string): void {
  if (sizeOfFile(`${database}-journal`) === 0 || !existsSync(database)) return
  const db = new DatabaseSync(database, { timeout: BUSY_TIMEOUT_MS })
  try {
    db.prepare('SELECT 1 FROM sqlite_schema').get()
  } catch (error) {
    throw withWayOut(asUnreadable(error), () => 0)
  } finally {
    db.close()
  }
}

/** The mark is there before the key file, and the key file before the first entry. */
async function demandLog(db: DatabaseSync, { kekFile, mark }: DataFiles): Promise<void> {
  if ((await verifyMark(db, mark)) > 0 || mark.state === 'kept' || !existsSync(kekFile)) return
  throw new LedgerError(
    'mark-missing',
    `the log is empty and ${mark.path} is missing, but not its key file ${kekFile}`,
  )
}

/** A missing file has none. */
function sizeOfFile(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/**
 * The database is made before the files beside it. Where one of them is there, there was a database: an empty one in its
 * place would be another log.
 */
function demandNothingElse({ database, kekFile, mark }: DataFiles, beginning: Beginning): void {
  const writeAheadLog = `${database}-wal`
  const hasWriteAheadLog = sizeOfFile(writeAheadLog) > 0
  const state = existsSync(database) ? 'is empty' : 'is missing'
  if (hasWriteAheadLog) {
    throw new StartError('database-missing', `${database} ${state}, and ${writeAheadLog} is there`, {
      hint: 'restore the database from a backup; what is left of the last changes is in that file: move it away, and keep it',
    })
  }
  const beside = [
    ...(existsSync(kekFile) ? [`its key file ${kekFile}`] : []),
    ...(mark.state === 'missing' || mark.isBlank ? [] : [`the mark of its log ${mark.path}`]),
  ]
  if (beginning === 'anew' || beside.length === 0) return
  throw new StartError('database-missing', `${database} ${state}, but not ${beside.join(' and ')}`, {
    hint: 'restore the database from a backup; to begin with nothing of what was: casemate up --begin-anew',
  })
}

/**
 * SQLite itself refuses a file that is shorter than its header says, but not while a write-ahead log could hold the rest.
 * Only then is everything read.
 */
function demandWhole(db: DatabaseSync, database: string): void {
  const pageSize = Number(pragma(db, 'page_size'))
  const expected = Number(pragma(db, 'page_count')) * pageSize
  const got = sizeOfFile(database)
  // What is missing of a page is read as zeros, which a check takes for content.
  if (got >= expected || (got % pageSize === 0 && pragma(db, 'quick_check(1)') === 'ok')) return
  throw new StartError('database-damaged', `${database} is cut: it has ${got} of ${expected} bytes`, {
    hint: DAMAGED,
  })
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}

function demandSize(size: number, restoredAt: number): void {
  if (size === restoredAt) return
  throw new StartError('config-conflict', `the log has ${size} entries, and --restored says ${restoredAt}`, {
    hint: '--restored is for one start only: start without it, and do as that says',
  })
}

const LOSSES: ReadonlySet<string> = new Set<StartErrorCode>([
  'ledger-cut',
  'ledger-forked',
  'mark-missing',
  'mark-damaged',
  'mark-foreign',
])

/** With what whoever starts it can do. */
function withWayOut(error: unknown, size: () => number): unknown {
  if (!(error instanceof LedgerError)) return error
  const { code, message, expected, got, hint = DAMAGED } = error
  const compared = expected === undefined ? '' : ` (want ${expected}, got ${got ?? 'nothing'})`
  if (code === 'ledger-damaged') {
    return new StartError('database-damaged', `${message}${compared}`, { hint, cause: error })
  }
  if (!LOSSES.has(code)) return error
  return new StartError(code as StartErrorCode, `${message}${compared}`, {
    hint: `restore the newest database together with the files beside it; to go on from this one, on record: casemate up --restored ${size()}`,
    cause: error,
  })
}
