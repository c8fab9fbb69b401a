// Sealed streams: constant memory, and every rearrangement of chunks refused.
import assert from 'node:assert/strict'
import { createDecipheriv, createHash } from 'node:crypto'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type SealOptions, seal, unseal } from '../../src/sealing/blob.ts'
import { ChunkKeys } from '../../src/sealing/chunks.ts'
import { deriveSealingKey } from '../../src/sealing/derive.ts'
import { parseHeader } from '../../src/sealing/header.ts'
import { SealStream, UnsealStream } from '../../src/sealing/stream.ts'
import { rejectsCode, throwsCode } from '../expect-code.ts'
import { IDENTITY, OTHER_CODE, OTHER_ROOT, ROOT } from './fixtures.ts'

const CHUNK = 65_536
const OPTIONS: SealOptions = {
  root: ROOT,
  identity: IDENTITY,
  policy: 'mrSigner',
  additionalData: new TextEncoder().encode('label'),
}
const START = 133
const SEALED_CHUNK = CHUNK + 16

/** `pieces` are how the input comes in. */
async function through(stream: Transform, pieces: Iterable<Uint8Array>): Promise<Buffer> {
  const out: Uint8Array[] = []
  await pipeline(Readable.from(pieces, { objectMode: false }), stream, async source => {
    for await (const piece of source) out.push(piece as Uint8Array)
  })
  return Buffer.concat(out)
}

const sealAll = (plaintext: Uint8Array): Promise<Buffer> => through(new SealStream(OPTIONS), [plaintext])
const openAll = (sealed: Uint8Array, options = OPTIONS): Promise<Buffer> =>
  through(new UnsealStream(options), [sealed])

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
  return pieces
}

const THREE = Buffer.alloc(2 * CHUNK + 1000, 'abcdefg')
const SEALED = await sealAll(THREE)
/** Header, then the three sealed chunks. */
const PARTS = [SEALED.subarray(0, START), ...cut(SEALED.subarray(START), SEALED_CHUNK)]

test('what is sealed opens again, however it is cut on the way', async () => {
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 200_000 }),
    fc.constantFrom(0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK),
  )
  const pieces = fc.oneof(fc.constant(1009), fc.integer({ min: 50_000, max: 150_000 }))
  await fc.assert(
    fc.asyncProperty(sizes, pieces, pieces, async (size, pieceIn, pieceOut) => {
      const plaintext = Buffer.alloc(size, 'abcdefg')
      const sealed = await through(new SealStream(OPTIONS), cut(plaintext, pieceIn))
      assert.equal(sealed.length, START + size + 16 * Math.max(1, Math.ceil(size / CHUNK)))
      assert.ok(plaintext.equals(await through(new UnsealStream(OPTIONS), cut(sealed, pieceOut))))
    }),
    { numRuns: 40 },
  )
})

test('a stream is read byte by byte', async () => {
  const sealed = await sealAll(Buffer.from('short'))
  assert.equal((await through(new UnsealStream(OPTIONS), cut(sealed, 1))).toString(), 'short')
})

test('chunks are AES-256-GCM under counter and last flag, with the hash of the header', () => {
  const key = deriveSealingKey(ROOT, IDENTITY, parseHeader(SEALED))
  const associated = createHash('sha256').update(SEALED.subarray(0, START)).digest()
  const plain = PARTS.slice(1).map((chunk, index) => {
    const nonce = Buffer.concat([SEALED.subarray(112, 119), Buffer.of(0, 0, 0, index, index === 2 ? 1 : 0)])
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(associated)
    decipher.setAuthTag(chunk.subarray(-16))
    return Buffer.concat([decipher.update(chunk.subarray(0, -16)), decipher.final()])
  })
  assert.ok(Buffer.concat(plain).equals(THREE))
})

test('the header is given out once it is verified', async () => {
  const stream = new UnsealStream(OPTIONS)
  const label = () => stream.header?.additionalData
  assert.equal(label(), undefined)
  await through(stream, [SEALED])
  assert.deepEqual(label(), OPTIONS.additionalData)
})

const [HEADER, FIRST, SECOND, THIRD] = PARTS as [Buffer, Buffer, Buffer, Buffer]
const rearranged: Readonly<Record<string, readonly Uint8Array[]>> = {
  reordered: [HEADER, SECOND, FIRST, THIRD],
  doubled: [HEADER, FIRST, FIRST, SECOND, THIRD],
  'without a chunk in the middle': [HEADER, FIRST, THIRD],
  'without its first chunk': [HEADER, SECOND, THIRD],
  'with something after its end': [HEADER, FIRST, SECOND, THIRD, Buffer.of(0)],
  'with itself after its end': [SEALED, SEALED],
}
for (const [what, parts] of Object.entries(rearranged)) {
  test(`a stream ${what} is refused`, () => rejectsCode('seal-mac-mismatch', openAll(Buffer.concat(parts))))
}

test('chunks of another stream of the same enclave are refused', async () => {
  const [, , second, third] = [HEADER, ...cut((await sealAll(THREE)).subarray(START), SEALED_CHUNK)]
  await rejectsCode('seal-mac-mismatch', openAll(Buffer.concat([HEADER, FIRST, second!, THIRD])))
  await rejectsCode('seal-mac-mismatch', openAll(Buffer.concat([HEADER, FIRST, SECOND, third!])))
})

test('a stream that ends too early says so where it can be known, and never passes', async () => {
  for (const parts of [
    [HEADER],
    [HEADER, FIRST],
    [HEADER, FIRST, SECOND],
    [HEADER.subarray(0, 40)],
    [],
    [HEADER.subarray(0, 130)],
  ]) {
    await rejectsCode('seal-truncated', openAll(Buffer.concat(parts)))
  }
  await rejectsCode('seal-mac-mismatch', openAll(SEALED.subarray(0, -1)))
  await rejectsCode('seal-mac-mismatch', openAll(SEALED.subarray(0, START + 10)))
})

test('a change anywhere is refused', async () => {
  const small = await sealAll(Buffer.from('small'))
  for (let offset = 0; offset < small.length; offset++) {
    const changed = Buffer.from(small)
    changed[offset]! ^= 1
    await assert.rejects(openAll(changed), { name: 'EnclaveError' }, `byte ${offset}`)
  }
})

test('no plaintext of a chunk that was changed comes out', async () => {
  const changed = Buffer.from(SEALED)
  changed[START + SEALED_CHUNK + 5]! ^= 1
  const stream = new UnsealStream(OPTIONS)
  const out: Uint8Array[] = []
  stream.on('data', piece => out.push(piece))
  await rejectsCode('seal-mac-mismatch', pipeline(Readable.from([changed]), stream))
  assert.ok(Buffer.concat(out).length <= CHUNK)
})

test('a header with a nonce or a label that is too long is refused before anything else is read', async () => {
  for (const [offset, value] of [
    [119, 1],
    [123, 1],
    [126, 2],
    [127, 1],
  ] as const) {
    const changed = Buffer.from(SEALED.subarray(0, START))
    changed[offset] = value
    await rejectsCode('seal-malformed', openAll(changed))
  }
})

test('other code, an older version, another root, or a blob in place of a stream are refused', async () => {
  const forCode = await through(new SealStream({ ...OPTIONS, policy: 'mrEnclave' }), [THREE])
  await rejectsCode('seal-enclave-mismatch', openAll(forCode, { ...OPTIONS, identity: OTHER_CODE }))
  await rejectsCode('seal-svn-too-new', openAll(SEALED, { ...OPTIONS, identity: { ...IDENTITY, isvSvn: 2 } }))
  await rejectsCode('seal-root-mismatch', openAll(SEALED, { ...OPTIONS, root: OTHER_ROOT }))
  await rejectsCode('seal-malformed', openAll(seal(THREE, OPTIONS)))
  await rejectsCode('seal-malformed', openAll(Buffer.alloc(100)))
})

test('a stream that is in memory opens as a whole, or not at all', async () => {
  for (const size of [0, 1, CHUNK, CHUNK + 1, 2 * CHUNK]) {
    const plaintext = THREE.subarray(0, size)
    const opened = unseal(await sealAll(plaintext), OPTIONS)
    assert.ok(plaintext.equals(opened.plaintext))
    assert.deepEqual(opened.header.additionalData, OPTIONS.additionalData)
  }
  for (const parts of Object.values(rearranged))
    throwsCode('seal-mac-mismatch', () => unseal(Buffer.concat(parts), OPTIONS))
  for (const parts of [[HEADER], [HEADER, FIRST], [HEADER, FIRST, SECOND]])
    throwsCode('seal-truncated', () => unseal(Buffer.concat(parts), OPTIONS))
  throwsCode('seal-mac-mismatch', () => unseal(SEALED.subarray(0, -1), OPTIONS))
})

test('a stream far larger than its buffers goes through in constant memory', async () => {
  const piece = Buffer.alloc(1_000_000, 'x')
  const hash = createHash('sha256')
  let most = 0
  const source = function* (): Generator<Buffer> {
    for (let index = 0; index < 100; index++) yield piece
  }
  const before = process.memoryUsage().arrayBuffers
  await pipeline(
    Readable.from(source()),
    new SealStream(OPTIONS),
    new UnsealStream(OPTIONS),
    async opened => {
      for await (const bytes of opened) {
        hash.update(bytes as Uint8Array)
        most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      }
    },
  )
  const wanted = createHash('sha256')
  for (const bytes of source()) wanted.update(bytes)
  assert.equal(hash.digest('hex'), wanted.digest('hex'))
  // 100 MB went through; garbage that is not yet collected counts here as well.
  assert.ok(most < 80_000_000, `${most} bytes`)
})

test('a stream has as many chunks as its counter can count, and none more', () => {
  const header = parseHeader(SEALED)
  const key = deriveSealingKey(ROOT, IDENTITY, header)
  const last = 2 ** 32 - 1
  const content = Buffer.from('the last of 256 TiB')
  const chunk = Buffer.concat(new ChunkKeys(header, key, last).seal(content, true))
  const opening = new ChunkKeys(header, key, last)
  assert.ok(content.equals(opening.open(chunk, true)))
  // Its number would be that of the first chunk, with the key of the first.
  throwsCode('invalid-parameter', () => opening.open(chunk, true))
  throwsCode('invalid-parameter', () => new ChunkKeys(header, key, last + 1).seal(content, true))
  throwsCode('seal-mac-mismatch', () => new ChunkKeys(header, key, 0).open(chunk, true))
})
