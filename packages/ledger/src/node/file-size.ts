// How many entries the database file has without its write-ahead log. An older file under a newer write-ahead log lacks what
// was moved from the one to the other in between, and SQLite reads the two as if they belonged together. Each time that
// the write-ahead log begins anew, all before it is in the file: that size is noted, and a file with less is refused. Pages also
// change without an entry: each such run has a name, and a file that was written in neither this one nor the one before is refused.
// Several processes may write: whoever does first in a run notes it.
// A newer file under an older write-ahead log has pages from after its end: one with more entries than both together is refused.
import { closeSync, fstatSync, readSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { LedgerError } from '../errors.ts'
import { hasTable, pragma } from './database.ts'
import { openExisting } from './existing-file.ts'
import { reading } from './storage-failure.ts'

/** Where the two salts stand in the header of a write-ahead log: https://sqlite.org/fileformat2.html#walformat */
const SALTS_OFFSET = 16
const SALTS_BYTES = 8

/** A run's name is its salts; as they stand in the database, where `''` is a file from before runs had names. */
interface NotedRow {
  readonly size: number
  readonly run: string | null
  /** Whether a later write found the same run: then it was noted in that run, and not by the write that began the next. */
  readonly isSettled: number
}

/**
 * Notes what the file has; one for each open log. All that decides is looked at inside of a write transaction, when no other
 * process can begin a run, so that it does not matter which of them began one, or which of them notes it.
 */
export class FileSize {
  readonly #path: string | null
  readonly #walIdentity: string | null
  readonly #read: StatementSync
  readonly #write: StatementSync
  readonly #settle: StatementSync
  /** What the last write of this process found. */
  #run: string | null = null
  #size = 0
  /** What was in the file when that run began, at the least: all that this process found in the run before. */
  #inFile = 0
  #isDone = false

  constructor(db: DatabaseSync) {
    this.#path = db.location()
    this.#walIdentity = this.#onWal(identityOf)
    this.#read = db.prepare('SELECT size, run, is_settled AS isSettled FROM ledger_file')
    // Whether the file has the name of the run before, or of the one before that, cannot be said where the note of the former
    // was itself what began this run.
    this.#write = db.prepare(
      `INSERT INTO ledger_file (id, size, run) VALUES (1, ?, ?)
       ON CONFLICT (id) DO UPDATE SET size = max(size, excluded.size), run = excluded.run, run_before = run,
         run_older = CASE WHEN is_settled THEN NULL ELSE coalesce(run_before, '') END, is_settled = 0`,
    )
    this.#settle = db.prepare('UPDATE ledger_file SET size = max(size, ?), is_settled = 1')
  }

  /** To be called first in each write transaction, with the size that the log has before it. */
  note(size: number): void {
    const run = this.#runNow()
    // Where its name is gone, the run goes on in a file that somebody has moved.
    if (run === null) return
    if (run !== this.#run) {
      this.#inFile = this.#size
      this.#isDone = false
    }
    this.#run = run
    this.#size = size
    // An empty write-ahead log has no run yet: this write begins it.
    if (run !== '' && !this.#isDone) this.#noteRun(run)
  }

  /** After a commit: whether a run has begun since the last {@link note}, by this write or by another process's. */
  get isOfOlderRun(): boolean {
    const run = this.#runNow()
    return run !== null && run !== this.#run
  }

  #noteRun(run: string): void {
    const noted = this.#read.get() as NotedRow | undefined
    if (noted?.run !== run) this.#write.run(this.#inFile, run)
    else if (noted.isSettled === 0 || noted.size < this.#inFile) this.#settle.run(this.#inFile)
    else this.#isDone = true
  }

  /** Which run of the write-ahead log it is: it has other salts each time that it begins anew. Null where it is not there. */
  #runNow(): string | null {
    return this.#onWal(file => {
      if (identityOf(file) !== this.#walIdentity) return null
      const salts = Buffer.alloc(SALTS_BYTES)
      return salts.toString('hex', 0, readSync(file, salts, 0, SALTS_BYTES, SALTS_OFFSET))
    })
  }

  /** Opened each time: no handle is left where a log is dropped without being closed. */
  #onWal<T>(look: (file: number) => T): T | null {
    const file = this.#path === null ? null : openExisting(`${this.#path}-wal`)
    if (file === null) return null
    try {
      return look(file)
    } finally {
      closeSync(file)
    }
  }
}

function identityOf(file: number): string {
  const { dev, ino } = fstatSync(file)
  return `${dev} ${ino}`
}

/**
 * Looks at the file alone, and writes nothing. To be asked before any process writes: the file must not change meanwhile.
 * @throws {LedgerError} ledger-damaged where the file is older or newer than its write-ahead log
 */
export function verifyFile(db: DatabaseSync): void {
  const path = db.location()
  if (path === null) return
  const noted = reading(() => notedIn(db))
  const found = noted === null ? null : inFile(path, noted.verifierKey)
  if (noted === null || (found === null ? isSound(db) : isOfItsTime(found, noted))) return
  const isNewer = found !== null && found.size > noted.logged
  throw new LedgerError(
    'ledger-damaged',
    `${path} is ${isNewer ? 'newer' : 'older'} than the write-ahead log beside it`,
    {
      expected: isNewer
        ? `at most ${noted.logged} entries, as with it`
        : `at least ${noted.size} entries without it`,
      got: found === null ? 'a file that cannot be read' : `${found.size} entries, written at another time`,
      hint: `they are not of one time: put back the two that belong together, or move ${path}-wal and ${path}-shm away, and keep them`,
    },
  )
}

/** Reads all pages, of the file or, where they are newer, of the write-ahead log. */
function isSound(db: DatabaseSync): boolean {
  return reading(() => pragma(db, 'quick_check(1)')) === 'ok'
}

interface InFile {
  readonly size: number
  /** Null from before runs had names. */
  readonly run: string | null
}

interface Noted {
  /** At least so many entries are in the file. */
  readonly size: number
  /** Entries of the file and its write-ahead log together. */
  readonly logged: number
  /** Names that the file may have. */
  readonly runs: readonly (string | null)[]
  readonly verifierKey: string
}

/** The name of a run is written while it lasts, so that the file has that of the one before until it ends. */
function isOfItsTime({ size, run }: InFile, noted: Noted): boolean {
  return size >= noted.size && size <= noted.logged && noted.runs.includes(run)
}

function notedIn(db: DatabaseSync): Noted | null {
  if (!hasTable(db, 'ledger_file')) return null
  const row = db
    .prepare('SELECT f.*, verifier_key, h.size AS logged FROM ledger_file AS f, ledger_head AS h')
    .get()
  if (row === undefined) return null
  const { size, logged, verifier_key: verifierKey, run, run_before: before, run_older: older } = row
  const runs = [nameOf(run), nameOf(before), ...(typeof older === 'string' ? [nameOf(older)] : [])]
  return { size: Number(size), logged: Number(logged), runs, verifierKey: String(verifierKey) }
}

/** The columns are not there before the migration. */
function nameOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/**
 * What the file has of this log. Null where that cannot be said: a process that ended while it moved pages from the
 * write-ahead log has left a file that nobody can read alone.
 */
function inFile(path: string, verifierKey: string): InFile | null {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  const file = new DatabaseSync(url, { readOnly: true })
  try {
    if (!hasTable(file, 'ledger_head')) return { size: 0, run: null }
    const row = file.prepare('SELECT size FROM ledger_head WHERE verifier_key = ?').get(verifierKey)
    const noted = hasTable(file, 'ledger_file') ? file.prepare('SELECT * FROM ledger_file').get() : undefined
    return { size: Number(row?.['size'] ?? 0), run: nameOf(noted?.['run']) }
  } catch {
    return null
  } finally {
    file.close()
  }
}
