// What stands before everything sealed, 80 bytes and the additional data; all of it is authenticated.
//   0  4  "CMSB"                8  2  isvSvn                   60  4  size of the additional data
//   4  1  version, 1           10  1  1 where cpuSvn counts    64  4  size of a chunk; 0 in a blob
//   5  1  1 blob, 2 stream     11  1  zero                     68 12  nonce of a blob; 7 bytes of it and
//   6  1  1 mrEnclave, 2 mrSigner  12 16  cpuSvn, or zero              5 zero bytes in a stream
//   7  1  1 AES-256-GCM        28 32  key id                   80     additional data
// Numbers are little-endian. One header has one spelling.
import { concat, equal, isZero, viewOf } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { KEY_ID_SIZE, POLICY_BITS } from './derive.ts'
import type { SealingPolicy } from './identity.ts'
import { CPU_SVN_SIZE } from './root.ts'

export const HEADER_SIZE = 80
/** Of a chunk’s plaintext, in bytes; the only size of version 1. */
export const CHUNK_SIZE = 65_536
/** In bytes: it is a label, and a reader of a stream holds it in memory. */
export const MAX_ADDITIONAL_DATA = 65_536
export const NONCE_SIZE = 12
/** The rest of a stream’s nonces is counter and last flag. */
export const NONCE_PREFIX_SIZE = 7
export const TAG_SIZE = 16

const MAGIC = new TextEncoder().encode('CMSB')
const VERSION = 1
const ALGORITHM_AES_256_GCM = 1
const FORMS = { blob: 1, stream: 2 } as const

export interface SealedHeader {
  readonly form: 'blob' | 'stream'
  readonly policy: SealingPolicy
  readonly algorithm: 'AES-256-GCM'
  /** Security version that sealed. */
  readonly isvSvn: number
  /** 16 bytes, or null. */
  readonly cpuSvn: Uint8Array | null
  /** 32 bytes. */
  readonly keyId: Uint8Array
  /** 12 bytes; of a stream the last 5 are zero. */
  readonly nonce: Uint8Array
  /** Readable by everybody, changeable by nobody. */
  readonly additionalData: Uint8Array
}

/** Header and additional data. @throws {EnclaveError} invalid-parameter */
export function encodeHeader(header: SealedHeader): Uint8Array {
  const { additionalData, cpuSvn } = header
  if (additionalData.length > MAX_ADDITIONAL_DATA) {
    throw new EnclaveError('invalid-parameter', `the additional data has ${additionalData.length} bytes`, {
      expected: `at most ${MAX_ADDITIONAL_DATA} bytes`,
      got: `${additionalData.length} bytes`,
    })
  }
  const bytes = new Uint8Array(HEADER_SIZE)
  const view = viewOf(bytes)
  bytes.set(MAGIC)
  bytes.set([VERSION, FORMS[header.form], POLICY_BITS[header.policy], ALGORITHM_AES_256_GCM], 4)
  view.setUint16(8, header.isvSvn, true)
  bytes[10] = cpuSvn === null ? 0 : 1
  if (cpuSvn !== null) bytes.set(cpuSvn, 12)
  bytes.set(header.keyId, 28)
  view.setUint32(60, additionalData.length, true)
  view.setUint32(64, header.form === 'stream' ? CHUNK_SIZE : 0, true)
  bytes.set(header.nonce, 68)
  return concat(bytes, additionalData)
}

/** How many bytes header and additional data have, once the first 80 are there. @throws {EnclaveError} seal-malformed */
export function sizeOfHeader(start: Uint8Array): number {
  if (start.length < HEADER_SIZE || !equal(start.subarray(0, MAGIC.length), MAGIC)) {
    throw malformed('the bytes do not begin as something sealed does')
  }
  const size = viewOf(start).getUint32(60, true)
  if (size > MAX_ADDITIONAL_DATA) throw malformed(`the additional data has ${size} bytes`)
  return HEADER_SIZE + size
}

/** What a blob or stream says about itself; UNVERIFIED. @throws {EnclaveError} seal-malformed */
export function parseHeader(start: Uint8Array): SealedHeader {
  const size = sizeOfHeader(start)
  if (start.length < size) throw malformed('the additional data is cut off')
  const bytes = start.slice(0, size)
  const view = viewOf(bytes)
  const form = bytes[5] === FORMS.blob ? 'blob' : bytes[5] === FORMS.stream ? 'stream' : null
  const policy =
    bytes[6] === POLICY_BITS.mrEnclave ? 'mrEnclave' : bytes[6] === POLICY_BITS.mrSigner ? 'mrSigner' : null
  if (bytes[4] !== VERSION) throw malformed(`the version is ${bytes[4]}`)
  if (form === null) throw malformed(`the form is ${bytes[5]}`)
  if (policy === null) throw malformed(`the policy is ${bytes[6]}`)
  if (bytes[7] !== ALGORITHM_AES_256_GCM) throw malformed(`the algorithm is ${bytes[7]}`)
  const header: SealedHeader = {
    form,
    policy,
    algorithm: 'AES-256-GCM',
    isvSvn: view.getUint16(8, true),
    cpuSvn: bytes[10] === 1 ? bytes.subarray(12, 12 + CPU_SVN_SIZE) : null,
    keyId: bytes.subarray(28, 28 + KEY_ID_SIZE),
    nonce: bytes.subarray(68, 68 + NONCE_SIZE),
    additionalData: bytes.subarray(HEADER_SIZE),
  }
  if (form === 'stream' && !isZero(header.nonce.subarray(NONCE_PREFIX_SIZE)))
    throw malformed('the nonce is too long')
  if (!equal(encodeHeader(header), bytes))
    throw malformed('a reserved field is not zero, or a size is another')
  return header
}

function malformed(message: string): EnclaveError {
  return new EnclaveError('seal-malformed', message)
}
