// Evidence in certificates: the form that others write is read, ours is theirs, and nothing that is almost it is taken.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { DerReader } from '@casemate/evidence/asn1'
import { encode, Tagged } from 'cborg'
import * as fc from 'fast-check'
import {
  encodeCarried,
  OID_GRAMINE_QUOTE,
  OID_TAGGED_EVIDENCE,
  readCarried,
} from '../../src/evidence/carried.ts'
import { type BoundClaims, decodeClaims, encodeClaims } from '../../src/evidence/claims-buffer.ts'
import { ChannelError } from '../../src/index.ts'
import { mutations, runs } from '../mutations.ts'
import { GRAMINE_LEGACY_HEAD, GRAMINE_LEGACY_REPORT_DATA, PUBLISHED } from './published.ts'

const base64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

for (const { by, spki, claimsBuffer, reportData } of PUBLISHED) {
  test(`the claims of a certificate that ${by} made are read, and hashed as its quote has them`, () => {
    const bytes = base64(claimsBuffer)
    const { keyHash, bindingKey, window, sigstruct } = decodeClaims(bytes)
    assert.equal(keyHash.algorithm, 'sha256')
    assert.equal(hex(keyHash.digest), hex(sha256(base64(spki))))
    assert.deepEqual([bindingKey, window, sigstruct], [null, null, null])
    assert.equal(hex(sha256(bytes)), reportData)
  })
}

test('Gramine’s older extension has the name that its bytes read as, and hashes the same octets of the key', () => {
  const [gramine] = PUBLISHED
  assert.equal(hex(sha256(base64(gramine!.spki))), GRAMINE_LEGACY_REPORT_DATA)
  const reader = new DerReader(Buffer.from(GRAMINE_LEGACY_HEAD, 'hex'), 'certificate-malformed', 'extension')
  assert.equal(reader.oid(), OID_GRAMINE_QUOTE)
})

const DIGEST = new Uint8Array(32).fill(1)
const CLAIMS: BoundClaims = {
  keyHash: { algorithm: 'sha256', digest: DIGEST },
  nonce: Uint8Array.of(1, 2),
  bindingKey: Uint8Array.of(3),
  window: { notBefore: new Date(1_000_000), notAfter: new Date(2_000_000) },
  sigstruct: Uint8Array.of(4),
}

test('our claims are those of the others where there is nothing of ours in them', () => {
  for (const { spki, claimsBuffer, by } of PUBLISHED) {
    const own = encodeClaims({
      keyHash: { algorithm: 'sha256', digest: sha256(base64(spki)) },
      nonce: null,
      bindingKey: null,
      window: null,
      sigstruct: null,
    })
    if (by !== 'rats-tls') assert.equal(Buffer.from(own).toString('base64'), claimsBuffer)
  }
})

test('claims are read as they were written, with every hash that the specification lists', () => {
  for (const [algorithm, size] of [
    ['sha256', 32],
    ['sha384', 48],
    ['sha512', 64],
  ] as const) {
    const claims = { ...CLAIMS, keyHash: { algorithm, digest: new Uint8Array(size).fill(7) } }
    assert.deepEqual(decodeClaims(encodeClaims(claims)), claims)
  }
})

const keyHash = encode([1, DIGEST])
const map = (entries: Record<string, unknown>): Uint8Array => encode(new Map(Object.entries(entries)))

for (const [what, bytes] of [
  ['nothing', new Uint8Array()],
  ['no map', encode([1])],
  ['no key hash', map({ nonce: DIGEST })],
  ['a value that is no byte string', map({ 'pubkey-hash': [1, DIGEST] })],
  ['a name that is no text', encode(new Map<unknown, unknown>([[1, keyHash]]))],
  ['a hash that is not listed', map({ 'pubkey-hash': encode([2, DIGEST]) })],
  ['a digest of another size', map({ 'pubkey-hash': encode([7, DIGEST]) })],
  ['a hash with something after it', map({ 'pubkey-hash': encode([1, DIGEST, 0]) })],
  ['a claim of ours that is not known', map({ 'pubkey-hash': keyHash, 'casemate-next': DIGEST })],
  ['a window that is none', map({ 'pubkey-hash': keyHash, 'casemate-window': encode([1, 'x']) })],
  ['a window beyond all time', map({ 'pubkey-hash': keyHash, 'casemate-window': encode([0, 1e15]) })],
  ['something after the map', Buffer.concat([map({ 'pubkey-hash': keyHash }), Buffer.of(0)])],
  [
    'an indefinite map',
    Buffer.concat([Buffer.of(0xbf), map({ 'pubkey-hash': keyHash }).subarray(1), Buffer.of(0xff)]),
  ],
  ['a name twice', Buffer.concat([Buffer.of(0xa2), twice(map({ 'pubkey-hash': keyHash }).subarray(1))])],
  [
    'a length that is not the shortest',
    Buffer.from(`b8016b${hex(map({ 'pubkey-hash': keyHash })).slice(4)}`, 'hex'),
  ],
  ['too much', map({ 'pubkey-hash': keyHash, nonce: new Uint8Array(17_000) })],
] as const) {
  test(`a claims-buffer with ${what} is refused`, () => {
    assert.throws(() => decodeClaims(bytes), { code: 'evidence-malformed' })
  })
}

function twice(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, bytes])
}

const quote = Uint8Array.of(3, 0, 2, 0)
const carrying = (value: Uint8Array) => new Map([[OID_TAGGED_EVIDENCE, value]])

test('evidence is carried under the tag of its kind, a report with its table', () => {
  const claims = Uint8Array.of(9)
  const tdx = encodeCarried({ kind: 'tdx', evidence: quote, certificateTable: null }, claims)
  // Tag 60000 over an array of two byte strings.
  assert.equal(hex(tdx), 'd9ea608244030002004109')
  assert.deepEqual(readCarried(carrying(tdx)), { evidence: quote, claimsBuffer: claims })
  const snp = encodeCarried({ kind: 'snp', evidence: quote, certificateTable: Uint8Array.of(8) }, claims)
  assert.equal(hex(snp), 'da001a7504824503000200084109')
})

test('Gramine’s older extension is read where there is no other', () => {
  const both = new Map([
    ...carrying(encode(new Tagged(60_000, [quote, DIGEST]))),
    [OID_GRAMINE_QUOTE, DIGEST],
  ])
  assert.deepEqual(readCarried(both).evidence, quote)
  assert.deepEqual(readCarried(new Map([[OID_GRAMINE_QUOTE, quote]])), {
    evidence: quote,
    claimsBuffer: null,
  })
  assert.throws(() => readCarried(new Map()), { code: 'evidence-missing' })
})

for (const [what, bytes] of [
  ['no tag', encode([quote, DIGEST])],
  ['a report for this machine alone', encode(new Tagged(60_001, [quote, DIGEST]))],
  ['another tag within', encode(new Tagged(60_000, [new Tagged(60_000, quote), DIGEST]))],
  ['one part', encode(new Tagged(60_000, [quote]))],
  ['three parts', encode(new Tagged(60_000, [quote, DIGEST, DIGEST]))],
  ['text', encode(new Tagged(60_000, ['quote', 'claims']))],
  ['something after it', Buffer.concat([encode(new Tagged(60_000, [quote, DIGEST])), Buffer.of(0)])],
  ['too much', encode(new Tagged(60_000, [new Uint8Array(70_000), DIGEST]))],
  ['arrays without end', new Uint8Array(60_000).fill(0x81)],
] as const) {
  test(`an evidence extension with ${what} is refused`, () => {
    assert.throws(() => readCarried(carrying(bytes)), { code: 'evidence-malformed' })
  })
}

test('no bytes do anything but be read or be refused', () => {
  const valid = [
    encodeClaims(CLAIMS),
    encodeCarried({ kind: 'sgx', evidence: quote, certificateTable: null }, DIGEST),
  ]
  const mutated = fc
    .tuple(fc.constantFrom(...valid), mutations)
    .map(([bytes, mutate]) => new Uint8Array(mutate(bytes)))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), bytes => {
      for (const read of [decodeClaims, (value: Uint8Array) => readCarried(carrying(value))]) {
        try {
          read(bytes)
        } catch (error) {
          assert.ok(error instanceof ChannelError, String(error))
        }
      }
    }),
    runs(2_000),
  )
})
