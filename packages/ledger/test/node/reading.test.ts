// What a log shows: checkpoints, proofs and tiles of every size, against the RFC's recursion.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeBundle,
  encodeLeaf,
  openCheckpoint,
  parseVerifierKey,
  verifyConsistency,
  verifyInclusion,
} from '../../src/index.ts'
import { type Ledger, MAX_PAGE } from '../../src/node/index.ts'
import { rejectsCode } from '../expect-code.ts'
import { leafHash, path, proof, treeHash } from '../reference-tree.ts'
import { entryOf, fill, ORIGIN, open } from './fixture.ts'

/** Leaf hashes, from the bundles that the log serves. */
async function leafHashes(ledger: Ledger): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = []
  for (let bundle = 0; bundle * 256 < ledger.size; bundle++) {
    const bytes = await ledger.entryBundle(bundle, Math.min(256, ledger.size - bundle * 256))
    hashes.push(...decodeBundle(bytes).map(leaf => leafHash(encodeLeaf(leaf))))
  }
  return hashes
}

test('every proof of every size up to 300 is the one that the RFC defines', async t => {
  const { ledger } = await open(t)
  await fill(ledger, 300)
  const leaves = await leafHashes(ledger)
  for (let size = 1; size <= 300; size++) {
    const tree = leaves.slice(0, size)
    // All positions of small trees; of larger ones those along the edges and across the tile.
    const positions = size <= 40 ? tree.keys() : [0, 1, 127, 128, 255, 256, size - 2, size - 1]
    for (const at of positions) {
      if (at >= size) continue
      assert.deepEqual(
        await ledger.inclusion(at, size),
        path(at, tree).map(hash => new Uint8Array(hash)),
      )
      assert.deepEqual(await ledger.consistency(at + 1, size), proof(at + 1, tree))
    }
  }
})

test('proofs across several levels of tiles verify', async t => {
  const { ledger } = await open(t)
  await fill(ledger, 65_536 + 700)
  const leaves = await leafHashes(ledger)
  const roots = new Map<number, Uint8Array>()
  const rootAt = (size: number): Uint8Array => {
    const root = roots.get(size) ?? treeHash(leaves.slice(0, size))
    roots.set(size, root)
    return root
  }
  const head = { size: leaves.length, root: rootAt(leaves.length) }
  assert.deepEqual((await ledger.checkpoint()).root, head.root)
  for (const index of [0, 255, 256, 65_279, 65_535, 65_536, 66_000, 66_235]) {
    await verifyInclusion(
      { index, leafHash: leaves[index]!, proof: await ledger.inclusion(index, head.size) },
      head,
    )
  }
  for (const size of [1, 256, 257, 65_535, 65_536, 65_537, 66_000]) {
    const from = { size, root: rootAt(size) }
    await verifyConsistency({ from, to: head, proof: await ledger.consistency(size, head.size) })
  }
})

test('tiles hold the hashes of their level, full and partial', async t => {
  const { ledger } = await open(t)
  await fill(ledger, 600)
  const leaves = await leafHashes(ledger)
  const joined = (hashes: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(hashes))
  assert.deepEqual(await ledger.tile(0, 0, 256), joined(leaves.slice(0, 256)))
  assert.deepEqual(await ledger.tile(0, 1, 10), joined(leaves.slice(256, 266)))
  assert.deepEqual(await ledger.tile(0, 2, 88), joined(leaves.slice(512)))
  const roots = [treeHash(leaves.slice(0, 256)), treeHash(leaves.slice(256, 512))]
  assert.deepEqual(await ledger.tile(1, 0, 2), joined(roots))
})

test('nothing is shown that is beyond the log', async t => {
  const { ledger } = await open(t)
  await fill(ledger, 600)
  const beyond: (() => Promise<unknown>)[] = [
    () => ledger.tile(0, 2, 89),
    () => ledger.tile(0, 2, 256),
    () => ledger.tile(0, 3, 1),
    () => ledger.tile(1, 0, 3),
    () => ledger.tile(2, 0, 1),
    () => ledger.tile(0, 0, 0),
    () => ledger.tile(0, 0, 257),
    () => ledger.tile(-1, 0, 1),
    () => ledger.tile(0, 0.5, 1),
    () => ledger.entryBundle(2, 89),
    () => ledger.entryBundle(0, 0),
    () => ledger.entryBundle(0, 257),
    () => ledger.entryBundle(-1, 256),
    () => ledger.inclusion(600, 600),
    () => ledger.inclusion(0, 601),
    () => ledger.inclusion(-1, 600),
    () => ledger.consistency(0, 601),
    () => ledger.consistency(2, 1),
    () => ledger.entries({ from: -1, limit: 1 }),
    () => ledger.entries({ from: 0, limit: Number.NaN }),
  ]
  for (const read of beyond) await rejectsCode('out-of-range', read())
  for (const index of [600, -1, 0.5]) {
    await rejectsCode('entry-not-found', ledger.entry(index))
    await rejectsCode('entry-not-found', ledger.receipt(index))
  }
})

test('a checkpoint is signed by the log under its origin, and is stored before it is shown', async t => {
  const { ledger, db } = await open(t)
  const key = await parseVerifierKey(ledger.verifierKey)
  for (const count of [0, 1, 4]) {
    await fill(ledger, count)
    const shown = await ledger.checkpoint()
    assert.deepEqual(await openCheckpoint(shown.note, { key, origin: ORIGIN }), shown)
    const stored = db.prepare('SELECT note FROM ledger_checkpoint WHERE size = ?').get(shown.size)
    assert.equal(stored?.['note'], shown.note)
  }
})

test('a checkpoint is not shown where it cannot be stored', async t => {
  const { ledger, db } = await open(t)
  db.exec('BEGIN')
  await rejectsCode('ledger-unavailable', ledger.checkpoint())
  db.exec('ROLLBACK')
  db.exec('PRAGMA query_only = ON')
  await rejectsCode('ledger-unavailable', ledger.checkpoint())
  db.exec('PRAGMA query_only = OFF')
  assert.equal((await ledger.checkpoint()).size, 0)
})

test('a page of entries is as long as was asked, within bounds', async t => {
  const { ledger } = await open(t)
  await fill(ledger, MAX_PAGE + 10)
  const indexes = async (from: number, limit: number) =>
    (await ledger.entries({ from, limit })).map(({ index, entry }) => {
      assert.deepEqual(entry, entryOf(index))
      return index
    })
  assert.deepEqual(await indexes(2, 3), [2, 3, 4])
  assert.deepEqual(await indexes(MAX_PAGE + 8, 5), [MAX_PAGE + 8, MAX_PAGE + 9])
  assert.deepEqual(await indexes(MAX_PAGE + 10, 5), [])
  assert.equal((await indexes(0, MAX_PAGE + 5)).length, MAX_PAGE)
})

test('the public tables hold nothing of an entry', async t => {
  const { ledger, db } = await open(t)
  await ledger.append({ type: 'release.granted', secret: 'default/key/alpha' })
  await ledger.checkpoint()
  for (const table of ['ledger_segment', 'ledger_tile', 'ledger_checkpoint', 'ledger_head']) {
    const rows = db
      .prepare(`SELECT * FROM ${table}`)
      .all()
      .flatMap(row => Object.values(row))
    for (const value of rows)
      assert.doesNotMatch(Buffer.from(String(value)).toString('latin1'), /alpha|release/)
  }
  const [leaf] = decodeBundle(await ledger.entryBundle(0, 1))
  assert.equal(leaf?.commitment.length, 32)
})
