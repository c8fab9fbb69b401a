// The payload of an EAR token (EAT Attestation Result, draft-fv-rats-ear-04 names, as Confidential Containers emit
// them): one submodule `cpu0` with the trustworthiness vector and the claims. Unlike theirs it names its audience, has
// an id and a beginning, and says under `casemate` whether the evidence was accepted, and whether it was simulated.
// Nothing secret goes in: neither violations nor hints. Signing is the broker's.

import type { Claims } from '@casemate/evidence'
import { annotatedEvidence } from './annotated-evidence.ts'
import type { TokenObject } from './kinds/kind.ts'
import type { AppraisalResult } from './result.ts'
import type { TrustStatus, TrustVector } from './trust-vector.ts'

/**
 * `eat_profile`: Confidential Containers' own, because the payload is a superset of what that profile describes and
 * relying parties choose their reader by it. What Casemate adds are claims that such readers ignore.
 */
export const TRUSTEE_EAT_PROFILE = 'tag:github.com,2024:confidential-containers/Trustee'

/** A relying party whose clock is a little behind would otherwise refuse a token that was made for it just now. */
const CLOCK_LEEWAY_S = 60

/** The result for one part of the attester; there is one, `cpu0`. */
export interface EarSubmod {
  readonly 'ear.status': TrustStatus
  readonly 'ear.trustworthiness-vector': TrustVector
  readonly 'ear.appraisal-policy-id': string
  readonly 'ear.veraison.annotated-evidence': TokenObject
}

/** Payload of the token; times are seconds since 1970. */
export interface EarClaims {
  readonly eat_profile: string
  readonly iss: string
  readonly aud: string
  readonly jti: string
  readonly iat: number
  readonly nbf: number
  readonly exp: number
  /** The session's nonce (RFC 9711, 4.1): 8 to 88 characters. */
  readonly eat_nonce?: string
  readonly 'ear.verifier-id': { readonly developer: string; readonly build: string }
  readonly submods: { readonly cpu0: EarSubmod }
  readonly casemate: {
    readonly accepted: boolean
    readonly simulated: boolean
    readonly policyVersion: number
    readonly workload: string | null
  }
}

/** What the token says beside the result. */
export interface EarContext {
  /** The claims that were appraised. */
  readonly claims: Claims
  readonly issuer: string
  readonly audience: string
  /** Unique per token. */
  readonly tokenId: string
  readonly issuedAt: Date
  /** Never later than the `validUntil` of the verification. */
  readonly expiresAt: Date
  readonly verifier: { readonly developer: string; readonly build: string }
  /** Null where there was no challenge. */
  readonly nonce: string | null
  /** What the report data stands for: nonce, tee-pubkey, additional-evidence; null when nothing is bound. */
  readonly runtimeData: TokenObject | null
  /** The init-data's `data` table, once its digest is known to be in the evidence; null when none was sent. */
  readonly initData: TokenObject | null
}

/**
 * The payload for a result.
 * @throws {TypeError} when the result is not bound to a session although its policy asks for it, or when the times
 * or the nonce are not what a token can have
 */
export function earClaims(result: AppraisalResult, context: EarContext): EarClaims {
  if (!result.bound)
    throw new TypeError('the result is not bound to a session: no token can be issued for it')
  const { issuer: iss, audience: aud, tokenId: jti, nonce, verifier } = context
  const issuedAt = seconds(context.issuedAt)
  const expiresAt = seconds(context.expiresAt)
  if (expiresAt <= issuedAt) throw new TypeError('the token would expire before it is issued')
  if (nonce !== null && (nonce.length < 8 || nonce.length > 88)) {
    throw new TypeError(`the nonce has ${nonce.length} characters, want 8 to 88`)
  }
  return {
    eat_profile: TRUSTEE_EAT_PROFILE,
    iss,
    aud,
    jti,
    iat: issuedAt,
    nbf: issuedAt - CLOCK_LEEWAY_S,
    exp: expiresAt,
    ...(nonce === null ? {} : { eat_nonce: nonce }),
    'ear.verifier-id': { developer: verifier.developer, build: verifier.build },
    submods: { cpu0: submod(result, context) },
    casemate: {
      accepted: result.accepted,
      simulated: result.simulated,
      policyVersion: result.policyVersion,
      workload: result.workload,
    },
  }
}

function submod(result: AppraisalResult, { claims, runtimeData, initData }: EarContext): EarSubmod {
  return {
    'ear.status': result.status,
    'ear.trustworthiness-vector': result.trustVector,
    'ear.appraisal-policy-id': result.policyId,
    'ear.veraison.annotated-evidence': {
      ...annotatedEvidence(claims),
      report_data: claims.reportData,
      init_data: claims.hostData,
      ...(runtimeData === null ? {} : { runtime_data_claims: runtimeData }),
      ...(initData === null ? {} : { init_data_claims: initData }),
    },
  }
}

function seconds(date: Date): number {
  const value = Math.floor(date.getTime() / 1000)
  if (!Number.isSafeInteger(value)) throw new TypeError('a time of the token is not a valid date')
  return value
}
