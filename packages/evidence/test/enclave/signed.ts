// A SIGSTRUCT that is right in everything, signed by OpenSSL, for tests to break in one place.
import { type KeyObject, sign } from 'node:crypto'
import { testSigningKey } from '../../../enclave/test/image/keys.ts'
import { sigstructHints } from '../../src/enclave/signature.ts'
import {
  completeSigstruct,
  RSA_SIZE,
  type SigstructBody,
  signedBytesOfSigstruct,
} from '../../src/enclave/sigstruct.ts'

export const SIGNER = await testSigningKey('developer')
export const STRANGER = await testSigningKey('stranger')

const ALL = 0xffff_ffff_ffff_ffffn

export const BODY: SigstructBody = {
  vendor: 0,
  date: '20261125',
  swDefined: 0,
  miscSelect: 0,
  miscMask: 0xffff_ffff,
  cetAttributes: 0,
  cetAttributesMask: 0xff,
  isvFamilyId: new Uint8Array(16).fill(1),
  attributes: { flags: 4n, xfrm: 3n },
  attributeMask: { flags: ALL, xfrm: ALL },
  enclaveHash: new Uint8Array(32).fill(0xee),
  isvExtProdId: new Uint8Array(16).fill(2),
  isvProdId: 7,
  isvSvn: 3,
}

export function modulusOf(key: KeyObject): Uint8Array {
  return new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url').reverse())
}

export function signed(changes: Partial<SigstructBody> = {}, signer = SIGNER): Uint8Array {
  const body = { ...BODY, ...changes }
  const signature = new Uint8Array(sign('sha256', signedBytesOfSigstruct(body), signer.privateKey)).reverse()
  const modulus = modulusOf(signer.publicKey)
  return completeSigstruct(body, { modulus, signature, ...sigstructHints(signature, modulus) })
}

/** A SIGSTRUCT whose signature is these bytes, little-endian, with the hints that belong to them. */
export function withSignature(signature: Uint8Array, signer = SIGNER): Uint8Array {
  const modulus = modulusOf(signer.publicKey)
  return completeSigstruct(BODY, { modulus, signature, ...sigstructHints(signature, modulus) })
}

export const SIGNATURE_SIZE = RSA_SIZE
