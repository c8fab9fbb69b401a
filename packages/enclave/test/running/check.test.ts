// Images that are refused before a single instruction runs: one for each check, wrong in that alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '@casemate/evidence/bytes'
import { encodeImage, parseImage, withSigstruct } from '../../src/image/image.ts'
import type { Manifest } from '../../src/image/manifest.ts'
import { signImage } from '../../src/image/sign.ts'
import { type CheckedImage, checkImage, type Demands, type Offers } from '../../src/running/check.ts'
import { offeredImports } from '../../src/running/platform.ts'
import { rejectsCode } from '../expect-code.ts'
import { goodWith, ID, withBody } from '../image/hostile.ts'
import { DATE, SIGNING } from '../image/keys.ts'
import { ALLOC, FREE, FUNCTIONS, IMPORTS, makeImage, makeUnsigned, type TestEnclave } from './modules.ts'
import { encodeModule, I32, I64, leb, text } from './wasm-encoder.ts'

const DEMANDS: Demands = { debug: false, signers: 'any', measurement: 'any' }
const OFFERS: Offers = {
  imports: offeredImports({ sealing: null }),
  secrets: new Map(),
  memoryPages: 100,
  threads: null,
  processors: null,
}

function check(
  image: Uint8Array | TestEnclave,
  demands: Partial<Demands> = {},
  offers: Partial<Offers> = {},
): Promise<CheckedImage> {
  const bytes = image instanceof Uint8Array ? image : makeImage(image)
  return checkImage(bytes, { ...DEMANDS, ...demands }, { ...OFFERS, ...offers })
}

test('an image that is right in everything is accepted', async () => {
  const image = makeImage()
  const { sigstruct, mrEnclave } = parseImage(image)
  const checked = await check(image, { signers: [toHex(sigstruct!.mrSigner)], measurement: toHex(mrEnclave) })
  assert.equal(checked.threads, 1)
  assert.deepEqual(checked.mrEnclave, mrEnclave)
})

test('an unsigned image is refused', () => rejectsCode('image-unsigned', check(makeUnsigned({}))))

test('an image with one changed byte anywhere is refused', async () => {
  const image = makeImage()
  for (let offset = 0; offset < image.length; offset += 37) {
    const changed = image.slice()
    changed[offset]! ^= 1
    await assert.rejects(check(changed), { name: 'EnclaveError' }, `byte ${offset}`)
  }
})

test('the signature of another image is refused', () => {
  const other = parseImage(makeImage({ manifest: { isvSvn: 2 } })).sigstruct!
  return rejectsCode('invalid-measurement', check(withSigstruct(makeImage(), other.bytes)))
})

test('a signer that is not listed is refused, and an empty list lists nobody', async () => {
  await rejectsCode('signer-untrusted', check({}, { signers: ['00'.repeat(32)] }))
  await rejectsCode('signer-untrusted', check({}, { signers: [] }))
})

test('another measurement than the wanted one is refused', () =>
  rejectsCode('invalid-measurement', check({}, { measurement: '00'.repeat(32) })))

test('a debug image does not run as production, nor the other way round', async () => {
  await rejectsCode('debug-mismatch', check({ manifest: { debug: true } }))
  await rejectsCode('debug-mismatch', check({}, { debug: true }))
  await check({ manifest: { debug: true } }, { debug: true })
})

test('more threads than the manifest says are refused; processors only lower the number', async () => {
  await rejectsCode('limit-exceeded', check({}, {}, { threads: 2 }))
  assert.equal((await check({ manifest: { threads: 4 } }, {}, { processors: 2 })).threads, 2)
  assert.equal((await check({ manifest: { threads: 4 } }, {}, { processors: 8 })).threads, 4)
  assert.equal((await check({ manifest: { threads: 4 } }, {}, { threads: 3, processors: 1 })).threads, 3)
})

test('more memory than the machine gives is refused, counted over all instances', async () => {
  await rejectsCode('limit-exceeded', check({ manifest: { threads: 2 } }, {}, { memoryPages: 7 }))
  await check({ manifest: { threads: 2 } }, {}, { memoryPages: 8 })
})

test('a memory without a maximum, or with more than the manifest says, is refused', async () => {
  await rejectsCode('limit-exceeded', check({ module: { memory: { min: 1, max: null, name: 'memory' } } }))
  await rejectsCode('limit-exceeded', check({ module: { memory: { min: 1, max: 5, name: 'memory' } } }))
  await check({ module: { memory: { min: 1, max: 1, name: 'memory' } } })
})

/** An image of this code, signed. */
function imageOf(code: Uint8Array, manifest: Partial<Manifest> = {}): Uint8Array {
  const own = parseImage(makeUnsigned({ manifest })).manifest
  return signImage(encodeImage(own, code), { ...DATE, privateKey: SIGNING.privateKey })
}

/** A table of functions with this maximum. */
const withTable = (most: number): Uint8Array =>
  goodWith({ [ID.table]: Uint8Array.from([1, 0x70, 1, 0, ...leb(most)]) })

test('tables take no more than the manifest gives to memory', async () => {
  await check(imageOf(withTable(4096)))
  await rejectsCode('limit-exceeded', check(imageOf(withTable(4097))))
  await check(imageOf(withTable(4097), { memoryPages: 5 }))
})

test('tables of all instances count towards the memory that the machine gives', async () => {
  const image = imageOf(withTable(4096), { threads: 2 })
  await rejectsCode('limit-exceeded', check(image, {}, { memoryPages: 15 }))
  await check(image, {}, { memoryPages: 16 })
})

test('code that asks an engine for too much is refused before the engine sees it', async t => {
  const compile = t.mock.method(WebAssembly, 'compile')
  await rejectsCode('limit-exceeded', check(imageOf(withTable(10_000_000))))
  // Faults that only an engine can find are found in another process.
  await rejectsCode('invalid-code', check(imageOf(withBody([0], [0x1a]))))
  assert.equal(compile.mock.callCount(), 0)
  await check({})
  assert.equal(compile.mock.callCount(), 1)
})

test('code without an exported memory is refused', async () => {
  await rejectsCode('invalid-code', check({ module: { memory: { min: 1, max: 2, name: 'other' } } }))
})

test('bytes that are no module are refused', async () => {
  await rejectsCode('invalid-code', check(imageOf(Uint8Array.of(1, 2, 3))))
})

test('exports must be those of the manifest, neither more nor fewer', async () => {
  const { echo, trap } = FUNCTIONS
  await rejectsCode('export-mismatch', check({ manifest: { exports: [] } }))
  await rejectsCode('export-mismatch', check({ manifest: { exports: ['echo', 'trap'] } }))
  await rejectsCode('export-mismatch', check({ functions: [echo!, trap!], manifest: { exports: ['trap'] } }))
  await rejectsCode('export-mismatch', check({ manifest: { exports: ['casemate_alloc', 'echo'] } }))
})

test('the allocator must be there', async () => {
  const { echo } = FUNCTIONS
  await rejectsCode('export-mismatch', check({ module: { functions: [ALLOC, echo!] } }))
  await rejectsCode('export-mismatch', check({ module: { functions: [FREE, echo!] } }))
})

test('exports of another type are refused', async () => {
  const wrong = { ...FUNCTIONS['echo']!, results: [I32], body: [0x41, 0] }
  await rejectsCode('export-mismatch', check({ functions: [wrong] }))
  const initialize = { name: '_initialize', params: [I32], results: [], body: [] }
  await rejectsCode(
    'export-mismatch',
    check({ module: { functions: [ALLOC, FREE, FUNCTIONS['echo']!, initialize] } }),
  )
})

test('imports must be those of the manifest, neither more nor fewer', async () => {
  const { log } = IMPORTS
  await check({ module: { imports: [log] } })
  await rejectsCode('import-undeclared', check({ module: { imports: [log] }, manifest: { imports: [] } }))
  await rejectsCode('import-undeclared', check({ manifest: { imports: ['casemate.log'] } }))
})

test('a declared import that the platform does not offer is refused', async () => {
  const time = { module: 'wasi_snapshot_preview1', name: 'clock_time_get', params: [], results: [] }
  await rejectsCode('import-unavailable', check({ module: { imports: [time] } }))
  await rejectsCode(
    'import-unavailable',
    check({ module: { imports: [IMPORTS.log] } }, {}, { imports: new Set() }),
  )
})

test('an image is refused while a secret that it declares is not there', async () => {
  const image = { module: { imports: [IMPORTS.secret] }, manifest: { secrets: ['a/b/c', 'a/b/d'] } }
  const one = ['a/b/c', 0] as const
  await rejectsCode('secret-unavailable', check(image))
  await rejectsCode('secret-unavailable', check(image, {}, { secrets: new Map([one]) }))
  await check(image, {}, { secrets: new Map([one, ['a/b/d', 0], ['other/x/y', 0]]) })
})

test('code that seals is refused where there is no sealing root', async () => {
  await rejectsCode('import-unavailable', check({ module: { imports: [IMPORTS.unseal] } }))
  await check({ module: { imports: [IMPORTS.unseal] } }, {}, { imports: new Set(['casemate.unseal']) })
})

test('an import of another type is refused', async () => {
  const log = { ...IMPORTS.log, params: [I64] }
  await rejectsCode('invalid-code', check({ module: { imports: [log] } }))
})

test('an imported memory, table or global is refused, declared or not', async () => {
  for (const rest of [
    [2, 1, 1, 2],
    [1, 0x70, 0, 1],
    [3, I32, 1],
  ]) {
    const rawImports = [[...text('casemate'), ...text('log'), ...rest]]
    const memory = rest[0] === 2 ? null : { min: 1, max: 2, name: 'memory' }
    const module = { rawImports, memory }
    await rejectsCode('import-undeclared', check({ module, manifest: { imports: ['casemate.log'] } }))
  }
})

test('a shared memory is refused', async () => {
  const code = encodeModule({ functions: [ALLOC, FREE, FUNCTIONS['echo']!] })
  // The memory section: id 5, size 4, one memory, flags 1 (with maximum), 1, 4.
  const at = Buffer.from(code).indexOf(Buffer.of(5, 4, 1, 1, 1, 4))
  assert.ok(at > 0)
  code[at + 3] = 3
  await rejectsCode('invalid-code', check(imageOf(code)))
})
