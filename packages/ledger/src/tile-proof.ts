// Consistency proofs from the public tiles of a log (C2SP tlog-tiles), so that nobody has to ask the log for one.
// Tiles are not believed: a proof made of wrong ones does not lead to the signed roots that it is checked against.
import { isCount } from './bytes.ts'
import { LedgerError } from './errors.ts'
import { hashNode } from './hashing.ts'
import { HASH_SIZE } from './leaf.ts'
import { consistencyRanges, partsOf, type Range, type TilePart } from './ranges.ts'
import { formatTilePath, TILE_WIDTH } from './tile.ts'

/** Fetches a tile by its path, such as `tile/0/x001/x234/067` or `tile/1/000.p/7`, below the log's prefix. */
export type ReadTile = (path: string) => Promise<Uint8Array>

/**
 * The proof that the first `to` leaves begin with the first `from`, for {@link verifyConsistency}. Reads no tile
 * twice, and two of a level at most: fourteen for the largest log that a double can count.
 * @throws {LedgerError} out-of-range, tile-malformed, and what `readTile` throws
 */
export async function consistencyFromTiles(
  { from, to }: { readonly from: number; readonly to: number },
  readTile: ReadTile,
): Promise<Uint8Array[]> {
  if (!isCount(from) || !isCount(to) || from > to) {
    throw new LedgerError('out-of-range', `a tree of ${from} does not come before one of ${to}`)
  }
  const tiles = new TileCache(to, readTile)
  const proof: Uint8Array[] = []
  for (const range of consistencyRanges(from, to)) proof.push(await rangeHash(range, tiles))
  return proof
}

async function rangeHash(range: Range, tiles: TileCache): Promise<Uint8Array> {
  const parts = partsOf(range)
  if (!('level' in parts)) {
    return hashNode(await rangeHash(parts[0], tiles), await rangeHash(parts[1], tiles))
  }
  return rootOf(await tiles.hashes(parts))
}

/** The root over hashes, one after the other, a power of two of them. */
async function rootOf(hashes: Uint8Array): Promise<Uint8Array> {
  if (hashes.length === HASH_SIZE) return hashes
  const middle = hashes.length / 2
  return hashNode(await rootOf(hashes.subarray(0, middle)), await rootOf(hashes.subarray(middle)))
}

/** The tiles of a tree of one size, each read once. */
class TileCache {
  readonly #size: number
  readonly #read: ReadTile
  readonly #tiles = new Map<string, Uint8Array>()

  constructor(size: number, read: ReadTile) {
    this.#size = size
    this.#read = read
  }

  async hashes({ level, position, offset, count }: TilePart): Promise<Uint8Array> {
    const tile = await this.#tile(level, position)
    return tile.subarray(offset * HASH_SIZE, (offset + count) * HASH_SIZE)
  }

  async #tile(level: number, position: number): Promise<Uint8Array> {
    const inLevel = Math.floor(this.#size / TILE_WIDTH ** level)
    const width = Math.min(TILE_WIDTH, inLevel - position * TILE_WIDTH)
    const path = formatTilePath({ kind: 'tile', level, index: position, width })
    const known = this.#tiles.get(path)
    if (known !== undefined) return known
    const tile = await this.#read(path)
    const expected = width * HASH_SIZE
    if (tile.length !== expected) {
      throw new LedgerError('tile-malformed', `${path} is ${tile.length} bytes, want ${expected}`)
    }
    this.#tiles.set(path, tile)
    return tile
  }
}
