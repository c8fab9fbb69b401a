// One batch: many appends in one transaction, which is on disk or not there at all. A change runs in a savepoint of its
// own, so that it and its entry commit together, and one that is refused takes nobody along.
import { canonicalJson, type JsonObject } from '../canonical.ts'
import { LedgerError } from '../errors.ts'
import { COMMITMENT_OFFSET, LEAF_SIZE, LEAF_VERSION, SALT_SIZE } from '../leaf.ts'
import { TILE_WIDTH } from '../tile.ts'
import type { Change, Met } from './change.ts'
import { commitInto, MAX_ENTRY_BYTES } from './hasher.ts'
import { damaged, restoreTail } from './restore.ts'
import type { LedgerStore } from './store.ts'
import type { MerkleTail } from './tail.ts'

/** Where an entry is about to stand. */
export interface Position {
  readonly index: number
  readonly timestamp: Date
}

/** What a batch takes from the queue. */
export interface Append {
  /** Canonical JSON. */
  readonly content: string
  readonly change: Change
}

/** What became of one append; settled for its caller only after the commit. */
export type Outcome =
  | { readonly ok: true; readonly position: Position; readonly met: readonly Met[] }
  | { readonly ok: false; readonly error: unknown }

export interface BatchSources {
  readonly store: LedgerStore
  readonly now: () => Date
  readonly randomBytes: (size: number) => Uint8Array
}

export interface CommittedBatch {
  readonly tail: MerkleTail
  readonly outcomes: readonly Outcome[]
}

/** The canonical form of an entry. @throws {LedgerError} entry-invalid, entry-too-large */
export function canonicalEntry(entry: JsonObject): string {
  const content = canonicalJson(entry)
  const size = Buffer.byteLength(content)
  if (size > MAX_ENTRY_BYTES) {
    throw new LedgerError('entry-too-large', `the entry is ${size} bytes, want at most ${MAX_ENTRY_BYTES}`, {
      expected: `at most ${MAX_ENTRY_BYTES} bytes`,
      got: `${size} bytes`,
    })
  }
  return content
}

/** Throws only where nothing at all was committed. `tail` is left as it was. */
export function commitBatch(
  sources: BatchSources,
  tail: MerkleTail,
  appends: readonly Append[],
): CommittedBatch {
  const { store } = sources
  store.run('begin')
  try {
    const batch = new Batch(sources, tail, appends.length)
    const outcomes = appends.map(append => batch.record(append))
    batch.finish()
    store.run('commit')
    return { tail: batch.tail, outcomes }
  } catch (error) {
    store.rollback()
    throw error
  }
}

class Batch {
  readonly tail: MerkleTail
  readonly #store: LedgerStore
  readonly #first: number
  readonly #timestamp: Date
  readonly #salts: Uint8Array
  readonly #leaves: Buffer

  constructor(sources: BatchSources, tail: MerkleTail, capacity: number) {
    this.#store = sources.store
    const head = this.#store.head()
    if (head === undefined) throw damaged('the head of the log is missing')
    // Another process may have appended since: its entries come first.
    this.tail = head.size === tail.size ? tail.clone() : restoreTail(this.#store, head)
    this.#first = head.size
    const now = sources.now().getTime()
    if (!Number.isSafeInteger(now) || now < 0) throw new RangeError(`the clock says ${now}`)
    // Time in the log never runs backwards, whatever the clock does.
    this.#timestamp = new Date(Math.max(now, head.timestamp))
    this.#salts = sources.randomBytes(capacity * SALT_SIZE)
    this.#leaves = Buffer.alloc(capacity * LEAF_SIZE)
  }

  record({ content, change }: Append): Outcome {
    const position = { index: this.tail.size, timestamp: this.#timestamp }
    if (change.length === 0) {
      this.#append(content)
      return { ok: true, position, met: [] }
    }
    this.#store.run('savepoint')
    let met: readonly Met[]
    try {
      met = this.#store.apply(change, position.index)
    } catch (error) {
      // SQLite ends the whole transaction on some errors; then there is no savepoint to go back to, and no batch.
      if (!this.#store.isTransaction) throw error
      this.#store.run('rollbackTo')
      this.#store.run('release')
      return { ok: false, error }
    }
    this.#store.run('release')
    this.#append(content)
    return { ok: true, position, met }
  }

  /** Writes the leaves and the head; full tiles are written as they come. */
  finish(): void {
    const end = this.tail.size
    if (end === this.#first) return
    for (let from = this.#first; from < end; ) {
      const to = Math.min(end, (Math.floor(from / TILE_WIDTH) + 1) * TILE_WIDTH)
      this.#store.addSegment(from, this.#leaves.subarray(this.#leafAt(from), this.#leafAt(to)))
      from = to
    }
    this.#store.writeHead({ size: end, root: this.tail.root(), timestamp: this.#timestamp.getTime() })
  }

  #append(content: string): void {
    const index = this.tail.size
    const at = this.#leafAt(index)
    const saltAt = (index - this.#first) * SALT_SIZE
    const salt = this.#salts.subarray(saltAt, saltAt + SALT_SIZE)
    this.#leaves[at] = LEAF_VERSION
    this.#leaves.writeBigUInt64BE(BigInt(this.#timestamp.getTime()), at + 1)
    commitInto(this.#leaves, at + COMMITMENT_OFFSET, salt, content)
    this.#store.addEntry(index, salt, content)
    this.tail.append(this.#leaves, at, this.#addTile)
  }

  readonly #addTile = (level: number, position: number, hashes: Buffer): void =>
    this.#store.addTile(level, position, hashes)

  #leafAt(index: number): number {
    return (index - this.#first) * LEAF_SIZE
  }
}
