// Sealed blobs: what is sealed opens for whom it is for, and for nobody else, and never after a change.
import assert from 'node:assert/strict'
import { createDecipheriv } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { EnclaveErrorCode } from '../../src/errors.ts'
import { type SealOptions, seal, unseal, unsealInto } from '../../src/sealing/blob.ts'
import { deriveSealingKey } from '../../src/sealing/derive.ts'
import { parseHeader } from '../../src/sealing/header.ts'
import type { SealingIdentity } from '../../src/sealing/identity.ts'
import type { UnsealOptions } from '../../src/sealing/opening.ts'
import { throwsCode } from '../expect-code.ts'
import { IDENTITY, OTHER_CODE, OTHER_ROOT, OTHER_SIGNER, POLICIES, ROOT } from './fixtures.ts'

const NONE = new Uint8Array()
const DATA = new TextEncoder().encode('attack at dawn')
const LABEL = new TextEncoder().encode('label')
const options = (change: Partial<SealOptions> = {}): SealOptions => ({
  root: ROOT,
  identity: IDENTITY,
  policy: 'mrEnclave',
  additionalData: LABEL,
  ...change,
})
const SEALED = seal(DATA, options())

test('what is sealed opens again, with its additional data', () => {
  const bytes = fc.uint8Array({ maxLength: 2000 })
  fc.assert(
    fc.property(bytes, bytes, fc.constantFrom(...POLICIES), (plaintext, additionalData, policy) => {
      const opened = unseal(seal(plaintext, options({ policy, additionalData })), options())
      assert.deepEqual(opened.plaintext, plaintext)
      assert.deepEqual(opened.header.additionalData, additionalData)
      assert.equal(opened.header.policy, policy)
    }),
  )
})

test('a blob says what it is and whom it is for, in the documented places', () => {
  const view = Buffer.from(SEALED)
  assert.equal(view.toString('latin1', 0, 4), 'CMSB')
  assert.deepEqual([...view.subarray(4, 16)], [1, 1, 1, 1, 1, 0, 1, 0, 3, 0, 0, 0])
  assert.deepEqual(view.subarray(16, 32), Buffer.alloc(16, 5))
  assert.deepEqual(view.subarray(32, 64), Buffer.alloc(32, 0xee))
  assert.deepEqual(view.subarray(64, 80), Buffer.from(ROOT.ids.mrEnclave))
  assert.equal(view.readUInt32LE(124), LABEL.length)
  assert.equal(view.toString('latin1', 128, 133), 'label')
  assert.equal(SEALED.length, 128 + LABEL.length + DATA.length + 16)
  assert.equal(parseHeader(SEALED).isvSvn, 3)
  const signer = Buffer.from(
    seal(DATA, options({ policy: 'mrSigner', identity: { ...IDENTITY, debug: true } })),
  )
  assert.deepEqual([...signer.subarray(4, 16)], [1, 1, 2, 1, 1, 1, 1, 0, 3, 0, 7, 0])
  assert.deepEqual(signer.subarray(32, 64), Buffer.alloc(32, 0x55))
  assert.deepEqual(signer.subarray(64, 80), Buffer.from(ROOT.ids.mrSigner))
})

test('a blob is AES-256-GCM with everything before the ciphertext as associated data', () => {
  const header = parseHeader(SEALED)
  const key = deriveSealingKey(ROOT, IDENTITY, header)
  const decipher = createDecipheriv('aes-256-gcm', key, SEALED.subarray(112, 124))
  decipher.setAAD(SEALED.subarray(0, 133)).setAuthTag(SEALED.subarray(-16))
  assert.equal(
    decipher.update(SEALED.subarray(133, -16), undefined, 'utf8') + decipher.final('utf8'),
    'attack at dawn',
  )
})

test('sealing twice gives two blobs with two keys', () => {
  const again = seal(DATA, options())
  assert.notDeepEqual(again.subarray(80, 112), SEALED.subarray(80, 112))
  assert.notDeepEqual(again.subarray(112, 124), SEALED.subarray(112, 124))
})

test('a change of any bit is refused', () => {
  for (let offset = 0; offset < SEALED.length; offset++) {
    for (const bit of [1, 0x80]) {
      const changed = SEALED.slice()
      changed[offset]! ^= bit
      assert.throws(() => unseal(changed, options()), { name: 'EnclaveError' }, `byte ${offset}`)
    }
  }
})

test('no prefix and no extension of a blob opens', () => {
  for (let size = 0; size < SEALED.length; size++) {
    assert.throws(
      () => unseal(SEALED.subarray(0, size), options()),
      { name: 'EnclaveError' },
      `${size} bytes`,
    )
  }
  throwsCode('seal-mac-mismatch', () => unseal(Uint8Array.of(...SEALED, 0), options()))
})

test('the header of one blob does not fit the content of another', () => {
  const other = seal(DATA, options())
  const start = 128 + LABEL.length
  throwsCode('seal-mac-mismatch', () =>
    unseal(Uint8Array.of(...SEALED.subarray(0, start), ...other.subarray(start)), options()),
  )
})

test('fields that nobody may fill are refused', () => {
  for (const [offset, value] of [
    [0, 0],
    [4, 2],
    [5, 3],
    [6, 3],
    [7, 2],
    [8, 0],
    [8, 4],
    [9, 2],
    [10, 2],
    [11, 1],
    [14, 7],
    [127, 1],
  ] as const) {
    const changed = SEALED.slice()
    changed[offset] = value
    throwsCode('seal-malformed', () => unseal(changed, options()))
  }
  // Not said to count, and yet there.
  const hidden = SEALED.slice()
  hidden[10] = 0
  throwsCode('seal-malformed', () => unseal(hidden, options()))
})

test('only whom it is for can open it, and who cannot is told why', () => {
  const forCode = seal(DATA, options({ policy: 'mrEnclave' }))
  const forSigner = seal(DATA, options({ policy: 'mrSigner' }))
  const refused = (code: EnclaveErrorCode, blob: Uint8Array, identity: SealingIdentity, root = ROOT): void =>
    throwsCode(code, () => unseal(blob, { root, identity }))
  refused('seal-enclave-mismatch', forCode, OTHER_CODE)
  unseal(forSigner, { root: ROOT, identity: OTHER_CODE })
  refused('seal-signer-mismatch', forSigner, OTHER_SIGNER)
  refused('seal-product-mismatch', forSigner, { ...IDENTITY, isvProdId: 8 })
  for (const blob of [forCode, forSigner]) {
    refused('seal-root-mismatch', blob, IDENTITY, OTHER_ROOT)
    refused('seal-debug-mismatch', blob, { ...IDENTITY, debug: true })
  }
})

test('a blob that names whoever wants to open it does not open for them', () => {
  const forCode = seal(DATA, options({ policy: 'mrEnclave' }))
  const forSigner = seal(DATA, options({ policy: 'mrSigner' }))
  const lies: readonly (readonly [Uint8Array, number, Uint8Array, Partial<UnsealOptions>])[] = [
    [forCode, 32, OTHER_CODE.mrEnclave, { identity: OTHER_CODE }],
    [forCode, 64, OTHER_ROOT.ids.mrEnclave, { root: OTHER_ROOT }],
    [forCode, 9, Uint8Array.of(1), { identity: { ...IDENTITY, debug: true } }],
    [forSigner, 32, OTHER_SIGNER.mrSigner, { identity: OTHER_SIGNER }],
    [forSigner, 14, Uint8Array.of(8), { identity: { ...IDENTITY, isvProdId: 8 } }],
  ]
  for (const [blob, offset, lie, who] of lies) {
    const lying = blob.slice()
    lying.set(lie, offset)
    throwsCode('seal-mac-mismatch', () => unseal(lying, { ...options(), ...who }))
  }
})

test('a newer version opens what an older one sealed; an older one not, even if the blob lies about it', () => {
  for (const policy of POLICIES) {
    const blob = seal(DATA, options({ policy }))
    assert.deepEqual(unseal(blob, { root: ROOT, identity: { ...IDENTITY, isvSvn: 4 } }).plaintext, DATA)
    const older = { root: ROOT, identity: { ...IDENTITY, isvSvn: 2 } }
    throwsCode('seal-svn-too-new', () => unseal(blob, older))
    // Under another root as well: that it takes the newer version is said first.
    throwsCode('seal-svn-too-new', () => unseal(blob, { ...older, root: OTHER_ROOT }))
    const lying = blob.slice()
    lying[12] = 2
    throwsCode('seal-mac-mismatch', () => unseal(lying, older))
  }
})

test('what was sealed on a newer platform does not open on an older one', () => {
  const older = { ...ROOT, cpuSvn: new Uint8Array(16).fill(4) }
  throwsCode('seal-cpu-svn-too-new', () => unseal(SEALED, { root: older, identity: IDENTITY }))
  assert.deepEqual(unseal(seal(DATA, options({ root: older })), options()).plaintext, DATA)
})

test('a root without platform versions seals and opens', () => {
  const plain = { ...ROOT, cpuSvn: null }
  const blob = seal(DATA, options({ root: plain }))
  assert.equal(parseHeader(blob).cpuSvn, null)
  assert.deepEqual(unseal(blob, { root: plain, identity: IDENTITY }).plaintext, DATA)
})

test('additional data beyond its limit is refused', () => {
  throwsCode('invalid-parameter', () => seal(NONE, options({ additionalData: new Uint8Array(65_537) })))
  const largest = new Uint8Array(65_536)
  assert.deepEqual(unseal(seal(NONE, options({ additionalData: largest })), options()).plaintext, NONE)
})

test('what does not open leaves nothing but zero where it was to go, at any size', () => {
  for (const size of [1, 65_536, 65_537, 200_000]) {
    const blob = seal(new Uint8Array(size).fill(7), options())
    const room = new Uint8Array(size)
    unsealInto(blob, options(), () => ({ sealed: blob, plaintext: room }))
    assert.deepEqual(room, new Uint8Array(size).fill(7))
    const forged = Uint8Array.from(blob)
    forged[forged.length - 1]! ^= 1
    throwsCode('seal-mac-mismatch', () =>
      unsealInto(forged, options(), () => ({ sealed: forged, plaintext: room })),
    )
    assert.deepEqual(room, new Uint8Array(size))
  }
})

test('a header of another version or algorithm is told by what it is, and one that is cut off as that', () => {
  const sealed = seal(DATA, options())
  const changed = (at: number): Uint8Array => sealed.with(at, 2)
  for (const [bytes, message] of [
    [changed(4), 'the version is 2'],
    [changed(7), 'the algorithm is 2'],
    [changed(124).subarray(0, 129), 'the additional data is cut off'],
  ] as const)
    assert.throws(() => unseal(bytes, options()), { code: 'seal-malformed', message })
})
