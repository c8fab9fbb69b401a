// The image format: one spelling, everything measured, and every check of a signed image alone.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { toHex } from '@casemate/evidence/bytes'
import * as fc from 'fast-check'
import { encodeImage, parseImage, withSigstruct } from '../../src/image/image.ts'
import { encodeManifest, type Manifest, parseManifest, sortedNames } from '../../src/image/manifest.ts'
import { recogniseSigstructs, signImage, verifyImage } from '../../src/image/sign.ts'
import { signSigstruct } from '../../src/image/signature.ts'
import { parseSigstruct } from '../../src/image/sigstruct.ts'
import { throwsCode } from '../expect-code.ts'
import { DATE, SIGNING } from './keys.ts'
import { EMPTY_MODULE, IMAGE, MANIFEST } from './samples.ts'

const SIGNED = signImage(IMAGE, { ...DATE, privateKey: SIGNING.privateKey })
const measurement = (manifest: Manifest, code = EMPTY_MODULE): string =>
  toHex(parseImage(encodeImage(manifest, code)).mrEnclave)

const names = fc.uniqueArray(fc.stringMatching(/^[A-Za-z][\w.]{0,20}$/), { maxLength: 5 }).map(sortedNames)
const u16 = fc.integer({ min: 0, max: 0xffff })
const manifests: fc.Arbitrary<Manifest> = fc.record(
  {
    name: fc.stringMatching(/^[A-Za-z][\w.-]{0,20}$/),
    isvProdId: u16,
    isvSvn: u16,
    debug: fc.boolean(),
    memoryPages: fc.integer({ min: 1, max: 65_536 }),
    threads: fc.integer({ min: 1, max: 256 }),
    exports: names,
    imports: names,
    configuration: fc.dictionary(
      fc.stringMatching(/^[A-Za-z][\w.-]{0,20}$/),
      fc.string({ unit: 'grapheme' }),
      {
        noNullPrototype: true,
      },
    ),
    secrets: fc
      .uniqueArray(fc.stringMatching(/^\w[\w.-]{0,9}\/\w[\w.-]{0,9}\/\w[\w.-]{0,9}$/), { maxLength: 5 })
      .map(sortedNames),
  },
  { noNullPrototype: true },
)

test('what is encoded is parsed again, whatever the order of the members', () => {
  fc.assert(
    fc.property(manifests, fc.uint8Array({ maxLength: 300 }), (manifest, code) => {
      const parsed = parseImage(encodeImage(manifest, code))
      assert.deepEqual(parsed.manifest, manifest)
      assert.deepEqual(parsed.code, code)
      assert.equal(parsed.sigstruct, null)
      const reversed = Object.fromEntries(Object.entries(manifest).toReversed()) as unknown as Manifest
      assert.deepEqual(encodeImage(reversed, code), encodeImage(manifest, code))
    }),
  )
})

test('the measurement is SHA-256 over domain, sizes, manifest and code', () => {
  const json =
    '{"abi":1,"configuration":{"greeting":"grüße"},"debug":false,"exports":["echo"],"imports":[],' +
    '"isvProdId":7,"isvSvn":3,"memoryPages":2,"name":"sample","secrets":[],"threads":1}'
  const size = (length: number): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(length))
    return bytes
  }
  const bytes = Buffer.from(json)
  const whole = [Buffer.from('casemate-enclave/1\n'), size(bytes.length), bytes, size(8), EMPTY_MODULE]
  const wanted = createHash('sha256').update(Buffer.concat(whole)).digest('hex')
  assert.equal(measurement(MANIFEST), wanted)
})

test('everything that can change behaviour changes the measurement; the signature does not', () => {
  const changes: Partial<Manifest>[] = [
    { name: 'other' },
    { isvProdId: 8 },
    { isvSvn: 4 },
    { debug: true },
    { memoryPages: 3 },
    { threads: 2 },
    { exports: ['echo', 'other'] },
    { imports: ['casemate.log'] },
    { configuration: {} },
    { secrets: ['default/db/password'] },
  ]
  const all = changes.map(change => measurement({ ...MANIFEST, ...change }))
  all.push(measurement(MANIFEST), measurement(MANIFEST, Uint8Array.of(...EMPTY_MODULE, 0)))
  assert.equal(new Set(all).size, changes.length + 2)
  assert.equal(toHex(parseImage(SIGNED).mrEnclave), measurement(MANIFEST))
})

test('a manifest has one spelling', () => {
  const text = Buffer.from(encodeManifest(MANIFEST)).toString()
  for (const other of [
    `${text} `,
    text.replace('"abi":1', '"abi":1.0'),
    text.replace('"abi":1,', '').replace('}}', '},"abi":1}'),
    text.replace('ü', '\\u00fc'),
    text.replace('"debug":false', '"debug":false,"debug":false'),
  ]) {
    assert.notEqual(other, text)
    throwsCode('invalid-manifest', () => parseManifest(Buffer.from(other)))
  }
})

test('a member that is missing, unknown or out of range is refused', () => {
  const changes: Record<string, unknown>[] = [
    { abi: 2 },
    { name: '' },
    { name: 'a b' },
    { name: '1' },
    { isvProdId: 65_536 },
    { isvProdId: -1 },
    { isvSvn: 1.5 },
    { isvSvn: '3' },
    { debug: 0 },
    { memoryPages: 0 },
    { memoryPages: 65_537 },
    { threads: 0 },
    { threads: 257 },
    { secrets: ['b/b/b', 'a/a/a'] },
    { secrets: ['a/b'] },
    { secrets: ['a/b/c/d'] },
    { secrets: ['a//c'] },
    { secrets: ['a/b/.c'] },
    { secrets: [`a/b/${'c'.repeat(253)}`] },
    { exports: ['b', 'a'] },
    { exports: ['a', 'a'] },
    { exports: 'echo' },
    { imports: ['1'] },
    { configuration: { a: 1 } },
    { configuration: [] },
    { configuration: { '1': 'a' } },
    { configuration: { a: '\ud800' } },
    { surprise: 1 },
    { threads: undefined },
  ]
  for (const change of changes) {
    const wrong = { ...MANIFEST, ...change } as unknown as Manifest
    throwsCode('invalid-manifest', () => encodeManifest(wrong))
    throwsCode('invalid-manifest', () => parseManifest(Buffer.from(JSON.stringify({ abi: 1, ...wrong }))))
  }
  throwsCode('invalid-manifest', () => parseManifest(Buffer.of(0xff)))
  const large = { ...MANIFEST, configuration: { large: 'a'.repeat(65_536) } }
  throwsCode('invalid-manifest', () => encodeManifest(large))
})

test('an image of another shape is refused', () => {
  const with32 = (offset: number, value: number): Uint8Array => {
    const bytes = new Uint8Array(SIGNED)
    new DataView(bytes.buffer).setUint32(offset, value, true)
    return bytes
  }
  throwsCode('invalid-image', () => parseImage(new Uint8Array()))
  throwsCode('invalid-image', () => parseImage(with32(0, 0)))
  throwsCode('invalid-image', () => parseImage(with32(12, 0xffff_ffff)))
  throwsCode('invalid-image', () => parseImage(with32(16, 1807)))
  throwsCode('invalid-image', () => parseImage(with32(20, 1)))
  throwsCode('invalid-image', () => parseImage(SIGNED.subarray(0, -1)))
  throwsCode('invalid-image', () => parseImage(Buffer.concat([SIGNED, Buffer.of(0)])))
})

test('no prefix of an image is an image', () => {
  for (let size = 0; size < IMAGE.length; size++) {
    throwsCode('invalid-image', () => parseImage(IMAGE.subarray(0, size)))
  }
})

test('a signed image verifies, an unsigned one does not', () => {
  const sigstruct = verifyImage(parseImage(SIGNED))
  assert.equal(sigstruct.isvSvn, 3)
  assert.equal(sigstruct.date, DATE.date)
  throwsCode('image-unsigned', () => verifyImage(parseImage(IMAGE)))
})

test('signing twice gives the same bytes, and signing again replaces the signature', () => {
  assert.deepEqual(signImage(IMAGE, { ...DATE, privateKey: SIGNING.privateKey }), SIGNED)
  assert.deepEqual(signImage(SIGNED, { ...DATE, privateKey: SIGNING.privateKey }), SIGNED)
})

test('the signature of one image does not make another valid', () => {
  const other = encodeImage({ ...MANIFEST, configuration: {} }, EMPTY_MODULE)
  const forged = withSigstruct(other, parseImage(SIGNED).sigstruct!.bytes)
  throwsCode('invalid-measurement', () => verifyImage(parseImage(forged)))
})

test('a signature that says another product, version or debug flag than the manifest is refused', () => {
  const body = parseImage(SIGNED).sigstruct!
  for (const change of [
    { isvProdId: 8 },
    { isvSvn: 4 },
    { attributes: { flags: 6n, xfrm: 3n } },
    { attributeMask: { flags: 0n, xfrm: 0n } },
  ]) {
    const signed = withSigstruct(IMAGE, signSigstruct({ ...body, ...change }, SIGNING.privateKey))
    throwsCode('identity-mismatch', () => verifyImage(parseImage(signed)))
  }
})

test('a debug image says so where SGX says it', () => {
  const image = encodeImage({ ...MANIFEST, debug: true }, EMPTY_MODULE)
  const signed = signImage(image, { ...DATE, privateKey: SIGNING.privateKey })
  assert.equal(verifyImage(parseImage(signed)).debug, true)
})

test('a SIGSTRUCT is found in an image and in a file of its own', () => {
  const { sigstruct } = parseImage(SIGNED)
  assert.deepEqual(recogniseSigstructs(SIGNED), [sigstruct])
  assert.deepEqual(recogniseSigstructs(sigstruct!.bytes), [parseSigstruct(sigstruct!.bytes)])
  throwsCode('image-unsigned', () => recogniseSigstructs(IMAGE))
})
