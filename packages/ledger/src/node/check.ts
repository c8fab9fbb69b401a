// The deep check: reads everything and recomputes everything, bundle by bundle, while appends go on.
// Finds what opening does not look at: old leaves, contents and tiles, and every checkpoint that was ever shown.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { equalBytes } from '../bytes.ts'
import { HASH_SIZE, LEAF_SIZE } from '../leaf.ts'
import { TILE_WIDTH } from '../tile.ts'
import type { NewTile } from './growth.ts'
import type { LedgerDatabase, StoredEntry } from './ledger-database.ts'
import { damaged, readLeaf, verifyEntry } from './restore.ts'
import type { CheckpointSigner } from './signer.ts'
import { MerkleTail } from './tail.ts'

/** What a deep check went through and found whole. */
export interface CheckReport {
  readonly size: number
  readonly root: Uint8Array
  /** Checkpoints that were shown, each an ancestor of this state. */
  readonly checkpoints: number
  /** Entries whose content was erased. */
  readonly erased: number
}

export interface CheckInput {
  readonly database: LedgerDatabase
  readonly signer: CheckpointSigner
  /** The committed state to check; what is appended meanwhile is not looked at. */
  readonly tail: MerkleTail
}

/** @throws {LedgerError} ledger-damaged */
export async function checkAll({ database, signer, tail }: CheckInput): Promise<CheckReport> {
  const walk = new Walk(database, signer)
  while (walk.tail.size < tail.size) {
    await walk.bundle(Math.min(TILE_WIDTH, tail.size - walk.tail.size))
    await nextTurn()
  }
  await walk.checkpoints()
  const root = walk.tail.root()
  if (!equalBytes(root, tail.root())) throw damaged('the leaves do not give the root of the log')
  return {
    size: tail.size,
    root: new Uint8Array(root),
    checkpoints: walk.checkpointsSeen,
    erased: walk.erased,
  }
}

/** Grows a second tree out of what is stored and compares all that it yields. */
class Walk {
  readonly tail = MerkleTail.restore(0, [])
  checkpointsSeen = 0
  erased = 0
  #nextCheckpoint = 0
  #timestamp = 0
  readonly #database: LedgerDatabase
  readonly #signer: CheckpointSigner

  constructor(database: LedgerDatabase, signer: CheckpointSigner) {
    this.#database = database
    this.#signer = signer
  }

  /** The next leaves, of one bundle. */
  async bundle(width: number): Promise<void> {
    const first = this.tail.size
    const leaves = await this.#database.leaves(first, first + width)
    const entries = await this.#database.entries(first, first + width)
    const full: NewTile[] = []
    for (const [at, entry] of entries.entries()) {
      await this.checkpoints()
      await this.#leaf(first + at, leaves.subarray(at * LEAF_SIZE, (at + 1) * LEAF_SIZE), entry)
      this.tail.append(leaves, at * LEAF_SIZE, (level, position, hashes) =>
        full.push({ level, position, hashes }),
      )
    }
    for (const tile of full) await this.#compare(tile)
  }

  /** Those that were shown at the size that the walk has reached. */
  async checkpoints(): Promise<void> {
    if (this.#nextCheckpoint > this.tail.size) return
    const shown = await this.#database.checkpointFrom(this.#nextCheckpoint)
    this.#nextCheckpoint = shown?.size ?? Number.POSITIVE_INFINITY
    if (shown === null || shown.size !== this.tail.size) return
    if (this.#signer.sign(shown.size, this.tail.root()).note !== shown.note) {
      throw damaged(`the log does not extend the checkpoint that was shown at size ${shown.size}`)
    }
    this.checkpointsSeen++
    this.#nextCheckpoint = shown.size + 1
  }

  async #leaf(index: number, leaf: Uint8Array, entry: StoredEntry | null): Promise<void> {
    const timestamp = readLeaf(index, leaf).timestamp.getTime()
    if (timestamp < this.#timestamp)
      throw damaged(`the time of entry ${index} is before that of the one before`)
    this.#timestamp = timestamp
    const { erasedBy } = verifyEntry(entry, index, leaf)
    if (erasedBy === null) return
    this.erased++
    const [record = null] = await this.#database.entries(erasedBy, erasedBy + 1)
    if (record === null || erasedBy <= index) throw damaged(`no entry records the erasure of entry ${index}`)
    if (record.content === null) return
    const { erasedIndex } = JSON.parse(record.content) as { erasedIndex?: unknown }
    if (erasedIndex !== index)
      throw damaged(`entry ${erasedBy} does not record the erasure of entry ${index}`)
  }

  async #compare({ level, position, hashes }: NewTile): Promise<void> {
    const stored = await this.#database.tile(level, position)
    if (stored.length !== TILE_WIDTH * HASH_SIZE || !equalBytes(hashes, stored)) {
      throw damaged(`tile ${position} of level ${level} is not what its leaves give`)
    }
  }
}
