// A log in SQLite. Each transaction is one piece of work without an await in it, so that nobody reads on this connection what is
// not committed; that another connection may have written since is asked of the database each time.
import type { DatabaseSync } from 'node:sqlite'
import type { LedgerError } from '../errors.ts'
import { TILE_WIDTH } from '../tile.ts'
import { BRIEF_MS } from './busy-timeout.ts'
import type { Change, Met, Statement } from './change.ts'
import { hasTable } from './database.ts'
import { FileSize } from './file-size.ts'
import { continued, follow, isFarAhead } from './follow.ts'
import { Growth } from './growth.ts'
import { emptyRoot } from './hasher.ts'
import type {
  Append,
  Batch,
  CommittedBatch,
  Edge,
  Head,
  LedgerDatabase,
  Outcome,
  StoredCheckpoint,
  StoredEntry,
} from './ledger-database.ts'
import { migrate } from './migrations.ts'
import { damaged, demandAhead } from './restore.ts'
import { erasureOf, SqliteStatements } from './sqlite-statements.ts'
import { asUnreadable, failureOf, isOfDatabase, reading } from './storage-failure.ts'
import type { MerkleTail } from './tail.ts'
import { requireDurable, truncateWal } from './wal.ts'
import { WriteTurn } from './write-turn.ts'

/** After one write: the first note begins a run only where all before it went into the file at once. */
const MAX_NOTES = 3

interface Written<T> {
  readonly result: T
  /** Why it could not be noted what the file has. */
  readonly trouble: LedgerError | null
}

export class SqliteLedger implements LedgerDatabase {
  readonly #db: DatabaseSync
  /** From when the tables are there. */
  #prepared: SqliteStatements | undefined
  #turns: WriteTurn | undefined
  /** None where nothing is written. */
  #file: FileSize | undefined
  readonly #elapsedMs: () => number

  /**
   * @param db from `openDatabase`; the caller closes it, after the ledger
   * @param elapsedMs of a clock that nobody sets: how long others are waited for, as long as the connection's own timeout
   */
  constructor(db: DatabaseSync, elapsedMs = () => performance.now()) {
    this.#db = db
    this.#elapsedMs = elapsedMs
  }

  async prepare(): Promise<void> {
    reading(() => {
      requireDurable(this.#db)
      migrate(this.#db)
      this.#file = new FileSize(this.#db)
    })
  }

  async begin(verifierKey: string): Promise<Head> {
    try {
      const found = this.#statements.head()
      if (found !== undefined) return found
      return await this.#write(() => {
        this.#statements.createHead(verifierKey, emptyRoot())
        return this.#head()
      })
    } catch (error) {
      throw asUnreadable(error)
    }
  }

  async head(): Promise<Head> {
    return reading(() => this.#head())
  }

  async edge(): Promise<Edge> {
    const statements = this.#statements
    return reading(() => statements.inTransaction('beginReading', () => this.#edge(this.#head())))
  }

  async commit(batch: Batch): Promise<CommittedBatch> {
    try {
      // So far behind that others would wait while the edge of the tree is restored: that is done before the head is taken.
      const isBehind = isFarAhead(this.#head(), batch.tail)
      return await this.#commit(isBehind ? { ...batch, tail: await follow(this, batch.tail) } : batch)
    } catch (error) {
      throw failureOf(error)
    }
  }

  async write(change: Change): Promise<void> {
    try {
      await this.#write(() => this.#statements.apply(change, null), BRIEF_MS)
    } catch (error) {
      throw failureOf(error)
    }
  }

  erasure(index: number): Statement {
    return erasureOf(index)
  }

  async overwriteErased(): Promise<boolean> {
    return truncateWal(this.#db)
  }

  async entries(from: number, to: number): Promise<readonly (StoredEntry | null)[]> {
    return reading(() => this.#statements.entries(from, to))
  }

  async leaves(from: number, to: number): Promise<Uint8Array> {
    return reading(() => this.#statements.leaves(from, to))
  }

  async tile(level: number, position: number): Promise<Uint8Array> {
    return reading(() => this.#statements.tile(level, position))
  }

  async keepCheckpoint({ size, note }: StoredCheckpoint): Promise<string> {
    try {
      const kept = await this.#write(() => {
        this.#statements.addCheckpoint(size, note)
        return this.#statements.checkpointNote(size)
      })
      if (kept === undefined) throw damaged(`the checkpoint at ${size} entries cannot be read back`)
      return kept
    } catch (error) {
      throw failureOf(error)
    }
  }

  async latestCheckpoint(): Promise<StoredCheckpoint | null> {
    return reading(() => this.#statements.latestCheckpoint() ?? null)
  }

  async checkpointFrom(size: number): Promise<StoredCheckpoint | null> {
    return reading(() => this.#statements.checkpointFrom(size) ?? null)
  }

  async isMarked(): Promise<boolean> {
    return reading(() => {
      if (!hasTable(this.#db, 'ledger_marked')) return false
      return this.#db.prepare('SELECT 1 FROM ledger_marked').get() !== undefined
    })
  }

  async setMarked(): Promise<void> {
    if (await this.isMarked()) return
    try {
      await this.#write(() => this.#db.exec('INSERT OR IGNORE INTO ledger_marked (id) VALUES (1)'))
    } catch (error) {
      throw asUnreadable(error)
    }
  }

  get #statements(): SqliteStatements {
    return (this.#prepared ??= new SqliteStatements(this.#db))
  }

  get #turn(): WriteTurn {
    return (this.#turns ??= new WriteTurn(this.#db, this.#statements, this.#elapsedMs))
  }

  #head(): Head {
    return there(this.#statements.head())
  }

  async #commit(batch: Batch): Promise<CommittedBatch> {
    const { result, trouble } = await this.#writeAndTell(found => {
      const head = there(found)
      demandAhead(head, batch.tail)
      // Another process may have appended since: its entries come first.
      const growth = new Growth(batch, this.#followed(batch.tail, head), head)
      const outcomes = batch.appends.map(append => this.#append(growth, append))
      if (growth.entries.length > 0) this.#add(growth)
      return { tail: growth.tail, outcomes }
    })
    return { ...result, trouble }
  }

  async #write<T>(work: () => T, withinMs?: number): Promise<T> {
    const { result, trouble } = await this.#writeAndTell(work, withinMs)
    if (trouble !== null) throw trouble
    return result
  }

  /** All that is written goes through here, so that a write that began a run of the write-ahead log is followed by its note. */
  async #writeAndTell<T>(work: (head: Head | undefined) => T, withinMs?: number): Promise<Written<T>> {
    const noted = <R>(act: (head: Head | undefined) => R): Promise<R> =>
      this.#turn.take(() => {
        const head = this.#statements.head()
        this.#file?.note(head?.size ?? 0)
        return act(head)
      }, withinMs)
    const result = await noted(work)
    try {
      // The note itself may begin a run. Where it goes on doing so, the next write notes the last one.
      for (let times = 0; times < MAX_NOTES && this.#file?.isOfOlderRun; times++) await noted(() => undefined)
      return { result, trouble: null }
    } catch (error) {
      return { result, trouble: failureOf(error) }
    }
  }

  #followed(known: MerkleTail, head: Head): MerkleTail {
    if (head.size === known.size) return known
    return continued(known, head, this.#statements.leaves(known.size, head.size))
  }

  /** A change runs in a savepoint of its own, so that one that is refused takes nobody along. */
  #append(growth: Growth, { content, change }: Append): Outcome {
    const { position } = growth
    if (change.length === 0) {
      growth.add(content)
      return { ok: true, position, met: [] }
    }
    const statements = this.#statements
    statements.run('savepoint')
    let met: readonly Met[]
    try {
      met = statements.apply(change, position.index)
    } catch (error) {
      // SQLite ends the whole transaction on some errors; then there is no savepoint to go back to, and no batch. Where it does
      // not, a full disk or a damaged page is no more this change's own than its neighbours'.
      if (!this.#db.isTransaction || isOfDatabase(error)) throw error
      statements.run('rollbackTo')
      statements.run('release')
      return { ok: false, error }
    }
    statements.run('release')
    growth.add(content)
    return { ok: true, position, met }
  }

  #add(growth: Growth): void {
    const statements = this.#statements
    for (const { index, salt, content } of growth.entries) statements.addEntry(index, salt, content)
    for (const { first, leaves } of growth.segments()) statements.addSegment(first, leaves)
    for (const { level, position, hashes } of growth.tiles) statements.addTile(level, position, hashes)
    statements.writeHead(growth.head())
  }

  #edge(head: Head): Edge {
    const statements = this.#statements
    const tiles: Uint8Array[][] = []
    let below = Math.floor(head.size / TILE_WIDTH)
    for (let level = 0; below > 0; level++) {
      const first = Math.floor(below / TILE_WIDTH) * TILE_WIDTH
      tiles.push(Array.from({ length: below - first }, (_, at) => statements.tile(level, first + at)))
      below = first / TILE_WIDTH
    }
    return {
      head,
      entriesEnd: statements.entriesEnd(),
      leavesEnd: statements.segmentsEnd(),
      leaves: statements.leaves(head.size - (head.size % TILE_WIDTH), head.size),
      tiles,
    }
  }
}

function there(head: Head | undefined): Head {
  if (head === undefined) throw damaged('the head of the log is missing')
  return head
}
