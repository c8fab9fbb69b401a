// The hardware signs the digest over the canonical runtime data, at the front of REPORT_DATA
// (KBS protocol 0.4.0: RFC 8785 JSON, SHA-384 unless the challenge selects another hash).

import { canonicalJson } from '@casemate/ledger'
import { refuse } from './failure.ts'
import type { TeePublicKey } from './tee-key.ts'

/** The size of REPORT_DATA in every TEE's report, in bytes. */
const REPORT_DATA_BYTES = 64

/** The protocol's names of hashes, with WebCrypto's. SM3 is not offered, as WebCrypto has none. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['sha256', 'SHA-256'],
  ['sha384', 'SHA-384'],
  ['sha512', 'SHA-512'],
])

/** The hashes to offer in the request. */
export const SUPPORTED_HASHES: readonly string[] = [...HASHES.keys()]

/** Used if the challenge selects none. */
export const DEFAULT_HASH = 'sha384'

/** The data that one handshake binds. */
export interface RuntimeData {
  /** As received. */
  readonly nonce: string
  readonly publicJwk: TeePublicKey
  /** The exact string that is sent; empty if there are no devices. */
  readonly additionalEvidence: string
}

/** REPORT_DATA for the primary evidence: the digest, padded with zeros on the right to 64 bytes. */
export async function reportDataOf(runtime: RuntimeData, hash: string): Promise<Uint8Array> {
  const algorithm = HASHES.get(hash)
  if (algorithm === undefined) {
    throw refuse('response-malformed', `the challenge selects the hash ${hash}`, {
      expected: SUPPORTED_HASHES.join(', '),
      got: hash,
    })
  }
  const text = canonicalJson({
    'additional-evidence': runtime.additionalEvidence,
    nonce: runtime.nonce,
    'tee-pubkey': runtime.publicJwk,
  })
  const digest = await crypto.subtle.digest(algorithm, new TextEncoder().encode(text))
  const reportData = new Uint8Array(REPORT_DATA_BYTES)
  reportData.set(new Uint8Array(digest))
  return reportData
}
