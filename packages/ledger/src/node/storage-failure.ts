// What a failing database means for the log: try again, stop writing, or stop believing.
import { LedgerError, type LedgerErrorCode } from '../errors.ts'

/** SQLite's primary result codes after which the state on disk is not known any more. */
const IOERR = 10
const CORRUPT = 11
const NOTADB = 26
/** Somebody else holds the database. */
const BUSY = 5
/** What is written contradicts what is stored, and not the disk. */
const CONSTRAINT = 19
/** In full: what a trigger raised, which is no constraint of a table. */
const CONSTRAINT_TRIGGER = 1811

/** Those of a statement that asks for what cannot be: SQL, a value that is too big or of another type, a place without one. */
const OF_STATEMENTS: ReadonlySet<number> = new Set([1, 18, CONSTRAINT, 20, 25])

const RETRY_AFTER_MS = 1_000

/** SQLite’s primary result code; undefined for an error that is not SQLite’s. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}

/** Whether another connection holds the database. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === BUSY
}

/** Whether a statement was refused for what it would store. */
export function isConstraint(error: unknown): boolean {
  if (resultCode(error) !== CONSTRAINT) return false
  return (error as { errcode?: number }).errcode !== CONSTRAINT_TRIGGER
}

/** Whether the database is what failed, and not the statement that met it. */
export function isOfDatabase(error: unknown): boolean {
  const code = resultCode(error)
  return code !== undefined && !OF_STATEMENTS.has(code)
}

/** Why a batch was not committed, in the ledger's own words. */
export function failureOf(error: unknown): LedgerError {
  if (error instanceof LedgerError) return error
  const code = resultCode(error)
  if (code === CORRUPT || code === NOTADB) return unreadable(error)
  if (code === IOERR) {
    // After a failed sync the kernel may drop what was written and report success the next time.
    return new LedgerError('ledger-failed', 'the storage failed while a batch was written', {
      hint: 'look at the disk, then start again: the log will check itself',
      cause: error,
    })
  }
  return new LedgerError('ledger-unavailable', 'the database did not take the batch; nothing was recorded', {
    hint: 'look for a full disk, or another process that keeps the database locked',
    retryAfterMs: RETRY_AFTER_MS,
    cause: error,
  })
}

const FINAL: ReadonlySet<LedgerErrorCode> = new Set(['ledger-failed', 'ledger-damaged', 'ledger-forked'])

/** Whether no more may be written after this. */
export function isFinal(error: LedgerError): boolean {
  return FINAL.has(error.code)
}

/** Runs a read; a file that SQLite cannot read is a damaged log. @throws {LedgerError} ledger-damaged */
export function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw asUnreadable(error)
  }
}

/** What SQLite throws at a file that it cannot read, as a LedgerError `ledger-damaged`; anything else as it is. */
export function asUnreadable(error: unknown): unknown {
  const code = resultCode(error)
  return code === CORRUPT || code === NOTADB ? unreadable(error) : error
}

function unreadable(cause: unknown): LedgerError {
  return new LedgerError('ledger-damaged', 'the database file cannot be read', {
    hint: 'restore it from a backup; keep the damaged file to compare',
    cause,
  })
}
