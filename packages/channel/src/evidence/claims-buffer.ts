// The claims that evidence vouches for: a CBOR map whose SHA-256 is the first half of the report data (CCC Attestation
// SIG, Interoperable RA-TLS, “Evidence Custom Claims”). `pubkey-hash` and `nonce` are that document's; names that begin
// with `casemate-` are ours. Each value is a byte string; where it has parts, they are CBOR inside it.
import { encode } from 'cborg'
import { ChannelError } from '../errors.ts'
import { decodeStrict } from './cbor.ts'

/** Hash algorithms by their number in IANA's Named Information registry, which are those that the document lists. */
const ALGORITHMS = { 1: 'sha256', 7: 'sha384', 8: 'sha512' } as const
export type KeyHashAlgorithm = (typeof ALGORITHMS)[keyof typeof ALGORITHMS]
const SIZES: Readonly<Record<KeyHashAlgorithm, number>> = { sha256: 32, sha384: 48, sha512: 64 }

/** Ours hold some 2 KiB; others add claims of their own. */
const MAX_CLAIMS_BUFFER = 16 * 1024
const OUR_PREFIX = 'casemate-'

const NAMES = {
  keyHash: 'pubkey-hash',
  nonce: 'nonce',
  bindingKey: 'casemate-binding-key',
  window: 'casemate-window',
  sigstruct: 'casemate-enclave',
} as const

/** Until when the attested code lets its keys stand for it: a certificate says so too, but nobody vouches for that. */
export interface AttestedWindow {
  readonly notBefore: Date
  readonly notAfter: Date
}

export interface BoundClaims {
  /** Of the certificate's SubjectPublicKeyInfo in DER. */
  readonly keyHash: { readonly algorithm: KeyHashAlgorithm; readonly digest: Uint8Array }
  readonly nonce: Uint8Array | null
  /** DER SubjectPublicKeyInfo of the key that signs for sessions; null in evidence of other makes. */
  readonly bindingKey: Uint8Array | null
  readonly window: AttestedWindow | null
  /** SIGSTRUCT of the enclave image that the attested process runs; null if it runs none. */
  readonly sigstruct: Uint8Array | null
}

/** The claims-buffer; its SHA-256 belongs into the report data. */
export function encodeClaims(claims: BoundClaims): Uint8Array {
  const { keyHash, nonce, bindingKey, window, sigstruct } = claims
  const algorithm = Number(Object.entries(ALGORITHMS).find(([, name]) => name === keyHash.algorithm)?.[0])
  const map = new Map<string, Uint8Array>([[NAMES.keyHash, encode([algorithm, keyHash.digest])]])
  if (nonce !== null) map.set(NAMES.nonce, nonce)
  if (bindingKey !== null) map.set(NAMES.bindingKey, bindingKey)
  if (window !== null) {
    map.set(NAMES.window, encode([seconds(window.notBefore), seconds(window.notAfter)]))
  }
  if (sigstruct !== null) map.set(NAMES.sigstruct, sigstruct)
  return encode(map)
}

/** Decides shape only. @throws {ChannelError} evidence-malformed */
export function decodeClaims(bytes: Uint8Array): BoundClaims {
  if (bytes.length > MAX_CLAIMS_BUFFER) {
    throw malformed(`at most ${MAX_CLAIMS_BUFFER} bytes`, `${bytes.length} bytes`)
  }
  const map = decodeStrict(bytes, 'the claims-buffer')
  if (!(map instanceof Map)) throw malformed('a map', typeof map)
  const claims = new Map<string, Uint8Array>()
  for (const [name, value] of map) {
    if (typeof name !== 'string' || !(value instanceof Uint8Array)) {
      throw malformed('text for names, byte strings for values', 'something else')
    }
    claims.set(name, value)
  }
  const known: ReadonlySet<string> = new Set(Object.values(NAMES))
  const foreign = [...claims.keys()].find(name => name.startsWith(OUR_PREFIX) && !known.has(name))
  if (foreign !== undefined) throw malformed('claims of this version', 'a claim of another one')
  const keyHash = claims.get(NAMES.keyHash)
  if (keyHash === undefined) throw malformed(NAMES.keyHash, 'none')
  const window = claims.get(NAMES.window)
  return {
    keyHash: readKeyHash(keyHash),
    nonce: claims.get(NAMES.nonce) ?? null,
    bindingKey: claims.get(NAMES.bindingKey) ?? null,
    window: window === undefined ? null : readWindow(window),
    sigstruct: claims.get(NAMES.sigstruct) ?? null,
  }
}

function readKeyHash(bytes: Uint8Array): BoundClaims['keyHash'] {
  const value: unknown = decodeStrict(bytes, NAMES.keyHash)
  const [id, digest] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : []
  const algorithm = Object.entries(ALGORITHMS).find(([number]) => Number(number) === id)?.[1]
  if (algorithm === undefined || !(digest instanceof Uint8Array) || digest.length !== SIZES[algorithm]) {
    throw malformed('sha-256 (1), sha-384 (7) or sha-512 (8), and a digest of its size', 'something else')
  }
  return { algorithm, digest }
}

function readWindow(bytes: Uint8Array): AttestedWindow {
  const value: unknown = decodeStrict(bytes, NAMES.window)
  const times = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : []
  const [notBefore, notAfter] = times.map(time => (typeof time === 'number' ? new Date(time * 1000) : null))
  if (!notBefore || !notAfter || Number.isNaN(notBefore.getTime()) || Number.isNaN(notAfter.getTime())) {
    throw malformed('two times in seconds since 1970', 'something else')
  }
  return { notBefore, notAfter }
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

function malformed(expected: string, got: string): ChannelError {
  return new ChannelError(
    'evidence-malformed',
    `the claims-buffer is not what it has to be: want ${expected}`,
    {
      expected,
      got,
    },
  )
}
