// Signing images, here or apart: print what is signed, sign it in an HSM or offline, attach the signature.
// The SIGSTRUCT of an image insists on every attribute, so that a production signature never runs a debug enclave.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { equal, toHex } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'
import { isElf, readElfSigstructs } from './elf.ts'
import { type EnclaveImage, parseImage, withSigstruct } from './image.ts'
import { attachSignature, signSigstruct, verifySigstruct } from './signature.ts'
import {
  ATTRIBUTE_DEBUG,
  parseSigstruct,
  SIGSTRUCT_SIZE,
  type Sigstruct,
  type SigstructBody,
  signedBytesOf,
} from './sigstruct.ts'

/** ATTRIBUTES.MODE64BIT and the x87 and SSE state, which the SGX SDK sets for every enclave. */
const MODE64BIT = 0x4n
const XFRM_LEGACY = 0x3n
const ALL_U64 = 0xffff_ffff_ffff_ffffn
const ALL_U32 = 0xffff_ffff

/** The day of signing, yyyymmdd: part of what is signed, so an argument. */
export interface SigningDate {
  readonly date: string
}

/** The 256 bytes to sign with RSA-3072 PKCS #1 v1.5 and SHA-256. @throws {EnclaveError} as parseImage */
export function signedBytesOfImage(image: Uint8Array, { date }: SigningDate): Uint8Array {
  return signedBytesOf(bodyOf(parseImage(image), date))
}

/** @throws {EnclaveError} as parseImage, invalid-key, invalid-parameter */
export function signImage(
  image: Uint8Array,
  options: SigningDate & { readonly privateKey: KeyObject },
): Uint8Array {
  return withSigstruct(image, signSigstruct(bodyOf(parseImage(image), options.date), options.privateKey))
}

/**
 * With a signature that was made elsewhere: 384 bytes, big-endian.
 * @throws {EnclaveError} as parseImage, invalid-key, invalid-parameter, invalid-signature
 */
export function attachImageSignature(
  image: Uint8Array,
  options: SigningDate & { readonly publicKey: KeyObject; readonly signature: Uint8Array },
): Uint8Array {
  const { publicKey, signature } = options
  const key = publicKey.type === 'private' ? createPublicKey(publicKey) : publicKey
  return withSigstruct(image, attachSignature(bodyOf(parseImage(image), options.date), key, signature))
}

/**
 * That the image is signed, and that the signature speaks of this image.
 * @throws {EnclaveError} image-unsigned, invalid-signature, invalid-signature-hints, invalid-measurement,
 * identity-mismatch
 */
export function verifyImage(image: EnclaveImage): Sigstruct {
  const { sigstruct, manifest } = image
  if (sigstruct === null) throw new EnclaveError('image-unsigned', 'the image carries no signature')
  verifySigstruct(sigstruct)
  if (!equal(sigstruct.enclaveHash, image.mrEnclave)) {
    throw new EnclaveError('invalid-measurement', 'the SIGSTRUCT signs another enclave than this', {
      expected: toHex(sigstruct.enclaveHash),
      got: toHex(image.mrEnclave),
    })
  }
  const wanted = bodyOf(image, sigstruct.date)
  const identities = [
    ['product id', wanted.isvProdId, sigstruct.isvProdId],
    ['security version', wanted.isvSvn, sigstruct.isvSvn],
    ['attributes', wanted.attributes.flags, sigstruct.attributes.flags],
    ['attribute mask', wanted.attributeMask.flags, sigstruct.attributeMask.flags],
  ] as const
  for (const [name, expected, got] of identities) {
    if (expected === got) continue
    throw new EnclaveError('identity-mismatch', `the ${name} that was signed is ${got}, want ${expected}`, {
      expected: String(expected),
      got: String(got),
      hint: `the manifest of ${manifest.name} and its signature were made for different identities`,
    })
  }
  return sigstruct
}

/**
 * The SIGSTRUCTs of a file of any kind: 1,808 bytes of a `.sig`, a signed SGX enclave (ELF), or an image of ours;
 * UNVERIFIED, at least one.
 * @throws {EnclaveError} invalid-metadata, image-unsigned, as parseImage
 */
export function recogniseSigstructs(file: Uint8Array): readonly [Sigstruct, ...Sigstruct[]] {
  if (file.length === SIGSTRUCT_SIZE) return [parseSigstruct(file)]
  if (isElf(file)) return readElfSigstructs(file)
  const { sigstruct } = parseImage(file)
  if (sigstruct === null) throw new EnclaveError('image-unsigned', 'the image carries no signature')
  return [sigstruct]
}

function bodyOf({ manifest, mrEnclave }: EnclaveImage, date: string): SigstructBody {
  return {
    vendor: 0,
    date,
    swDefined: 0,
    miscSelect: 0,
    miscMask: ALL_U32,
    cetAttributes: 0,
    cetAttributesMask: 0xff,
    isvFamilyId: new Uint8Array(16),
    attributes: { flags: MODE64BIT | (manifest.debug ? ATTRIBUTE_DEBUG : 0n), xfrm: XFRM_LEGACY },
    attributeMask: { flags: ALL_U64, xfrm: ALL_U64 },
    enclaveHash: mrEnclave,
    isvExtProdId: new Uint8Array(16),
    isvProdId: manifest.isvProdId,
    isvSvn: manifest.isvSvn,
  }
}
