// The attestation result: a JWT in the EAT Attestation Result profile. It is worth something only if the broker's
// current key signed it, now lies in its window, and it is about this handshake: our nonce, our TEE key.

import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'
import { refuse } from './failure.ts'
import type { Http } from './http.ts'
import type { TeePublicKey } from './tee-key.ts'

/** Seconds by which a guest's clock may differ from the broker's. */
export const CLOCK_TOLERANCE_S = 30

/** Demands on a token. */
export interface TokenExpectation {
  readonly issuer: string
  readonly audience: string
  readonly nonce: string
  readonly publicJwk: TeePublicKey
  readonly now: Date
}

/** The claims of a token whose signature and window were checked. */
export type TokenClaims = JWTPayload & Readonly<Record<string, unknown>>

/** Fetches the keys that the broker signs tokens with. */
export async function fetchTokenKeys(http: Http): Promise<JSONWebKeySet> {
  const answer = await http.send({ path: '/.well-known/jwks.json' })
  const keys = answer.json()
  if (typeof keys === 'object' && keys !== null && 'keys' in keys && Array.isArray(keys.keys)) {
    return { keys: keys.keys }
  }
  throw refuse('response-malformed', 'the broker’s JWKS has no list of keys')
}

/** Checks a token against the broker's keys. @throws {BrokerRefusal} token-* */
export async function verifyToken(
  token: string,
  keys: JSONWebKeySet,
  wanted: TokenExpectation,
): Promise<TokenClaims> {
  const claims = await verifySigned(token, keys, {
    algorithms: ['ES256'],
    issuer: wanted.issuer,
    audience: wanted.audience,
    requiredClaims: ['exp', 'iat', 'nbf', 'jti'],
    currentDate: wanted.now,
    clockTolerance: CLOCK_TOLERANCE_S,
  })
  if (!noncesOf(claims).includes(wanted.nonce)) {
    throw refuse('token-nonce-mismatch', 'the token does not carry the nonce of this handshake', {
      expected: wanted.nonce,
      got: JSON.stringify(claims['nonce']) ?? 'none',
    })
  }
  checkKey(claims, wanted.publicJwk)
  return claims
}

async function verifySigned(
  token: string,
  keys: JSONWebKeySet,
  options: JWTVerifyOptions,
): Promise<TokenClaims> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), options)
    return payload
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw refuse('token-expired', cause.message, { cause })
    if (cause instanceof errors.JWTClaimValidationFailed) {
      const expired = cause.claim === 'nbf' && cause.reason === 'check_failed'
      throw refuse(expired ? 'token-expired' : 'token-claim-mismatch', cause.message, {
        got: `${cause.claim} ${JSON.stringify(cause.payload[cause.claim]) ?? 'absent'}`,
        cause,
      })
    }
    throw refuse('token-signature-invalid', 'no key of the broker’s JWKS signed this token', { cause })
  }
}

/** `nonce` of EAT (RFC 9711, 4.1): one string or several. */
function noncesOf(claims: TokenClaims): readonly unknown[] {
  const nonce = claims['nonce'] ?? claims['eat_nonce']
  return Array.isArray(nonce) ? nonce : [nonce]
}

function checkKey(claims: TokenClaims, wanted: TeePublicKey): void {
  const bound = teeKeyOf(claims)
  const same =
    bound !== null &&
    Object.keys(bound).length === Object.keys(wanted).length &&
    Object.entries(wanted).every(([name, value]) => bound[name] === value)
  if (!same) {
    throw refuse('token-key-mismatch', 'the token does not bind the TEE key of this handshake', {
      got: bound === null ? 'no tee-pubkey' : JSON.stringify(bound),
      expected: JSON.stringify(wanted),
    })
  }
}

/** The TEE key of the CPU's submodule, where the Confidential Containers profile puts it. */
export function teeKeyOf(claims: TokenClaims): Readonly<Record<string, unknown>> | null {
  const path = ['submods', 'cpu0', 'ear.veraison.annotated-evidence', 'runtime_data_claims', 'tee-pubkey']
  let at: unknown = claims
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return null
    at = Reflect.get(at, name)
  }
  return typeof at === 'object' && at !== null ? (at as Readonly<Record<string, unknown>>) : null
}
