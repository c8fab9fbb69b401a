// The attestation result as a signed token: an EAR (JWT, ES256) that ends no later than what it rests on.

import { type AppraisalResult, earClaims } from '@casemate/appraisal'
import type { Verified } from '@casemate/evidence'
import type { BrokerConfig } from '../config/settings.ts'
import type { JsonObject } from '../json.ts'
import type { TokenKeys } from '../keys/keys.ts'
import type { AttestRequest } from './request.ts'

/** `ear.verifier-id`: who appraised. */
const VERIFIER = { developer: 'Casemate', build: 'casemate broker' }

/** Longest init-data that is repeated in a token, in characters; tokens travel in request heads of 128 KiB. */
const MAX_INIT_DATA_CHARS = 16_384

/** What tokens are signed with. */
export interface TokenSigning {
  readonly config: Pick<BrokerConfig, 'issuer' | 'tokenLifetime'>
  readonly tokenKeys: Pick<TokenKeys, 'signToken'>
}

/** An accepted appraisal of one session. */
export interface ResultToSign {
  readonly id: string
  readonly at: Date
  readonly request: AttestRequest
  readonly verified: Verified
  readonly result: AppraisalResult
  readonly expiresAt: Date
}

/** When a token of this verdict ends, in whole seconds; null where what it rests on ends before a token could be used. */
export function tokenEnd(
  { config }: Pick<TokenSigning, 'config'>,
  { at, verified, result }: Pick<ResultToSign, 'at' | 'verified' | 'result'>,
): Date | null {
  const end = Math.min(
    at.getTime() + config.tokenLifetime,
    verified.validUntil.getTime(),
    result.freshUntil === null ? Number.POSITIVE_INFINITY : Date.parse(result.freshUntil),
  )
  const expiresAt = new Date(end - (end % 1000))
  return expiresAt.getTime() - at.getTime() < 1000 ? null : expiresAt
}

export async function signResult(
  { config, tokenKeys }: TokenSigning,
  accepted: ResultToSign,
): Promise<string> {
  const { id, at, request, verified, result, expiresAt } = accepted
  const claims = earClaims(result, {
    claims: verified.claims,
    issuer: config.issuer,
    audience: config.issuer,
    tokenId: id,
    issuedAt: at,
    expiresAt,
    verifier: VERIFIER,
    nonce: request.runtimeData.nonce,
    runtimeData: { ...request.runtimeData },
    initData: smallInitData(request),
  })
  return tokenKeys.signToken(claims as unknown as JsonObject)
}

/** Larger init-data is in the token by its digest alone. */
function smallInitData({ initData }: AttestRequest): JsonObject | null {
  if (initData === null) return null
  return JSON.stringify(initData.data).length <= MAX_INIT_DATA_CHARS ? { ...initData.data } : null
}
