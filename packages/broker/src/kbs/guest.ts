// Which attested guest makes a request: the session in its cookie, or else the attestation token it bears.

import type { FastifyRequest } from 'fastify'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { readCookie } from './cookie.ts'
import type { KbsParts } from './parts.ts'
import type { TeeKey } from './tee-key.ts'
import type { ProtocolVersion } from './version.ts'

/** A guest with an accepted attestation that is still good. */
export interface Guest {
  readonly attestationId: string
  /** The key that the evidence bound; nothing is ever encrypted to another. */
  readonly teeKey: TeeKey
  readonly version: ProtocolVersion
}

/** What guests are recognised by. */
export type GuestParts = Pick<KbsParts, 'sessions' | 'teeKeys' | 'tokenKeys' | 'config' | 'now'>

/** Where a token of ours holds the attested key (EAR, Confidential Containers profile). */
const TEE_KEY_PATH = [
  'submods',
  'cpu0',
  'ear.veraison.annotated-evidence',
  'runtime_data_claims',
  'tee-pubkey',
] as const

const BEARER = /^Bearer ([\w.-]+)$/i

/** Also tells the request whose it is. @throws {BrokerError} `attestation-token-missing`, `attestation-token-invalid`, `attestation-token-expired` */
export async function guestOf(parts: GuestParts, request: FastifyRequest): Promise<Guest> {
  const guest = await recognised(parts, request)
  request.attestation = guest.attestationId
  return guest
}

async function recognised(parts: GuestParts, request: FastifyRequest): Promise<Guest> {
  const session = await parts.sessions.openAttested(readCookie(request.headers.cookie))
  if (session !== null) {
    const { attestationId, version, teeKey } = session
    return { attestationId, version, teeKey: parts.teeKeys.read(teeKey) }
  }
  const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? []
  if (token === undefined) {
    throw new BrokerError('attestation-token-missing', 'neither an attested session nor a token was sent')
  }
  return bearer(parts, token)
}

async function bearer(parts: GuestParts, token: string): Promise<Guest> {
  const { tokenKeys, config, now } = parts
  const claims = await tokenKeys.verifyToken(token, now())
  if (claims['iss'] !== config.issuer) throw invalid('its iss is not this broker')
  if (claims['aud'] !== config.issuer) throw invalid('its aud is not this broker')
  const attestationId = claims['jti']
  if (typeof attestationId !== 'string') throw invalid('it has no jti')
  return { attestationId, teeKey: parts.teeKeys.read(teeKeyOf(claims)), version: '0.4.0' }
}

function teeKeyOf(claims: JsonObject): unknown {
  let at: unknown = claims
  for (const name of TEE_KEY_PATH) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name))
      throw invalid('it binds no TEE key')
    at = Reflect.get(at, name)
  }
  return at
}

function invalid(why: string): BrokerError {
  return new BrokerError('attestation-token-invalid', `the attestation token is not acceptable: ${why}`)
}
