// The deep check: reads everything and recomputes everything, bundle by bundle, while appends go on.
// Finds what opening does not look at: old leaves, contents and tiles, and every checkpoint that was ever shown.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { equalBytes } from '../bytes.ts'
import { HASH_SIZE, LEAF_SIZE } from '../leaf.ts'
import { TILE_WIDTH } from '../tile.ts'
import { damaged, readLeaf, verifyEntry } from './restore.ts'
import type { CheckpointSigner } from './signer.ts'
import type { LedgerStore } from './store.ts'
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
  readonly store: LedgerStore
  readonly signer: CheckpointSigner
  /** The committed state to check; what is appended meanwhile is not looked at. */
  readonly tail: MerkleTail
}

/** @throws {LedgerError} ledger-damaged */
export async function checkAll({ store, signer, tail }: CheckInput): Promise<CheckReport> {
  const walk = new Walk(store, signer)
  for (let bundle = 0; bundle * TILE_WIDTH < tail.size; bundle++) {
    walk.bundle(bundle, Math.min(TILE_WIDTH, tail.size - bundle * TILE_WIDTH))
    await nextTurn()
  }
  walk.checkpoints()
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
  readonly #store: LedgerStore
  readonly #signer: CheckpointSigner

  constructor(store: LedgerStore, signer: CheckpointSigner) {
    this.#store = store
    this.#signer = signer
  }

  bundle(bundle: number, width: number): void {
    const leaves = this.#store.leaves(bundle, width)
    for (let at = 0; at < leaves.length; at += LEAF_SIZE) {
      this.checkpoints()
      this.#leaf(this.tail.size, leaves.subarray(at, at + LEAF_SIZE))
      this.tail.append(leaves, at, this.#compareTile)
    }
  }

  /** Those that were shown at the size that the walk has reached. */
  checkpoints(): void {
    if (this.#nextCheckpoint > this.tail.size) return
    const shown = this.#store.checkpointFrom(this.#nextCheckpoint)
    this.#nextCheckpoint = shown?.size ?? Number.POSITIVE_INFINITY
    if (shown === undefined || shown.size !== this.tail.size) return
    if (this.#signer.sign(shown.size, this.tail.root()).note !== shown.note) {
      throw damaged(`the log does not extend the checkpoint that was shown at size ${shown.size}`)
    }
    this.checkpointsSeen++
    this.#nextCheckpoint = shown.size + 1
  }

  #leaf(index: number, leaf: Uint8Array): void {
    const timestamp = readLeaf(index, leaf).timestamp.getTime()
    if (timestamp < this.#timestamp)
      throw damaged(`the time of entry ${index} is before that of the one before`)
    this.#timestamp = timestamp
    const { erasedBy } = verifyEntry(this.#store, index, leaf)
    if (erasedBy === null) return
    this.erased++
    const record = this.#store.entry(erasedBy)
    if (record === undefined || erasedBy <= index)
      throw damaged(`no entry records the erasure of entry ${index}`)
    if (record.content === null) return
    const { erasedIndex } = JSON.parse(record.content) as { erasedIndex?: unknown }
    if (erasedIndex !== index)
      throw damaged(`entry ${erasedBy} does not record the erasure of entry ${index}`)
  }

  readonly #compareTile = (level: number, position: number, hashes: Buffer): void => {
    const stored = this.#store.tile(level, position)
    if (stored.length !== TILE_WIDTH * HASH_SIZE || !hashes.equals(stored)) {
      throw damaged(`tile ${position} of level ${level} is not what its leaves give`)
    }
  }
}
