// Opens what is stored, and believes none of it: the edge of the tree is recomputed from the leaves and tiles below it
// and must give the root that the last batch recorded and the checkpoint that was last shown. Old tiles and contents
// are read again by the deep check (src/node/check.ts).
import { equalBytes } from '../bytes.ts'
import { LedgerError } from '../errors.ts'
import { COMMITMENT_OFFSET, decodeLeaf, HASH_SIZE, LEAF_SIZE, type Leaf } from '../leaf.ts'
import { TILE_WIDTH } from '../tile.ts'
import { commitInto, hashLeafInto, rootOf } from './hasher.ts'
import type { CheckpointSigner } from './signer.ts'
import type { Head, LedgerStore, StoredEntry } from './store.ts'
import { MerkleTail, type PartialTile } from './tail.ts'
import { TreeReader } from './tree.ts'

/** @throws {LedgerError} ledger-damaged */
export function restoreTail(store: LedgerStore, head: Head): MerkleTail {
  for (const end of [store.segmentsEnd(), store.entriesEnd()]) {
    if (end !== head.size) throw damaged(`the head counts ${head.size} entries, but ${end} are stored`)
  }
  const tiles: PartialTile[] = []
  for (let [level, hashes] = [0, head.size]; hashes > 0; hashes = Math.floor(hashes / TILE_WIDTH)) {
    tiles.push(restoreTile(store, level, hashes))
    level++
  }
  const tail = MerkleTail.restore(head.size, tiles)
  if (!equalBytes(tail.root(), head.root))
    throw damaged('the leaves do not give the root that was recorded for them')
  return tail
}

/** The partial tile at the end of a level that has `total` hashes. */
function restoreTile(store: LedgerStore, level: number, total: number): PartialTile {
  const position = Math.floor(total / TILE_WIDTH)
  const count = total % TILE_WIDTH
  const hashes = Buffer.alloc(TILE_WIDTH * HASH_SIZE)
  const leaves = level === 0 ? store.leaves(position, count) : undefined
  for (let index = 0; index < count; index++) {
    if (leaves !== undefined) {
      hashLeafInto(hashes, index * HASH_SIZE, leaves, index * LEAF_SIZE)
    } else {
      const child = store.tile(level - 1, position * TILE_WIDTH + index)
      hashes.set(rootOf(child, 0, TILE_WIDTH), index * HASH_SIZE)
    }
  }
  return { position, count, hashes }
}

/** The entries of the last, partial bundle must be those that its leaves commit to. @throws {LedgerError} ledger-damaged */
export function verifyLastEntries(store: LedgerStore, size: number): void {
  const bundle = Math.floor(size / TILE_WIDTH)
  const leaves = store.leaves(bundle, size % TILE_WIDTH)
  for (let at = 0; at < leaves.length; at += LEAF_SIZE) {
    verifyEntry(store, bundle * TILE_WIDTH + at / LEAF_SIZE, leaves.subarray(at, at + LEAF_SIZE))
  }
}

/** @throws {LedgerError} ledger-damaged */
export function readLeaf(index: number, leaf: Uint8Array): Leaf {
  try {
    return decodeLeaf(leaf)
  } catch (cause) {
    throw damaged(`leaf ${index} cannot be read`, cause)
  }
}

/** The entry must be the one that the leaf commits to, or erased. @throws {LedgerError} ledger-damaged */
export function verifyEntry(store: LedgerStore, index: number, leaf: Uint8Array): StoredEntry {
  const entry = store.entry(index)
  if (entry === undefined) throw damaged(`entry ${index} is missing`)
  if (entry.content === null) return entry
  const commitment = Buffer.alloc(HASH_SIZE)
  commitInto(commitment, 0, entry.salt, entry.content)
  if (!commitment.equals(leaf.subarray(COMMITMENT_OFFSET))) {
    throw damaged(`the content of entry ${index} is not what was appended`)
  }
  return entry
}

/** Ed25519 is deterministic: a checkpoint that was shown must be, to the byte, what would be signed for its size now. */
export function verifyLatestCheckpoint(store: LedgerStore, tail: MerkleTail, signer: CheckpointSigner): void {
  const shown = store.latestCheckpoint()
  if (shown === undefined) return
  if (shown.size > tail.size) {
    throw damaged(`a checkpoint of ${shown.size} entries was shown, but ${tail.size} are stored`)
  }
  const root = new TreeReader(store, tail).rootAt(shown.size)
  if (signer.sign(shown.size, root).note !== shown.note) {
    throw damaged(`the log does not extend the checkpoint that was shown at size ${shown.size}`)
  }
}

export function damaged(message: string, cause?: unknown): LedgerError {
  return new LedgerError('ledger-damaged', message, {
    cause,
    hint: 'stop writing and restore the database from a backup; keep the damaged file to compare',
  })
}
