// How many entries the database file has without its write-ahead log. An older file under a newer write-ahead log lacks what
// was moved from the one to the other in between, and SQLite reads the two as if they belonged together. Each time that
// the write-ahead log begins anew, all before it is in the file: that size is noted, and a file with less is refused. Pages also
// change without an entry: each such run has a name, and a file that was written in neither this one nor the one before is refused.
// A newer file under an older write-ahead log has pages from after its end: one with more entries than both together is refused.
import { randomBytes } from 'node:crypto'
import { closeSync, readSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { LedgerError } from '../errors.ts'
import { hasTable, pragma } from './database.ts'
import { openExisting } from './existing-file.ts'
import { reading } from './storage-failure.ts'

/** Where the two salts stand in the header of a write-ahead log: https://sqlite.org/fileformat2.html#walformat */
const SALTS_OFFSET = 16
const SALTS_BYTES = 8
const RUN_NAME_BYTES = 8

/** Notes the size that the file has; one for each open log. */
export class FileSize {
  readonly #path: string | null
  readonly #write: StatementSync
  #run: string
  /** Not in the database yet. */
  #pending: number | null = null

  constructor(db: DatabaseSync) {
    this.#path = db.location()
    this.#write = db.prepare(
      `INSERT INTO ledger_file (id, size, run) VALUES (1, ?, ?)
       ON CONFLICT (id) DO UPDATE SET size = excluded.size, run_before = run, run = excluded.run`,
    )
    this.#run = runOf(this.#path)
  }

  /** To be called after each write, with the size before it: that much is in the file where the write began a new run. */
  note(sizeBefore: number): void {
    const run = runOf(this.#path)
    // Where its name is gone, the run goes on in a file that somebody has moved.
    if (run !== this.#run && run !== '') {
      this.#run = run
      this.#pending = sizeBefore
    }
    if (this.#pending === null) return
    this.#write.run(this.#pending, randomBytes(RUN_NAME_BYTES).toString('hex'))
    this.#pending = null
  }
}

/** Which run of the write-ahead log it is: it has other salts each time that it begins anew. Empty where there is none. */
function runOf(path: string | null): string {
  const file = path === null ? null : openExisting(`${path}-wal`)
  if (file === null) return ''
  try {
    const salts = Buffer.alloc(SALTS_BYTES)
    const length = readSync(file, salts, 0, SALTS_BYTES, SALTS_OFFSET)
    return salts.toString('hex', 0, length)
  } finally {
    closeSync(file)
  }
}

/**
 * Looks at the file alone, and writes nothing.
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

interface Noted extends InFile {
  /** Entries of the file and its write-ahead log together. */
  readonly logged: number
  readonly runBefore: string | null
  readonly verifierKey: string
}

/** The name of a run is written while it lasts, so that the file has that of the one before until it ends. */
function isOfItsTime({ size, run }: InFile, noted: Noted): boolean {
  return size >= noted.size && size <= noted.logged && (run === noted.run || run === noted.runBefore)
}

function notedIn(db: DatabaseSync): Noted | null {
  if (!hasTable(db, 'ledger_file')) return null
  const row = db
    .prepare('SELECT f.*, verifier_key, h.size AS logged FROM ledger_file AS f, ledger_head AS h')
    .get()
  if (row === undefined) return null
  const { size, logged, verifier_key: verifierKey, run_before: runBefore } = row
  return {
    size: Number(size),
    logged: Number(logged),
    run: nameOf(row['run']),
    runBefore: nameOf(runBefore),
    verifierKey: String(verifierKey),
  }
}

/** The columns are not there before the migration. */
function nameOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
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
