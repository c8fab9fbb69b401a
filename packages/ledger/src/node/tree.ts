// Reads hashes of any subtree out of tiles, and from them makes the proofs of RFC 9162 sections 2.1.3.1 and 2.1.4.1
// for any size the log ever had. A hash inside a tile is recomputed from the tile's 256, never stored twice.
import { isCount } from '../bytes.ts'
import { LedgerError } from '../errors.ts'
import { HASH_SIZE } from '../leaf.ts'
import { consistencyRanges, inclusionRanges, partsOf, type Range } from '../ranges.ts'
import { TILE_WIDTH } from '../tile.ts'
import { emptyRoot, nodeOf, rootOf } from './hasher.ts'
import type { LedgerDatabase } from './ledger-database.ts'
import type { MerkleTail } from './tail.ts'

export class TreeReader {
  readonly #database: LedgerDatabase
  readonly #tail: MerkleTail

  constructor(database: LedgerDatabase, tail: MerkleTail) {
    this.#database = database
    this.#tail = tail
  }

  /** The first `width` hashes of a tile. @throws {LedgerError} out-of-range */
  async tile(level: number, position: number, width: number): Promise<Uint8Array> {
    if (![level, position, width].every(isCount) || width === 0 || width > TILE_WIDTH) {
      throw outOfRange(`there is no tile ${position} of level ${level} with ${width} hashes`)
    }
    const partial = this.#tail.partialTile(level)
    if (partial === undefined || position > partial.position) {
      throw outOfRange(`tile ${position} of level ${level} is not in a log of ${this.#tail.size} entries`)
    }
    if (position < partial.position) {
      return (await this.#database.tile(level, position)).subarray(0, width * HASH_SIZE)
    }
    if (width > partial.count) {
      throw outOfRange(`tile ${position} of level ${level} has ${partial.count} hashes so far`)
    }
    return new Uint8Array(partial.hashes.subarray(0, width * HASH_SIZE))
  }

  /** @throws {LedgerError} out-of-range */
  async rootAt(size: number): Promise<Uint8Array> {
    this.#demandSize(size)
    return size === 0 ? emptyRoot() : this.#hash({ start: 0, end: size })
  }

  /** @throws {LedgerError} out-of-range */
  async inclusion(index: number, size: number): Promise<Uint8Array[]> {
    this.#demandSize(size)
    if (!isCount(index) || index >= size) throw outOfRange(`entry ${index} is not in a tree of ${size}`)
    return Promise.all(inclusionRanges(index, size).map(range => this.#hash(range)))
  }

  /** @throws {LedgerError} out-of-range */
  async consistency(from: number, to: number): Promise<Uint8Array[]> {
    this.#demandSize(to)
    if (!isCount(from) || from > to) throw outOfRange(`a tree of ${from} does not come before one of ${to}`)
    return Promise.all(consistencyRanges(from, to).map(range => this.#hash(range)))
  }

  /** MTH(D[start:end]). */
  async #hash(range: Range): Promise<Uint8Array> {
    const parts = partsOf(range)
    if (!('level' in parts)) return nodeOf(await this.#hash(parts[0]), await this.#hash(parts[1]))
    const { level, position, offset, count } = parts
    return rootOf(await this.tile(level, position, offset + count), offset, count)
  }

  #demandSize(size: number): void {
    if (!isCount(size) || size > this.#tail.size) {
      throw outOfRange(`the log has ${this.#tail.size} entries, not ${size}`)
    }
  }
}

export function outOfRange(message: string): LedgerError {
  return new LedgerError('out-of-range', message)
}
