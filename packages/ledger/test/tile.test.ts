// Tile paths and bundles as C2SP tlog-tiles writes them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeBundle, encodeBundle, encodeLeaf, formatTilePath, parseTilePath } from '../src/index.ts'
import { throwsCode } from './expect-code.ts'

const PATHS = {
  'tile/0/000': { kind: 'tile', level: 0, index: 0, width: 256 },
  'tile/0/x001/x234/067': { kind: 'tile', level: 0, index: 1234067, width: 256 },
  'tile/0/x273/112.p/8': { kind: 'tile', level: 0, index: 273112, width: 8 },
  'tile/1/x001/066.p/216': { kind: 'tile', level: 1, index: 1066, width: 216 },
  'tile/63/999': { kind: 'tile', level: 63, index: 999, width: 256 },
  'tile/entries/x001/000': { kind: 'entries', index: 1000, width: 256 },
  'tile/entries/042.p/1': { kind: 'entries', index: 42, width: 1 },
} as const

for (const [path, id] of Object.entries(PATHS)) {
  test(`${path} is read and written alike`, () => {
    assert.deepEqual(parseTilePath(path), id)
    assert.equal(formatTilePath(id), path)
  })
}

test('every tile has a path that leads back to it', () => {
  const ids = fc.record({
    kind: fc.constant('tile' as const),
    level: fc.nat(63),
    index: fc.maxSafeNat(),
    width: fc.integer({ min: 1, max: 256 }),
  })
  fc.assert(fc.property(ids, id => assert.deepEqual(parseTilePath(formatTilePath(id)), { ...id })))
})

const MALFORMED_PATHS = [
  '',
  'tile',
  'tile/0',
  'tile/0/',
  'tile/0/0',
  'tile/0/00',
  'tile/0/0000',
  'tile/00/000',
  'tile/01/000',
  'tile/64/000',
  'tile/-1/000',
  'tile/data/000',
  'tile/0/x000/000',
  'tile/0/001/234',
  'tile/0/x001',
  'tile/0/x001/x234/067/',
  '/tile/0/000',
  'tile/0/000.p/0',
  'tile/0/000.p/256',
  'tile/0/000.p/257',
  'tile/0/000.p/08',
  'tile/0/000.p/',
  'tile/0/000.p',
  'tile/0/../000',
  'tile/0/000\n',
  'tile/0/x999/x999/x999/x999/x999/999',
]
for (const path of MALFORMED_PATHS) {
  test(`${JSON.stringify(path)} is no path of a tile`, () =>
    throwsCode('path-malformed', () => parseTilePath(path)))
}

const leaf = (timestamp: number) => ({
  timestamp: new Date(timestamp),
  commitment: new Uint8Array(32).fill(timestamp),
})

test('a bundle is its leaves, each behind two bytes of length', () => {
  const leaves = [leaf(1), leaf(2), leaf(255)]
  const bundle = encodeBundle(Uint8Array.from(leaves.flatMap(each => [...encodeLeaf(each)])))
  assert.equal(bundle.length, 3 * 43)
  assert.deepEqual([...bundle.subarray(43, 54)], [0, 41, 1, 0, 0, 0, 0, 0, 0, 0, 2])
  assert.deepEqual(decodeBundle(bundle), leaves)
})

const BUNDLE = encodeBundle(encodeLeaf(leaf(1)))
const MALFORMED_BUNDLES = {
  'that ends within a leaf': BUNDLE.subarray(0, 42),
  'that ends within a length': BUNDLE.subarray(0, 1),
  'with a leaf of another version': BUNDLE.with(2, 2),
  'with a leaf of another length': Uint8Array.of(0, 1, 1),
  'with a time that no Date can say': BUNDLE.with(3, 0xff),
}
for (const [what, bundle] of Object.entries(MALFORMED_BUNDLES)) {
  test(`a bundle ${what} is malformed`, () => throwsCode('bundle-malformed', () => decodeBundle(bundle)))
}
