// C2SP tlog-tiles: how the tree is cut into files of 256 hashes or leaves, and what these are called.
// A tile once full never changes; a partial one is a prefix of the full one and names its width.
import { concatBytes } from './bytes.ts'
import { LedgerError } from './errors.ts'
import { decodeLeaf, LEAF_SIZE, type Leaf } from './leaf.ts'

/** Levels of the tree in one tile. */
export const TILE_HEIGHT = 8
/** Hashes in a full tile, leaves in a full bundle. */
export const TILE_WIDTH = 256
const MAX_LEVEL = 63
const LENGTH_SIZE = 2

/** A tile of hashes; `width` is 256 where it is full. */
export interface TileId {
  readonly kind: 'tile'
  readonly level: number
  readonly index: number
  readonly width: number
}

/** A bundle of leaves; `width` is 256 where it is full. */
export interface BundleId {
  readonly kind: 'entries'
  readonly index: number
  readonly width: number
}

/** `tile/0/x001/x234/067` or `tile/entries/000.p/7`. */
export function formatTilePath(id: TileId | BundleId): string {
  const level = id.kind === 'tile' ? String(id.level) : 'entries'
  return `tile/${level}/${formatIndex(id.index)}${id.width === TILE_WIDTH ? '' : `.p/${id.width}`}`
}

function formatIndex(index: number): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? []
  return groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
}

const PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** Every tile has one path; any other spelling of it is refused. @throws {LedgerError} path-malformed */
export function parseTilePath(path: string): TileId | BundleId {
  const [, level, groups, partial] = PATH.exec(path) ?? []
  if (level === undefined || groups === undefined) throw malformed(path)
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  const width = partial === undefined ? TILE_WIDTH : Number(partial)
  const id: TileId | BundleId =
    level === 'entries'
      ? { kind: 'entries', index, width }
      : { kind: 'tile', level: Number(level), index, width }
  if (!Number.isSafeInteger(index) || formatTilePath(id) !== path) throw malformed(path)
  if (width > TILE_WIDTH || (id.kind === 'tile' && id.level > MAX_LEVEL)) throw malformed(path)
  return id
}

/** Each leaf behind its length, u16 big-endian. `leaves` are concatenated leaves of {@link LEAF_SIZE}. */
export function encodeBundle(leaves: Uint8Array): Uint8Array {
  const count = leaves.length / LEAF_SIZE
  const bundle = new Uint8Array(count * (LENGTH_SIZE + LEAF_SIZE))
  for (let index = 0; index < count; index++) {
    const offset = index * (LENGTH_SIZE + LEAF_SIZE)
    bundle[offset + 1] = LEAF_SIZE
    bundle.set(leaves.subarray(index * LEAF_SIZE, (index + 1) * LEAF_SIZE), offset + LENGTH_SIZE)
  }
  return bundle
}

/** @throws {LedgerError} bundle-malformed */
export function decodeBundle(bundle: Uint8Array): Leaf[] {
  const leaves: Leaf[] = []
  for (let offset = 0; offset < bundle.length; ) {
    const length = concatBytes(bundle.subarray(offset, offset + LENGTH_SIZE), Uint8Array.of(0, 0))
    const end = offset + LENGTH_SIZE + new DataView(length.buffer).getUint16(0)
    if (end > bundle.length)
      throw new LedgerError('bundle-malformed', `the bundle ends within leaf ${leaves.length}`)
    leaves.push(decodeLeaf(bundle.subarray(offset + LENGTH_SIZE, end)))
    offset = end
  }
  return leaves
}

function malformed(path: string): LedgerError {
  return new LedgerError('path-malformed', 'not the path of a tile', {
    expected: 'tile/LEVEL/NNN or tile/entries/NNN, with .p/WIDTH where partial',
    got: path.slice(0, 100),
  })
}
