// The calling convention between platform and code, version 1: ABI.md says it in words, this in types.
// Bytes go as (pointer, length); a result is one i64, pointer in the upper half and length in the lower one.
import type { Signature } from '../image/wasm-types.ts'

/** Every function that a manifest declares: bytes in, bytes out. */
export const CALL_SIGNATURE: Signature = '(i32,i32)->(i64)'

export const MEMORY_EXPORT = 'memory'
export const ALLOC_EXPORT = 'casemate_alloc'
export const FREE_EXPORT = 'casemate_free'
export const INITIALIZE_EXPORT = '_initialize'

/** Exports that are not for the caller; the code must have all but the last. */
export const OWN_EXPORTS: Readonly<Record<string, Signature>> = {
  [ALLOC_EXPORT]: '(i32)->(i32)',
  [FREE_EXPORT]: '(i32,i32)->()',
  [INITIALIZE_EXPORT]: '()->()',
}

/** Every function that a platform can offer. */
export const IMPORT_SIGNATURES = {
  'casemate.log': '(i32,i32)->()',
  'casemate.random': '(i32,i32)->()',
  'casemate.config': '(i32,i32)->(i64)',
  'casemate.secret': '(i32,i32)->(i64)',
  'casemate.seal': '(i32,i32,i32,i32,i32)->(i64)',
  'casemate.unseal': '(i32,i32)->(i64)',
} as const satisfies Readonly<Record<string, Signature>>

export type ImportName = keyof typeof IMPORT_SIGNATURES

export function isImportName(name: string): name is ImportName {
  return Object.hasOwn(IMPORT_SIGNATURES, name)
}

/** Answers of the platform that are no bytes: pointer 0 and this as the length. */
export const STATUS = {
  /** There is no such setting or secret. */
  none: 1,
  'seal-malformed': 2,
  'seal-svn-too-new': 3,
  'seal-cpu-svn-too-new': 4,
  'seal-mac-mismatch': 5,
  'invalid-parameter': 6,
  'seal-truncated': 7,
  'seal-root-mismatch': 8,
  'seal-enclave-mismatch': 9,
  'seal-signer-mismatch': 10,
  'seal-product-mismatch': 11,
  'seal-debug-mismatch': 12,
} as const

/** Imports that need a sealing root. */
export const SEALING_IMPORTS: readonly ImportName[] = ['casemate.seal', 'casemate.unseal']

/** Bytes in the memory of an instance. */
export interface Span {
  readonly pointer: number
  readonly length: number
}

export function unpack(packed: bigint): Span {
  const unsigned = BigInt.asUintN(64, packed)
  return { pointer: Number(unsigned >> 32n), length: Number(unsigned & 0xffff_ffffn) }
}

export function pack({ pointer, length }: Span): bigint {
  return BigInt.asIntN(64, (BigInt(pointer) << 32n) | BigInt(length))
}
