// Hashes and proofs against the constants of the Certificate Transparency tests, and against the RFC's own recursion.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { hashEmpty, hashLeaf, hashNode, verifyConsistency, verifyInclusion } from '../src/index.ts'
import { rejectsCode } from './expect-code.ts'
import { leafHash, path, proof, treeHash } from './reference-tree.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

/** Inputs and roots of every size, from certificate-transparency's merkle_tree_test and transparency-dev/merkle. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
].map(hex)

const H = {
  leaf0: '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  leaf1: '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  leaf4: 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  leaf6: 'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
  node01: 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  node23: '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  node45: '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
  node67: 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
  node03: 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  node47: '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
} as const

const INCLUSIONS: readonly { index: number; size: number; proof: (keyof typeof H)[] }[] = [
  { index: 0, size: 1, proof: [] },
  { index: 0, size: 8, proof: ['leaf1', 'node23', 'node47'] },
  { index: 5, size: 8, proof: ['leaf4', 'node67', 'node03'] },
  { index: 2, size: 3, proof: ['node01'] },
  { index: 1, size: 5, proof: ['leaf0', 'node23', 'leaf4'] },
]

const CONSISTENCIES: readonly { from: number; to: number; proof: (keyof typeof H)[] }[] = [
  { from: 1, to: 1, proof: [] },
  { from: 1, to: 8, proof: ['leaf1', 'node23', 'node47'] },
  { from: 6, to: 8, proof: ['node45', 'node67', 'node03'] },
  { from: 2, to: 5, proof: ['node23', 'leaf4'] },
  { from: 6, to: 7, proof: ['node45', 'leaf6', 'node03'] },
]

test('leaves and nodes hash as in the Certificate Transparency tests', async () => {
  assert.deepEqual(await hashEmpty(), ROOTS[0])
  const hashes = await Promise.all(LEAVES.map(leaf => hashLeaf(hex(leaf))))
  assert.deepEqual(hashes[1], hex(H.leaf1))
  assert.deepEqual(await hashNode(hex(H.leaf0), hex(H.leaf1)), ROOTS[2])
  assert.deepEqual(
    ROOTS.map((_, size) => treeHash(hashes.slice(0, size))),
    ROOTS,
  )
})

for (const { index, size, proof } of INCLUSIONS) {
  test(`the published inclusion proof of leaf ${index} in ${size} verifies`, async () => {
    const claim = {
      index,
      leafHash: await hashLeaf(hex(LEAVES[index]!)),
      proof: proof.map(name => hex(H[name])),
    }
    await verifyInclusion(claim, { size, root: ROOTS[size]! })
  })
}

for (const { from, to, proof } of CONSISTENCIES) {
  test(`the published consistency proof from ${from} to ${to} verifies`, async () => {
    await verifyConsistency({
      from: { size: from, root: ROOTS[from]! },
      to: { size: to, root: ROOTS[to]! },
      proof: proof.map(name => hex(H[name])),
    })
  })
}

const hashes = Array.from({ length: 300 }, (_, index) => leafHash(Uint8Array.of(index, index >> 8)))
const roots = Array.from({ length: 301 }, (_, size) => treeHash(hashes.slice(0, size)))

test('an inclusion proof of any leaf in any size up to 300 verifies', async () => {
  const positions = fc
    .integer({ min: 1, max: 300 })
    .chain(size => fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }))
  await fc.assert(
    fc.asyncProperty(positions, async ({ index, size }) => {
      const claim = { index, leafHash: hashes[index]!, proof: path(index, hashes.slice(0, size)) }
      await verifyInclusion(claim, { size, root: roots[size]! })
    }),
    { numRuns: 300 },
  )
})

test('a consistency proof between any two sizes up to 300 verifies', async () => {
  const ranges = fc
    .integer({ min: 1, max: 300 })
    .chain(to => fc.record({ to: fc.constant(to), from: fc.integer({ min: 1, max: to }) }))
  await fc.assert(
    fc.asyncProperty(ranges, async ({ from, to }) => {
      await verifyConsistency({
        from: { size: from, root: roots[from]! },
        to: { size: to, root: roots[to]! },
        proof: proof(from, hashes.slice(0, to)),
      })
    }),
    { numRuns: 300 },
  )
})

/** One change to a list of hashes that makes it another list. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(255) }),
  fc.record({ kind: fc.constant('drop' as const), at: fc.nat() }),
  fc.record({
    kind: fc.constant('add' as const),
    at: fc.nat(),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
)
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutate(list: readonly Uint8Array[], change: Mutation): Uint8Array[] | null {
  const copy = list.map(hash => hash.slice())
  if (change.kind === 'add') return copy.toSpliced(change.at % (copy.length + 1), 0, change.hash)
  if (copy.length === 0) return null
  const at = change.at % copy.length
  if (change.kind === 'drop') return copy.toSpliced(at, 1)
  if (change.kind === 'repeat') return copy.toSpliced(at, 0, copy[at]!)
  if (change.kind === 'cut') return copy.with(at, copy[at]!.slice(0, 31))
  copy[at]![change.bit >> 3]! ^= 1 << (change.bit & 7)
  return copy
}

test('a changed inclusion proof, leaf, index, size or root never verifies', async () => {
  const cases = fc.integer({ min: 1, max: 300 }).chain(size =>
    fc.record({
      size: fc.constant(size),
      index: fc.nat(size - 1),
      other: fc.nat(size - 1),
      change: mutation,
    }),
  )
  await fc.assert(
    fc.asyncProperty(cases, async ({ size, index, other, change }) => {
      const good = { index, leafHash: hashes[index]!, proof: path(index, hashes.slice(0, size)) }
      const head = { size, root: roots[size]! }
      const changed = mutate(good.proof, change)
      if (changed !== null)
        await rejectsCode('proof-invalid', verifyInclusion({ ...good, proof: changed }, head))
      await rejectsCode('proof-invalid', verifyInclusion(good, { size, root: roots[size - 1]! }))
      await rejectsCode('proof-invalid', verifyInclusion(good, { size: index, root: roots[size]! }))
      if (other === index) return
      await rejectsCode('proof-invalid', verifyInclusion({ ...good, index: other }, head))
      await rejectsCode('proof-invalid', verifyInclusion({ ...good, leafHash: hashes[other]! }, head))
    }),
    { numRuns: 300 },
  )
})

test('a changed consistency proof or root never verifies', async () => {
  const cases = fc
    .integer({ min: 2, max: 300 })
    .chain(to =>
      fc.record({ to: fc.constant(to), from: fc.integer({ min: 1, max: to - 1 }), change: mutation }),
    )
  await fc.assert(
    fc.asyncProperty(cases, async ({ from, to, change }) => {
      const older = { size: from, root: roots[from]! }
      const newer = { size: to, root: roots[to]! }
      const good = proof(from, hashes.slice(0, to))
      const changed = mutate(good, change)
      const code = 'checkpoint-inconsistent'
      if (changed !== null)
        await rejectsCode(code, verifyConsistency({ from: older, to: newer, proof: changed }))
      const forkedOld = { ...older, root: roots[from - 1]! }
      await rejectsCode(code, verifyConsistency({ from: forkedOld, to: newer, proof: good }))
      const forkedNew = { ...newer, root: roots[to - 1]! }
      await rejectsCode(code, verifyConsistency({ from: older, to: forkedNew, proof: good }))
      await rejectsCode(code, verifyConsistency({ from: newer, to: older, proof: good }))
    }),
    { numRuns: 300 },
  )
})

test('every log extends the empty one, whose root is the hash of nothing', async () => {
  const to = { size: 5, root: roots[5]! }
  await verifyConsistency({ from: { size: 0, root: roots[0]! }, to, proof: [] })
  const code = 'checkpoint-inconsistent'
  await rejectsCode(code, verifyConsistency({ from: { size: 0, root: roots[1]! }, to, proof: [] }))
  await rejectsCode(code, verifyConsistency({ from: { size: 0, root: roots[0]! }, to, proof: [roots[1]!] }))
})

test('two heads of one size must be equal and need no proof', async () => {
  const head = { size: 5, root: roots[5]! }
  await verifyConsistency({ from: head, to: head, proof: [] })
  const code = 'checkpoint-inconsistent'
  await rejectsCode(code, verifyConsistency({ from: head, to: { size: 5, root: roots[4]! }, proof: [] }))
  await rejectsCode(code, verifyConsistency({ from: head, to: head, proof: [roots[1]!] }))
})

test('sizes beyond 32 bits are handled as sizes', async () => {
  // The right edge of a tree of 2^40 + 1 leaves: the last leaf beside a complete subtree.
  const [left, right] = [roots[8]!, roots[1]!]
  const root = await hashNode(left, right)
  const size = 2 ** 40 + 1
  await verifyInclusion({ index: 2 ** 40, leafHash: right, proof: [left] }, { size, root })
  await verifyConsistency({ from: { size: 2 ** 40, root: left }, to: { size, root }, proof: [right] })
})

test('a proof that leads to the root of another shape of tree proves nothing', async () => {
  const [a, b, c, d] = [hashes[0]!, hashes[1]!, hashes[2]!, hashes[3]!]
  const pair = await hashNode(a, b)
  // One hash too many, although it leads to the root.
  const tooLong = verifyInclusion({ index: 0, leafHash: b, proof: [a] }, { size: 1, root: pair })
  await rejectsCode('proof-invalid', tooLong)
  // One too few, although nothing is wrong with the hash.
  const tooShort = verifyInclusion({ index: 0, leafHash: a, proof: [] }, { size: 2, root: a })
  await rejectsCode('proof-invalid', tooShort)

  const code = 'checkpoint-inconsistent'
  const nothing = verifyConsistency({ from: { size: 3, root: a }, to: { size: 4, root: a }, proof: [] })
  await rejectsCode(code, nothing)
  const same = verifyConsistency({ from: { size: 2, root: pair }, to: { size: 3, root: pair }, proof: [] })
  await rejectsCode(code, same)
  const overlong = {
    from: { size: 3, root: await hashNode(d, await hashNode(c, a)) },
    to: { size: 4, root: await hashNode(d, await hashNode(c, await hashNode(a, b))) },
    proof: [a, b, c, d],
  }
  await rejectsCode(code, verifyConsistency(overlong))
})

test('hashes that are cut at another place prove nothing, although their bytes are the same', async () => {
  const [left, right] = [hashes[0]!, hashes[1]!]
  const root = await hashNode(left, right)
  const shifted = Uint8Array.from([left[31]!, ...right])
  const claim = { index: 1, leafHash: shifted, proof: [left.slice(0, 31)] }
  await rejectsCode('proof-invalid', verifyInclusion(claim, { size: 2, root }))

  const short = left.slice(0, 31)
  const forged = {
    from: { size: 3, root: await hashNode(right, short) },
    to: { size: 4, root: await hashNode(right, await hashNode(short, right)) },
    proof: [short, right, right],
  }
  await rejectsCode('checkpoint-inconsistent', verifyConsistency(forged))
})
