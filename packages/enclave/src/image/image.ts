// The enclave image, one file: a header of 24 bytes, manifest, code, signature. All numbers are little-endian.
//   0  8  "CMENCLV1"      8  4  size of the manifest     12  4  size of the code
//  16  4  size of the SIGSTRUCT: 1808, or 0 if it is unsigned     20  4  zero
// Nothing follows and nothing stands between: the same parts always give the same bytes.
import { createHash } from 'node:crypto'
import { concat, equal } from '@casemate/evidence/bytes'
import { viewOf } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { encodeManifest, type Manifest, parseManifest } from './manifest.ts'
import { parseSigstruct, SIGSTRUCT_SIZE, type Sigstruct } from './sigstruct.ts'

const MAGIC = new TextEncoder().encode('CMENCLV1')
const HEADER_SIZE = 24
/** Separates these hashes from every other use of SHA-256. */
const MEASUREMENT_DOMAIN = new TextEncoder().encode('casemate-enclave/1\n')
/** In bytes: far above what an enclave needs, and far below what a machine has. */
export const MAX_CODE_SIZE = 67_108_864

/** An image as it stands in its bytes; UNVERIFIED. */
export interface EnclaveImage {
  readonly manifest: Manifest
  /** WebAssembly in its binary form. */
  readonly code: Uint8Array<ArrayBuffer>
  /** Null if the image is unsigned. */
  readonly sigstruct: Sigstruct | null
  /** 32 bytes: SHA-256 over manifest and code. */
  readonly mrEnclave: Uint8Array
}

/** An unsigned image. @throws {EnclaveError} invalid-manifest, invalid-code */
export function encodeImage(manifest: Manifest, code: Uint8Array): Uint8Array {
  return assemble(encodeManifest(manifest), code, new Uint8Array())
}

/** The image with this signature in place of whatever it had. @throws {EnclaveError} as parseImage */
export function withSigstruct(image: Uint8Array, sigstruct: Uint8Array): Uint8Array {
  const { manifest, code } = parseImage(image)
  return assemble(encodeManifest(manifest), code, sigstruct)
}

/** Whether the bytes begin as an image does. */
export function isEnclaveImage(bytes: Uint8Array): boolean {
  return equal(bytes.subarray(0, MAGIC.length), MAGIC)
}

/** @throws {EnclaveError} invalid-image, invalid-manifest, invalid-metadata */
export function parseImage(bytes: Uint8Array): EnclaveImage {
  if (bytes.length < HEADER_SIZE || !isEnclaveImage(bytes)) {
    throw invalid('the bytes do not begin as an enclave image does', 'CMENCLV1')
  }
  const header = viewOf(bytes)
  const manifestSize = header.getUint32(8, true)
  const codeSize = header.getUint32(12, true)
  const signatureSize = header.getUint32(16, true)
  if (header.getUint32(20, true) !== 0) throw invalid('the reserved field at 20 is not zero', '0')
  if (signatureSize !== 0 && signatureSize !== SIGSTRUCT_SIZE) {
    throw invalid(`the signature has ${signatureSize} bytes`, `0 or ${SIGSTRUCT_SIZE} bytes`)
  }
  if (codeSize > MAX_CODE_SIZE) throw invalid(`the code has ${codeSize} bytes`, `at most ${MAX_CODE_SIZE}`)
  const codeAt = HEADER_SIZE + manifestSize
  const signatureAt = codeAt + codeSize
  if (bytes.length !== signatureAt + signatureSize) {
    throw invalid(`the image has ${bytes.length} bytes`, `${signatureAt + signatureSize} bytes`)
  }
  const manifestBytes = bytes.slice(HEADER_SIZE, codeAt)
  const code = new Uint8Array(bytes.subarray(codeAt, signatureAt))
  return {
    manifest: parseManifest(manifestBytes),
    code,
    sigstruct: signatureSize === 0 ? null : parseSigstruct(bytes.subarray(signatureAt)),
    mrEnclave: measure(manifestBytes, code),
  }
}

function measure(manifest: Uint8Array, code: Uint8Array): Uint8Array {
  const hash = createHash('sha256').update(MEASUREMENT_DOMAIN)
  for (const part of [manifest, code]) {
    const size = new Uint8Array(8)
    viewOf(size).setBigUint64(0, BigInt(part.length), true)
    hash.update(size).update(part)
  }
  return new Uint8Array(hash.digest())
}

function assemble(manifest: Uint8Array, code: Uint8Array, signature: Uint8Array): Uint8Array {
  if (code.length > MAX_CODE_SIZE) {
    throw new EnclaveError('invalid-code', `the code has ${code.length} bytes, want at most ${MAX_CODE_SIZE}`)
  }
  const header = new Uint8Array(HEADER_SIZE)
  header.set(MAGIC)
  const view = viewOf(header)
  view.setUint32(8, manifest.length, true)
  view.setUint32(12, code.length, true)
  view.setUint32(16, signature.length, true)
  return concat(header, manifest, code, signature)
}

function invalid(message: string, expected: string): EnclaveError {
  return new EnclaveError('invalid-image', `${message}, want ${expected}`, { expected })
}
