// The header of everything sealed, 128 bytes and the additional data; all of it is authenticated.
//   0  4  "CMSB"                                12  2  isvSvn
//   4  1  version, 1                            14  2  isvProdId; zero under mrEnclave
//   5  1  1 blob, 2 stream                      16 16  cpuSvn, or zero
//   6  1  1 mrEnclave, 2 mrSigner               32 32  mrEnclave or mrSigner, as the policy says
//   7  1  1 AES-256-GCM                         64 16  id of the root
//   8  1  root: 1 simulated, 2 Gramine, 3 broker  80 32  key id
//   9  1  1 sealed by a debug enclave          112 12  nonce of a blob; 7 bytes of it and 5 zero bytes in a stream
//  10  1  1 where cpuSvn counts                124  4  size of the additional data
//  11  1  zero                                 128     additional data
// Numbers are little-endian. One header has one spelling.
import { concat, equal, isZero } from '@casemate/evidence/bytes'
import { viewOf } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { KEY_ID_SIZE } from './derive.ts'
import type { SealingPolicy } from './identity.ts'
import { CPU_SVN_SIZE, POLICY_BITS, ROOT_ID_SIZE, ROOT_KINDS, type RootKind } from './root.ts'

export const HEADER_SIZE = 128
/** Of a stream’s chunk before it is sealed, in bytes; the only size of version 1. */
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
const MEASUREMENT_SIZE = 32

export interface SealedHeader {
  readonly form: 'blob' | 'stream'
  readonly policy: SealingPolicy
  readonly algorithm: 'AES-256-GCM'
  readonly rootKind: RootKind
  /** 16 bytes. */
  readonly rootId: Uint8Array
  /** Of whom it is for, 32 bytes: mrEnclave or mrSigner, as the policy says. */
  readonly measurement: Uint8Array
  /** 0 under policy mrEnclave. */
  readonly isvProdId: number
  readonly debug: boolean
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
  bytes.set([ROOT_KINDS[header.rootKind], header.debug ? 1 : 0, cpuSvn === null ? 0 : 1], 8)
  view.setUint16(12, header.isvSvn, true)
  view.setUint16(14, header.isvProdId, true)
  if (cpuSvn !== null) bytes.set(cpuSvn, 16)
  bytes.set(header.measurement, 32)
  bytes.set(header.rootId, 64)
  bytes.set(header.keyId, 80)
  bytes.set(header.nonce, 112)
  view.setUint32(124, additionalData.length, true)
  return concat(bytes, additionalData)
}

/** Whether a file that begins so means to be sealed. */
export function isSealed(start: Uint8Array): boolean {
  return start.length >= MAGIC.length && equal(start.subarray(0, MAGIC.length), MAGIC)
}

/** How many bytes header and additional data have, once the first 128 are there. @throws {EnclaveError} seal-malformed */
export function sizeOfHeader(start: Uint8Array): number {
  if (start.length < HEADER_SIZE || !isSealed(start)) {
    throw malformed('the bytes do not begin as something sealed does')
  }
  const size = viewOf(start).getUint32(124, true)
  if (size > MAX_ADDITIONAL_DATA) throw malformed(`the additional data has ${size} bytes`)
  return HEADER_SIZE + size
}

/** The header as a blob or stream states it; UNVERIFIED. @throws {EnclaveError} seal-malformed */
export function parseHeader(start: Uint8Array): SealedHeader {
  const size = sizeOfHeader(start)
  if (start.length < size) throw malformed('the additional data is cut off')
  // A copy also of a Buffer, whose slice() is none.
  const bytes = new Uint8Array(start.subarray(0, size))
  const view = viewOf(bytes)
  if (bytes[4] !== VERSION) throw malformed(`the version is ${bytes[4]}`)
  if (bytes[7] !== ALGORITHM_AES_256_GCM) throw malformed(`the algorithm is ${bytes[7]}`)
  const header: SealedHeader = {
    form: named(FORMS, bytes[5], 'form'),
    policy: named(POLICY_BITS, bytes[6], 'policy'),
    algorithm: 'AES-256-GCM',
    rootKind: named(ROOT_KINDS, bytes[8], 'root'),
    debug: bytes[9] === 1,
    isvSvn: view.getUint16(12, true),
    isvProdId: view.getUint16(14, true),
    cpuSvn: bytes[10] === 1 ? bytes.subarray(16, 16 + CPU_SVN_SIZE) : null,
    measurement: bytes.subarray(32, 32 + MEASUREMENT_SIZE),
    rootId: bytes.subarray(64, 64 + ROOT_ID_SIZE),
    keyId: bytes.subarray(80, 80 + KEY_ID_SIZE),
    nonce: bytes.subarray(112, 112 + NONCE_SIZE),
    additionalData: bytes.subarray(HEADER_SIZE),
  }
  if (header.policy === 'mrEnclave' && header.isvProdId !== 0)
    throw malformed('there is a product id where none counts')
  if (header.form === 'stream' && !isZero(header.nonce.subarray(NONCE_PREFIX_SIZE)))
    throw malformed('the nonce is too long')
  if (!equal(encodeHeader(header), bytes)) throw malformed('a reserved field is not zero, or a flag not 1')
  return header
}

function named<Name extends string>(
  table: Readonly<Record<Name, number>>,
  got: number | undefined,
  what: string,
): Name {
  for (const name in table) if (table[name] === got) return name
  throw malformed(`the ${what} is ${got}`)
}

function malformed(message: string): EnclaveError {
  return new EnclaveError('seal-malformed', message)
}
