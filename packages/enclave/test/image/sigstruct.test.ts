// SIGSTRUCT against one that others published, and every check of it alone.
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { toHex } from '@casemate/evidence/bytes'
import { attachSignature, signSigstruct, verifySigstruct } from '../../src/image/signature.ts'
import {
  encodeSigstructBody,
  parseSigstruct,
  type SigstructBody,
  signedBytesOf,
} from '../../src/image/sigstruct.ts'
import { throwsCode } from '../expect-code.ts'
import { generateSigningKey, SIGNING } from './keys.ts'
import { PUBLISHED_MR_ENCLAVE, PUBLISHED_MR_SIGNER, PUBLISHED_SIGSTRUCT } from './published-sigstruct.ts'

const BODY: SigstructBody = parseSigstruct(PUBLISHED_SIGSTRUCT)
const SIGNED = signSigstruct(BODY, SIGNING.privateKey)

function changed(offset: number, change: (byte: number) => number = byte => byte ^ 1): Uint8Array {
  const bytes = SIGNED.slice()
  bytes[offset] = change(bytes[offset]!)
  return bytes
}

test('a published SIGSTRUCT is read as its signer wrote it, and verifies', () => {
  const sigstruct = parseSigstruct(PUBLISHED_SIGSTRUCT)
  assert.equal(toHex(sigstruct.mrSigner), PUBLISHED_MR_SIGNER)
  assert.equal(toHex(sigstruct.enclaveHash), PUBLISHED_MR_ENCLAVE)
  assert.equal(sigstruct.date, '20161214')
  assert.equal(sigstruct.vendor, 0)
  assert.equal(sigstruct.isvProdId, 0xffff)
  assert.equal(sigstruct.isvSvn, 0)
  assert.deepEqual(sigstruct.attributes, { flags: 4n, xfrm: 3n })
  assert.equal(sigstruct.attributeMask.flags, 0xffff_ffff_ffff_fffdn)
  assert.equal(sigstruct.debug, false)
  verifySigstruct(sigstruct)
})

test('encoding what was read gives the published bytes, but for key and signature', () => {
  const bytes = encodeSigstructBody(BODY)
  for (const [from, to] of [
    [0, 128],
    [512, 516],
    [900, 1040],
  ] as const) {
    assert.deepEqual(bytes.subarray(from, to), new Uint8Array(PUBLISHED_SIGSTRUCT.subarray(from, to)))
  }
})

test('the published signature, attached to the published body, gives the published SIGSTRUCT', () => {
  const published = parseSigstruct(PUBLISHED_SIGSTRUCT)
  const n = Buffer.from(published.modulus.toReversed()).toString('base64url')
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'RSA', n, e: 'Aw' } })
  const attached = attachSignature(published, publicKey, published.signature.toReversed())
  assert.deepEqual(attached, new Uint8Array(PUBLISHED_SIGSTRUCT))
})

test('signing is deterministic and verifies', () => {
  assert.deepEqual(signSigstruct(BODY, SIGNING.privateKey), SIGNED)
  verifySigstruct(parseSigstruct(SIGNED))
})

test('every signed byte is covered: changing one refuses', () => {
  // All that parsing leaves free to be anything.
  for (const offset of [16, 40, 900, 904, 908, 909, 912, 928, 936, 944, 952, 960, 991, 1008, 1024, 1026]) {
    throwsCode('invalid-signature', () => verifySigstruct(parseSigstruct(changed(offset))))
  }
})

test('another key or signature refuses', () => {
  throwsCode('invalid-signature', () => verifySigstruct(parseSigstruct(changed(130))))
  throwsCode('invalid-signature', () => verifySigstruct(parseSigstruct(changed(516))))
})

test('q1 and q2, which nobody signs, are checked', () => {
  throwsCode('invalid-signature-hints', () => verifySigstruct(parseSigstruct(changed(1040))))
  throwsCode('invalid-signature-hints', () => verifySigstruct(parseSigstruct(changed(1424))))
})

test('what Intel fixes is fixed: headers, exponent, reserved fields', () => {
  for (const offset of [0, 12, 15, 24, 39, 44, 127, 512, 515, 910, 992, 1007, 1028, 1039]) {
    throwsCode('invalid-metadata', () => parseSigstruct(changed(offset)))
  }
})

test('a date that is no day is refused, when it is read and when it is to be signed', () => {
  throwsCode('invalid-metadata', () => parseSigstruct(changed(20, () => 0x32)))
  for (const date of ['20260230', '2026-1-1', '', '202611220']) {
    throwsCode('invalid-parameter', () => signSigstruct({ ...BODY, date }, SIGNING.privateKey))
  }
})

test('another size is refused', () => {
  throwsCode('invalid-metadata', () => parseSigstruct(SIGNED.subarray(0, 1807)))
  throwsCode('invalid-metadata', () => parseSigstruct(Buffer.concat([SIGNED, Buffer.of(0)])))
})

test('keys of another size, exponent or kind do not sign', () => {
  for (const { privateKey } of [
    generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
    generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 65_537 }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ]) {
    throwsCode('invalid-key', () =>
      signSigstruct(BODY, createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))),
    )
  }
})

test('a signature made by another key, or over another body, is not attached', () => {
  const signature = parseSigstruct(SIGNED).signature.toReversed()
  throwsCode('invalid-signature', () => attachSignature(BODY, generateSigningKey().publicKey, signature))
  throwsCode('invalid-signature', () => attachSignature({ ...BODY, isvSvn: 9 }, SIGNING.publicKey, signature))
  throwsCode('invalid-signature', () => attachSignature(BODY, SIGNING.publicKey, signature.subarray(1)))
  assert.deepEqual(attachSignature(BODY, SIGNING.publicKey, signature), SIGNED)
})

test('what is signed are the first 128 bytes and the 128 from MISCSELECT on', () => {
  const wanted = Buffer.concat([SIGNED.subarray(0, 128), SIGNED.subarray(900, 1028)])
  assert.deepEqual(signedBytesOf(BODY), new Uint8Array(wanted))
})
