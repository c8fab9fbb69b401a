// What a batch adds to a log: entries, leaves, full tiles and a head, made in memory. Where it is written, and what becomes of
// the changes that go with the entries, is the database's.
import { canonicalJson, type JsonObject } from '../canonical.ts'
import { LedgerError } from '../errors.ts'
import { COMMITMENT_OFFSET, LEAF_SIZE, LEAF_VERSION, SALT_SIZE } from '../leaf.ts'
import { TILE_WIDTH } from '../tile.ts'
import { commitInto, MAX_ENTRY_BYTES } from './hasher.ts'
import type { Batch, Head, Position } from './ledger-database.ts'
import type { MerkleTail } from './tail.ts'

export interface NewEntry {
  readonly index: number
  readonly salt: Uint8Array
  readonly content: string
}

/** Leaves within one bundle, concatenated. */
export interface NewSegment {
  readonly first: number
  readonly leaves: Uint8Array
}

export interface NewTile {
  readonly level: number
  readonly position: number
  readonly hashes: Uint8Array
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

export class Growth {
  readonly tail: MerkleTail
  readonly entries: NewEntry[] = []
  readonly tiles: NewTile[] = []
  readonly #first: number
  readonly #timestamp: Date
  readonly #salts: Uint8Array
  readonly #leaves: Buffer

  /** @param tail of the log that the head is of; it is left as it is */
  constructor({ appends, now, randomBytes }: Batch, tail: MerkleTail, head: Head) {
    this.tail = tail.clone()
    this.#first = head.size
    const time = now().getTime()
    if (!Number.isSafeInteger(time) || time < 0) throw new RangeError(`the clock says ${time}`)
    // Time in the log never runs backwards, whatever the clock does.
    this.#timestamp = new Date(Math.max(time, head.timestamp))
    this.#salts = randomBytes(appends.length * SALT_SIZE)
    this.#leaves = Buffer.alloc(appends.length * LEAF_SIZE)
  }

  /** Of the next entry. */
  get position(): Position {
    return { index: this.tail.size, timestamp: this.#timestamp }
  }

  add(content: string): void {
    const index = this.tail.size
    const at = this.#leafAt(index)
    const saltAt = (index - this.#first) * SALT_SIZE
    const salt = this.#salts.subarray(saltAt, saltAt + SALT_SIZE)
    this.#leaves[at] = LEAF_VERSION
    this.#leaves.writeBigUInt64BE(BigInt(this.#timestamp.getTime()), at + 1)
    commitInto(this.#leaves, at + COMMITMENT_OFFSET, salt, content)
    this.entries.push({ index, salt, content })
    this.tail.append(this.#leaves, at, this.#addTile)
  }

  /** The leaves, cut where a bundle ends. */
  segments(): readonly NewSegment[] {
    const segments: NewSegment[] = []
    const end = this.tail.size
    for (let first = this.#first; first < end; ) {
      const to = Math.min(end, (Math.floor(first / TILE_WIDTH) + 1) * TILE_WIDTH)
      segments.push({ first, leaves: this.#leaves.subarray(this.#leafAt(first), this.#leafAt(to)) })
      first = to
    }
    return segments
  }

  /** The state of the log with all of it. */
  head(): Omit<Head, 'verifierKey'> {
    return { size: this.tail.size, root: this.tail.root(), timestamp: this.#timestamp.getTime() }
  }

  readonly #addTile = (level: number, position: number, hashes: Buffer): void =>
    void this.tiles.push({ level, position, hashes })

  #leafAt(index: number): number {
    return (index - this.#first) * LEAF_SIZE
  }
}
