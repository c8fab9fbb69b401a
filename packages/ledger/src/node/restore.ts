// Opens what is stored, and believes none of it: the edge of the tree is recomputed from the leaves and tiles below it
// and must give the root that the last batch recorded and the checkpoint that was last shown. Old tiles and contents
// are read again by the deep check (src/node/check.ts).
import { equalBytes } from '../bytes.ts'
import { LedgerError } from '../errors.ts'
import { COMMITMENT_OFFSET, decodeLeaf, HASH_SIZE, LEAF_SIZE, type Leaf } from '../leaf.ts'
import { TILE_WIDTH } from '../tile.ts'
import { commitInto, hashLeafInto, rootOf } from './hasher.ts'
import type { Edge, Head, LedgerDatabase, StoredCheckpoint, StoredEntry } from './ledger-database.ts'
import type { CheckpointSigner } from './signer.ts'
import { MerkleTail, type PartialTile } from './tail.ts'
import { TreeReader } from './tree.ts'

/** @throws {LedgerError} ledger-damaged */
export function restoreTail({ head, leaves, tiles, ...ends }: Edge): MerkleTail {
  for (const end of [ends.leavesEnd, ends.entriesEnd]) {
    if (end !== head.size) throw damaged(`the head counts ${head.size} entries, but ${end} are stored`)
  }
  const partial: PartialTile[] = []
  for (let [level, total] = [0, head.size]; total > 0; total = Math.floor(total / TILE_WIDTH)) {
    const hashes = Buffer.alloc(TILE_WIDTH * HASH_SIZE)
    const count = level === 0 ? hashLeaves(hashes, leaves) : hashTiles(hashes, tiles[level - 1] ?? [])
    if (count !== total % TILE_WIDTH) throw damaged(`the edge of level ${level} is not whole`)
    partial.push({ position: Math.floor(total / TILE_WIDTH), count, hashes })
    level++
  }
  const tail = MerkleTail.restore(head.size, partial)
  if (!equalBytes(tail.root(), head.root))
    throw damaged('the leaves do not give the root that was recorded for them')
  return tail
}

function hashLeaves(hashes: Buffer, leaves: Uint8Array): number {
  const count = leaves.length / LEAF_SIZE
  for (let index = 0; index < count; index++)
    hashLeafInto(hashes, index * HASH_SIZE, leaves, index * LEAF_SIZE)
  return count
}

function hashTiles(hashes: Buffer, tiles: readonly Uint8Array[]): number {
  for (const [index, tile] of tiles.entries()) hashes.set(rootOf(tile, 0, TILE_WIDTH), index * HASH_SIZE)
  return tiles.length
}

/** What was committed stays: a log that is behind one that was seen, or another one, was put in its place. */
export function demandAhead(head: Head, known: MerkleTail): void {
  if (head.size > known.size || (head.size === known.size && equalBytes(head.root, known.root()))) return
  const what = head.size < known.size ? `has ${head.size} entries` : 'has another root'
  throw damaged(`the log ${what}, and had ${known.size} entries while this process ran`)
}

/** The entries of the last, partial bundle must be those that its leaves commit to. @throws {LedgerError} ledger-damaged */
export async function verifyLastEntries(database: LedgerDatabase, { head, leaves }: Edge): Promise<void> {
  const first = head.size - (head.size % TILE_WIDTH)
  const entries = await database.entries(first, head.size)
  for (const [at, entry] of entries.entries()) {
    verifyEntry(entry, first + at, leaves.subarray(at * LEAF_SIZE, (at + 1) * LEAF_SIZE))
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
export function verifyEntry(entry: StoredEntry | null, index: number, leaf: Uint8Array): StoredEntry {
  if (entry === null) throw damaged(`entry ${index} is missing`)
  if (entry.content === null) return entry
  const commitment = Buffer.alloc(HASH_SIZE)
  commitInto(commitment, 0, entry.salt, entry.content)
  if (!commitment.equals(leaf.subarray(COMMITMENT_OFFSET))) {
    throw damaged(`the content of entry ${index} is not what was appended`)
  }
  return entry
}

/** A log that is about to be open. */
export interface Opening {
  readonly database: LedgerDatabase
  readonly tail: MerkleTail
  readonly signer: CheckpointSigner
}

/** Ed25519 is deterministic: a checkpoint that was shown must be, to the byte, what would be signed for its size now. */
export async function verifyShown(
  shown: StoredCheckpoint,
  { database, tail, signer }: Opening,
): Promise<void> {
  if (shown.size > tail.size) {
    throw damaged(`a checkpoint of ${shown.size} entries was shown, but ${tail.size} are stored`)
  }
  const root = await new TreeReader(database, tail).rootAt(shown.size)
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
