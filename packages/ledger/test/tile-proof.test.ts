// Consistency proofs made from public tiles, against the RFC's own recursion and the log's own proofs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  consistencyFromTiles,
  formatTilePath,
  parseTilePath,
  type ReadTile,
  verifyConsistency,
} from '../src/index.ts'
import { rejectsCode } from './expect-code.ts'
import { fill, open } from './node/fixture.ts'
import { leafHash, proof, treeHash } from './reference-tree.ts'

/** The tiles of a tree of leaf hashes, cut as C2SP tlog-tiles says, of this size and no other. */
function tilesOf(leaves: readonly Uint8Array[], seen: string[] = []): ReadTile {
  return async path => {
    seen.push(path)
    const id = parseTilePath(path)
    assert.ok(id.kind === 'tile')
    const span = 256 ** id.level
    const inLevel = Math.floor(leaves.length / span)
    assert.equal(id.width, Math.min(256, inLevel - id.index * 256), path)
    const hashes = Array.from({ length: id.width }, (_, at) => {
      const start = (id.index * 256 + at) * span
      return treeHash(leaves.slice(start, start + span))
    })
    return new Uint8Array(Buffer.concat(hashes))
  }
}

const leaves = Array.from({ length: 1030 }, (_, index) => leafHash(Uint8Array.of(index, index >> 8)))

test('a proof from tiles is the RFC’s, for every pair of small sizes', async () => {
  for (let to = 1; to <= 20; to++) {
    const tree = leaves.slice(0, to)
    for (let from = 1; from <= to; from++) {
      assert.deepEqual(await consistencyFromTiles({ from, to }, tilesOf(tree)), proof(from, tree))
    }
  }
})

test('a proof from tiles is the RFC’s around the edges of tiles', async () => {
  for (const to of [255, 256, 257, 512, 513, 1023, 1030]) {
    const tree = leaves.slice(0, to)
    for (const from of [1, 2, 3, 128, 255, 256, 257, 511, 512, 600, 1024].filter(size => size <= to)) {
      const seen: string[] = []
      assert.deepEqual(await consistencyFromTiles({ from, to }, tilesOf(tree, seen)), proof(from, tree))
      assert.equal(new Set(seen).size, seen.length, 'no tile is read twice')
    }
  }
})

test('a proof from the empty tree and between equal sizes reads nothing', async () => {
  const none: ReadTile = async path => assert.fail(path)
  assert.deepEqual(await consistencyFromTiles({ from: 0, to: 5 }, none), [])
  assert.deepEqual(await consistencyFromTiles({ from: 5, to: 5 }, none), [])
})

test('few tiles are read of however large a log', async () => {
  const largest = Number.MAX_SAFE_INTEGER
  for (const from of [1, 2 ** 40 + 12_345, 2 ** 52, largest - 1]) {
    let count = 0
    await consistencyFromTiles({ from, to: largest }, async path => {
      count++
      return new Uint8Array(parseTilePath(path).width * 32)
    })
    assert.ok(count <= 14, `${count} for ${from}`)
  }
})

test('a log’s own tiles prove its growth, also while it grows on', async t => {
  const { ledger } = await open(t)
  const heads = []
  for (const count of [1, 255, 44, 300, 7]) {
    await fill(ledger, count)
    heads.push(await ledger.checkpoint())
  }
  const readTile: ReadTile = async path => {
    const id = parseTilePath(path)
    assert.ok(id.kind === 'tile')
    return ledger.tile(id.level, id.index, id.width)
  }
  for (const to of heads) {
    for (const from of heads.filter(head => head.size <= to.size)) {
      const made = await consistencyFromTiles({ from: from.size, to: to.size }, readTile)
      assert.deepEqual(made, await ledger.consistency(from.size, to.size))
      await verifyConsistency({ from, to, proof: made })
    }
  }
})

test('a changed tile does not prove anything', async () => {
  const [from, to] = [100, 300].map(size => ({ size, root: treeHash(leaves.slice(0, size)) })) as [
    { size: number; root: Uint8Array },
    { size: number; root: Uint8Array },
  ]
  const good = tilesOf(leaves.slice(0, to.size))
  const changed: ReadTile = async path => {
    const tile = await good(path)
    if (path === formatTilePath({ kind: 'tile', level: 0, index: 0, width: 256 }))
      tile.fill(0, 99 * 32, 100 * 32)
    return tile
  }
  const proven = await consistencyFromTiles({ from: from.size, to: to.size }, good)
  await verifyConsistency({ from, to, proof: proven })
  const forged = await consistencyFromTiles({ from: from.size, to: to.size }, changed)
  await rejectsCode('checkpoint-inconsistent', verifyConsistency({ from, to, proof: forged }))
})

test('a tile of another length than its path says is malformed', async () => {
  for (const length of [0, 31, 9 * 32, 11 * 32]) {
    const readTile: ReadTile = async () => new Uint8Array(length)
    await rejectsCode('tile-malformed', consistencyFromTiles({ from: 3, to: 10 }, readTile))
  }
})

test('sizes that are no sizes, or the wrong way round, are out of range', async () => {
  const none: ReadTile = async path => assert.fail(path)
  for (const [from, to] of [
    [2, 1],
    [-1, 1],
    [0.5, 1],
    [1, Number.NaN],
    [1, 2 ** 53],
  ] as const) {
    await rejectsCode('out-of-range', consistencyFromTiles({ from, to }, none))
  }
})
