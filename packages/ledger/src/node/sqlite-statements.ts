// The ledger's statements in SQLite, each prepared once, and nothing else: what is written when is sqlite-ledger.ts.
// Everything here is synchronous, so that a transaction cannot be interleaved with another piece of work.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { LedgerError } from '../errors.ts'
import { LEAF_SIZE } from '../leaf.ts'
import {
  type Change,
  ChangeRefused,
  ENTRY_INDEX,
  type Met,
  type Row,
  type Statement,
  type Value,
} from './change.ts'
import type { Head, StoredCheckpoint, StoredEntry } from './ledger-database.ts'
import { isConstraint } from './storage-failure.ts'

const SQL = {
  begin: 'BEGIN IMMEDIATE',
  beginReading: 'BEGIN',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT ledger_append',
  release: 'RELEASE ledger_append',
  rollbackTo: 'ROLLBACK TO ledger_append',
  readHead: 'SELECT verifier_key AS verifierKey, size, root, timestamp FROM ledger_head',
  createHead: `INSERT OR IGNORE INTO ledger_head (id, verifier_key, size, root, timestamp)
               VALUES (1, ?, 0, ?, 0)`,
  writeHead: 'UPDATE ledger_head SET size = ?, root = ?, timestamp = ?',
  addEntry: 'INSERT INTO ledger_entry (position, salt, content) VALUES (?, ?, ?)',
  readEntries: `SELECT position, salt, content, erased_by AS erasedBy FROM ledger_entry
                WHERE position >= ? AND position < ?`,
  lastEntry: 'SELECT max(position) AS position FROM ledger_entry',
  addSegment: 'INSERT INTO ledger_segment (first, leaves) VALUES (?, ?)',
  // From the one that has the first of the leaves that are asked for.
  readSegments: `SELECT first, leaves FROM ledger_segment
                 WHERE first >= (SELECT max(first) FROM ledger_segment WHERE first <= ?) AND first < ? ORDER BY first`,
  lastSegment: `SELECT first + length(leaves) / ${LEAF_SIZE} AS size FROM ledger_segment ORDER BY first DESC LIMIT 1`,
  addTile: 'INSERT INTO ledger_tile (level, position, hashes) VALUES (?, ?, ?)',
  readTile: 'SELECT hashes FROM ledger_tile WHERE level = ? AND position = ?',
  addCheckpoint: 'INSERT OR IGNORE INTO ledger_checkpoint (size, note) VALUES (?, ?)',
  latestCheckpoint: 'SELECT size, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1',
  readCheckpoint: 'SELECT note FROM ledger_checkpoint WHERE size = ?',
  checkpointsFrom: 'SELECT size, note FROM ledger_checkpoint WHERE size >= ? ORDER BY size LIMIT 1',
} as const

const ERASE_ENTRY = `UPDATE ledger_entry SET salt = NULL, content = NULL, erased_by = ?
                     WHERE position = ? AND erased_by IS NULL`

/** A statement of a change, prepared: one that gives rows is told by its columns. */
interface Prepared {
  readonly statement: StatementSync
  readonly givesRows: boolean
}

/** Erases an entry that is there and was not erased, for the entry that records it. */
export function erasureOf(index: number): Statement {
  return { sql: ERASE_ENTRY, values: [ENTRY_INDEX, index], expected: 1 }
}

export class SqliteStatements {
  readonly #db: DatabaseSync
  /** By text, of which there are as many as changes have statements. */
  readonly #prepared = new Map<string, Prepared>()
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>

  constructor(db: DatabaseSync) {
    this.#db = db
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)] as const)
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>
  }

  run(verb: 'savepoint' | 'release' | 'rollbackTo'): void {
    this.#statements[verb].run()
  }

  /** All of the work, or nothing of it. Where somebody's transaction is open, that one stays as it is. */
  inTransaction<T>(begin: 'begin' | 'beginReading', work: () => T): T {
    this.#statements[begin].run()
    try {
      const result = work()
      this.#statements.commit.run()
      return result
    } catch (error) {
      // SQLite may have rolled back of its own accord.
      if (this.#db.isTransaction) this.#statements.rollback.run()
      throw error
    }
  }

  /** @param index of the entry that the change goes with; null where it goes with none. @throws {ChangeRefused} */
  apply(change: Change, index: number | null): readonly Met[] {
    return change.map((statement, at) => {
      const met = this.#run(statement, { at, index })
      if (statement.expected === 'any' || met.count === statement.expected) return met
      throw new ChangeRefused(at, { expected: rowsOf(statement.expected), got: rowsOf(met.count) })
    })
  }

  #run({ sql, values, expected }: Statement, { at, index }: { at: number; index: number | null }): Met {
    const { statement, givesRows } = this.#prepare(sql)
    const bound = values.map(value => bind(value, index))
    try {
      if (!givesRows) return { count: Number(statement.run(...bound).changes), rows: [] }
      const rows = statement.all(...bound) as readonly Row[]
      return { count: rows.length, rows }
    } catch (error) {
      if (!isConstraint(error)) throw error
      const wanted = expected === 'any' ? 'no violation' : rowsOf(expected)
      throw new ChangeRefused(at, { expected: wanted, got: 'a violated constraint', cause: error })
    }
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql)
    const prepared = { statement, givesRows: statement.columns().length > 0 }
    this.#prepared.set(sql, prepared)
    return prepared
  }

  head(): Head | undefined {
    return this.#statements.readHead.get() as Head | undefined
  }

  createHead(verifierKey: string, root: Uint8Array): void {
    this.#statements.createHead.run(verifierKey, root)
  }

  writeHead(head: Omit<Head, 'verifierKey'>): void {
    this.#statements.writeHead.run(head.size, head.root, head.timestamp)
  }

  addEntry(index: number, salt: Uint8Array, content: string): void {
    this.#statements.addEntry.run(index, salt, content)
  }

  /** Each in its place; null where there is none. */
  entries(from: number, to: number): readonly (StoredEntry | null)[] {
    const entries = Array.from({ length: to - from }, (): StoredEntry | null => null)
    for (const row of this.#statements.readEntries.all(from, to)) {
      const { position, ...entry } = row as unknown as StoredEntry & { readonly position: number }
      entries[position - from] = entry
    }
    return entries
  }

  /** One more than the index of the last entry. */
  entriesEnd(): number {
    const row = this.#statements.lastEntry.get() as { position: number | null }
    return row.position === null ? 0 : row.position + 1
  }

  addSegment(first: number, leaves: Uint8Array): void {
    this.#statements.addSegment.run(first, leaves)
  }

  segmentsEnd(): number {
    return (this.#statements.lastSegment.get() as { size: number } | undefined)?.size ?? 0
  }

  /** From one index to before another, concatenated. @throws {LedgerError} ledger-damaged */
  leaves(from: number, to: number): Uint8Array {
    const leaves = new Uint8Array((to - from) * LEAF_SIZE)
    let next = from
    for (const row of this.#statements.readSegments.all(from, to)) {
      const segment = row as unknown as { first: number; leaves: Uint8Array }
      if (segment.first > next) break
      const part = segment.leaves.subarray(
        (next - segment.first) * LEAF_SIZE,
        (to - segment.first) * LEAF_SIZE,
      )
      leaves.set(part, (next - from) * LEAF_SIZE)
      next += part.length / LEAF_SIZE
    }
    if (next !== to) throw new LedgerError('ledger-damaged', `leaf ${next} is missing`)
    return leaves
  }

  addTile(level: number, position: number, hashes: Uint8Array): void {
    this.#statements.addTile.run(level, position, hashes)
  }

  /** A full tile. @throws {LedgerError} ledger-damaged */
  tile(level: number, position: number): Uint8Array {
    const row = this.#statements.readTile.get(level, position) as { hashes: Uint8Array } | undefined
    if (row === undefined)
      throw new LedgerError('ledger-damaged', `tile ${position} of level ${level} is missing`)
    return row.hashes
  }

  addCheckpoint(size: number, note: string): void {
    this.#statements.addCheckpoint.run(size, note)
  }

  latestCheckpoint(): StoredCheckpoint | undefined {
    return this.#statements.latestCheckpoint.get() as StoredCheckpoint | undefined
  }

  /** The checkpoint that was shown at that size. */
  checkpointNote(size: number): string | undefined {
    return (this.#statements.readCheckpoint.get(size) as { note: string } | undefined)?.note
  }

  /** The oldest checkpoint of at least that size. */
  checkpointFrom(size: number): StoredCheckpoint | undefined {
    return this.#statements.checkpointsFrom.get(size) as StoredCheckpoint | undefined
  }
}

function bind(value: Value, index: number | null): SQLInputValue {
  // By its shape: a change may have come from another thread.
  if (typeof value !== 'object' || value === null || !('entry' in value)) return value
  if (index === null) throw new TypeError('the change goes with no entry, and names its index')
  return index
}

const rowsOf = (count: number): string => `${count} ${count === 1 ? 'row' : 'rows'}`
