// Runtime data: what a guest hashes into its report, so that the evidence is bound to this session's nonce and to the
// key that the secret will be encrypted to. The digest is over RFC 8785 (JCS) JSON.
//   0.4.0         H({"additional-evidence": S, "nonce": N, "tee-pubkey": K}), S always present, "" without devices
//   0.1.1, 0.2.0  H({"nonce": N, "tee-pubkey": K}), always SHA-384

import { hash } from 'node:crypto'
import { canonicalJson, type JsonObject } from '@casemate/ledger'
import { BrokerError } from '../errors.ts'
import type { TeeJwk } from './tee-key.ts'
import type { ProtocolVersion } from './version.ts'

/** Digests that a session may choose; SM3 is offered by guests and not supported. */
export const HASH_ALGORITHMS = ['sha384', 'sha512', 'sha256'] as const
export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number]

/** What guests use when the challenge names none. */
export const DEFAULT_HASH_ALGORITHM: HashAlgorithm = 'sha384'

const OFFERED = 'supported-hash-algorithms'

/**
 * The best of those that a guest offers in `extra-params`; the default where it offers none.
 * @throws {BrokerError} `hash-algorithm-unsupported`
 */
export function selectHash(extraParams: unknown): HashAlgorithm {
  if (typeof extraParams !== 'object' || extraParams === null || !Object.hasOwn(extraParams, OFFERED)) {
    return DEFAULT_HASH_ALGORITHM
  }
  const offered: unknown = Reflect.get(extraParams, OFFERED)
  const names = Array.isArray(offered)
    ? offered.filter(name => typeof name === 'string').map(name => name.toLowerCase())
    : []
  const selected = HASH_ALGORITHMS.find(name => names.includes(name))
  if (selected !== undefined) return selected
  throw new BrokerError(
    'hash-algorithm-unsupported',
    `none of the offered hash algorithms is supported; want one of ${HASH_ALGORITHMS.join(', ')}`,
  )
}

/** REPORTDATA of an SGX, TDX or SNP report. */
export const REPORT_DATA_BYTES = 64

/** The guest's side of the binding. */
export interface RuntimeData {
  readonly version: ProtocolVersion
  readonly nonce: string
  readonly teeKey: TeeJwk
  /** The string as it was sent; ignored before 0.4.0. */
  readonly additionalEvidence: string
  readonly hash: HashAlgorithm
}

/** The report data that evidence for this session must carry: the digest, zero-padded to 64 bytes, hex. */
export function expectedReportData(runtimeData: RuntimeData): string {
  const { version, nonce, teeKey, additionalEvidence } = runtimeData
  const bound =
    version === '0.4.0'
      ? { 'additional-evidence': additionalEvidence, nonce, 'tee-pubkey': teeKey }
      : { nonce, 'tee-pubkey': teeKey }
  const digest = hash(runtimeData.hash, canonicalText(bound), 'hex')
  return digest.padEnd(REPORT_DATA_BYTES * 2, '0')
}

function canonicalText(value: JsonObject): string {
  try {
    return canonicalJson(value)
  } catch (error) {
    throw new BrokerError('request-malformed', 'runtime data has no canonical JSON form', { cause: error })
  }
}
