// The request that the handshake hands to the pipeline.

import type { Kind } from '@casemate/evidence'
import type { JsonObject } from '../json.ts'
import type { Challenge } from '../store/store.ts'
import type { InitData } from './init-data.ts'

/** A guest's evidence and what its session demands of it. */
export interface AttestRequest {
  /** Its address, or the network of it that counts as one client. */
  readonly client: string
  /** What it answers; null: none. */
  readonly challenge: Challenge | null
  readonly tee: Kind
  readonly primaryEvidence: unknown
  /** What the guest says of the enclave that it runs, as it was sent; the report data is over it. Null: it says nothing. */
  readonly enclaveStatement: string | null
  /** 64 bytes of hex: the hash over nonce and TEE key. */
  readonly reportData: string
  readonly initData: InitData | null
  /** What the report data stands for; goes into token and record. */
  readonly runtimeData: JsonObject & { readonly nonce: string }
  readonly protocolVersion: string
}
