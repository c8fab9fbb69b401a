// Reads hashes of any subtree out of tiles, and from them makes the proofs of RFC 9162 sections 2.1.3.1 and 2.1.4.1
// for any size the log ever had. A hash inside a tile is recomputed from the tile's 256, never stored twice.
import { isCount } from '../bytes.ts'
import { LedgerError } from '../errors.ts'
import { HASH_SIZE } from '../leaf.ts'
import { TILE_HEIGHT, TILE_WIDTH } from '../tile.ts'
import { emptyRoot, nodeOf, rootOf } from './hasher.ts'
import type { LedgerStore } from './store.ts'
import type { MerkleTail } from './tail.ts'

/** Half-open range of leaves. */
interface Range {
  readonly start: number
  readonly end: number
}

export class TreeReader {
  readonly #store: LedgerStore
  readonly #tail: MerkleTail

  constructor(store: LedgerStore, tail: MerkleTail) {
    this.#store = store
    this.#tail = tail
  }

  /** The first `width` hashes of a tile. @throws {LedgerError} out-of-range */
  tile(level: number, position: number, width: number): Uint8Array {
    if (![level, position, width].every(isCount) || width === 0 || width > TILE_WIDTH) {
      throw outOfRange(`there is no tile ${position} of level ${level} with ${width} hashes`)
    }
    const partial = this.#tail.partialTile(level)
    if (partial === undefined || position > partial.position) {
      throw outOfRange(`tile ${position} of level ${level} is not in a log of ${this.#tail.size} entries`)
    }
    if (position < partial.position) return this.#store.tile(level, position).subarray(0, width * HASH_SIZE)
    if (width > partial.count) {
      throw outOfRange(`tile ${position} of level ${level} has ${partial.count} hashes so far`)
    }
    return new Uint8Array(partial.hashes.subarray(0, width * HASH_SIZE))
  }

  /** @throws {LedgerError} out-of-range */
  rootAt(size: number): Uint8Array {
    this.#demandSize(size)
    return size === 0 ? emptyRoot() : this.#hash({ start: 0, end: size })
  }

  /** @throws {LedgerError} out-of-range */
  inclusion(index: number, size: number): Uint8Array[] {
    this.#demandSize(size)
    if (!isCount(index) || index >= size) throw outOfRange(`entry ${index} is not in a tree of ${size}`)
    const proof: Uint8Array[] = []
    let [start, end] = [0, size]
    while (end - start > 1) {
      const middle = start + splitOf(end - start)
      if (index < middle) {
        proof.unshift(this.#hash({ start: middle, end }))
        end = middle
      } else {
        proof.unshift(this.#hash({ start, end: middle }))
        start = middle
      }
    }
    return proof
  }

  /** @throws {LedgerError} out-of-range */
  consistency(from: number, to: number): Uint8Array[] {
    this.#demandSize(to)
    if (!isCount(from) || from > to) throw outOfRange(`a tree of ${from} does not come before one of ${to}`)
    if (from === 0 || from === to) return []
    const proof: Uint8Array[] = []
    let [start, end] = [0, to]
    while (from !== end) {
      const middle = start + splitOf(end - start)
      if (from <= middle) {
        proof.unshift(this.#hash({ start: middle, end }))
        end = middle
      } else {
        proof.unshift(this.#hash({ start, end: middle }))
        start = middle
      }
    }
    // Where the old tree is a complete subtree at the left edge, whoever checks has its root already.
    return start === 0 ? proof : [this.#hash({ start, end }), ...proof]
  }

  /** MTH(D[start:end]); `start` is a multiple of the power of two above the range's length. */
  #hash({ start, end }: Range): Uint8Array {
    const width = end - start
    const split = splitOf(width)
    if (width === 1 || split * 2 === width) return this.#subtree(Math.log2(width), start / width)
    const middle = start + split
    return nodeOf(this.#hash({ start, end: middle }), this.#hash({ start: middle, end }))
  }

  /** Root of the complete subtree of 2^level leaves. */
  #subtree(level: number, index: number): Uint8Array {
    const height = level % TILE_HEIGHT
    const count = 2 ** height
    const first = index * count
    const position = Math.floor(first / TILE_WIDTH)
    const offset = first % TILE_WIDTH
    return rootOf(this.tile((level - height) / TILE_HEIGHT, position, offset + count), offset, count)
  }

  #demandSize(size: number): void {
    if (!isCount(size) || size > this.#tail.size) {
      throw outOfRange(`the log has ${this.#tail.size} entries, not ${size}`)
    }
  }
}

/** The largest power of two below `width`, RFC 9162's k; 1 for 1. */
function splitOf(width: number): number {
  let split = 1
  while (split * 2 < width) split *= 2
  return split
}

export function outOfRange(message: string): LedgerError {
  return new LedgerError('out-of-range', message)
}
