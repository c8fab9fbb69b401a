// The growing edge of the tree, in memory: the partial tile of every level, and the roots of the complete subtrees
// ("peaks", one for each bit of the size) from which the root follows in a few hashes.
// A batch works on a copy, which takes the place of the original only once the batch is on disk.
import { HASH_SIZE } from '../leaf.ts'
import { TILE_HEIGHT, TILE_WIDTH } from '../tile.ts'
import { emptyRoot, hashLeafInto, hashNodeInto, rootOf } from './hasher.ts'

/** Sizes are safe integers: 53 levels. */
const MAX_PEAKS = 54
const TILE_BYTES = TILE_WIDTH * HASH_SIZE

/** A tile that is not full yet. */
export interface PartialTile {
  /** Index of the tile in its level. */
  position: number
  /** Hashes that it has so far. */
  count: number
  readonly hashes: Buffer
}

/** Takes a tile that has just become full; `hashes` is not written to afterwards. */
export type OnFullTile = (level: number, position: number, hashes: Buffer) => void

export class MerkleTail {
  #size: number
  readonly #peaks: Buffer
  readonly #tiles: PartialTile[]
  /** Of the present size, once it was asked for: the head, the mark and the checkpoint all have it. */
  #root: Uint8Array | undefined

  private constructor(size: number, peaks: Buffer, tiles: PartialTile[]) {
    this.#size = size
    this.#peaks = peaks
    this.#tiles = tiles
  }

  /** From the partial tiles of each level, lowest first. */
  static restore(size: number, tiles: readonly PartialTile[]): MerkleTail {
    const peaks = Buffer.alloc(MAX_PEAKS * HASH_SIZE)
    for (const [level, { count, hashes }] of tiles.entries()) {
      for (let bit = 0; bit < TILE_HEIGHT; bit++) {
        const width = 1 << bit
        if ((count & width) === 0) continue
        const first = count & ~(2 * width - 1)
        peaks.set(rootOf(hashes, first, width), (level * TILE_HEIGHT + bit) * HASH_SIZE)
      }
    }
    return new MerkleTail(size, peaks, [...tiles])
  }

  clone(): MerkleTail {
    const tiles = this.#tiles.map(tile => ({ ...tile, hashes: Buffer.from(tile.hashes) }))
    return new MerkleTail(this.#size, Buffer.from(this.#peaks), tiles)
  }

  get size(): number {
    return this.#size
  }

  /** Adds the leaf at `leaves[at]`. */
  append(leaves: Uint8Array, at: number, onFullTile: OnFullTile): void {
    const hash = Buffer.allocUnsafe(HASH_SIZE)
    hashLeafInto(hash, 0, leaves, at)
    this.#push(0, hash, onFullTile)
    let level = 0
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      hashNodeInto(hash, 0, this.#peak(level), hash)
      level++
      if (level % TILE_HEIGHT === 0) this.#push(level / TILE_HEIGHT, hash, onFullTile)
    }
    hash.copy(this.#peaks, level * HASH_SIZE)
    this.#size++
    this.#root = undefined
  }

  /** Not to be written to. */
  root(): Uint8Array {
    return (this.#root ??= this.#foldPeaks())
  }

  #foldPeaks(): Uint8Array {
    if (this.#size === 0) return emptyRoot()
    const root = Buffer.alloc(HASH_SIZE)
    let isBegun = false
    let level = 0
    for (let rest = this.#size; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) {
        if (isBegun) hashNodeInto(root, 0, this.#peak(level), root)
        else this.#peak(level).copy(root)
        isBegun = true
      }
      level++
    }
    return new Uint8Array(root)
  }

  /** Undefined where the tree has no hash at that level yet. */
  partialTile(level: number): Readonly<PartialTile> | undefined {
    return this.#tiles[level]
  }

  #peak(level: number): Buffer {
    return this.#peaks.subarray(level * HASH_SIZE, (level + 1) * HASH_SIZE)
  }

  #push(level: number, hash: Buffer, onFullTile: OnFullTile): void {
    const tile = (this.#tiles[level] ??= { position: 0, count: 0, hashes: Buffer.alloc(TILE_BYTES) })
    hash.copy(tile.hashes, tile.count * HASH_SIZE)
    tile.count++
    if (tile.count < TILE_WIDTH) return
    onFullTile(level, tile.position, tile.hashes)
    this.#tiles[level] = { position: tile.position + 1, count: 0, hashes: Buffer.alloc(TILE_BYTES) }
  }
}
