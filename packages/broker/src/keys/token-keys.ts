// ES256 signatures on attestation results (RFC 7515, RFC 7518 3.4). A new key is published for a while before it
// signs, so that whoever caches the JWKS knows it in time; the old one stays until its last token has expired.

import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { KeyRing, RingKey } from './key-ring.ts'
import type { Jwks, TokenKeys } from './keys.ts'

const COMPACT = /^([\w-]{1,1024})\.([\w-]{1,262144})\.([\w-]{86})$/

export class SigningKeys implements TokenKeys {
  readonly #ring: KeyRing
  readonly #now: () => Date
  readonly #current: () => Promise<RingKey>
  /** By `kid`; as bounded as the ring. */
  #publicKeys = new Map<string, KeyObject>()

  /** @param current the key that signs now, made where there is none */
  constructor(ring: KeyRing, now: () => Date, current: () => Promise<RingKey>) {
    this.#ring = ring
    this.#now = now
    this.#current = current
  }

  async signToken(claims: JsonObject): Promise<string> {
    const current = await this.#current()
    const header = { typ: 'JWT', alg: 'ES256', kid: current.stored.id }
    const input = [encode(header), encode(claims)].join('.')
    const signature = sign('sha256', Buffer.from(input), { key: current.key, dsaEncoding: 'ieee-p1363' })
    // Joined, as V8 copies a text that is put together of others each time that it is written somewhere.
    return [input, signature.toString('base64url')].join('.')
  }

  async verifyToken(token: string, now: Date): Promise<JsonObject> {
    const [, header, payload, signature] = COMPACT.exec(token) ?? []
    if (header === undefined || payload === undefined || signature === undefined) {
      throw invalid('it is not a compact JWS')
    }
    const key = await this.#keyFor(decode(header), now)
    const options = { key, dsaEncoding: 'ieee-p1363' as const }
    if (
      !verify('sha256', Buffer.from(`${header}.${payload}`), options, Buffer.from(signature, 'base64url'))
    ) {
      throw invalid('its signature does not verify')
    }
    return withinWindow(decode(payload), now)
  }

  async jwks(): Promise<Jwks> {
    // Who caches an answer without the next key would not know it when it signs.
    await this.#ring.load()
    const keys = this.#ring.published(this.#now()).map(({ stored }) => ({
      ...stored.publicJwk,
      kid: stored.id,
      alg: 'ES256',
      use: 'sig',
    }))
    return { keys }
  }

  async #keyFor(header: JsonObject, now: Date): Promise<KeyObject> {
    const { alg, kid, ...rest } = header
    if (alg !== 'ES256' || typeof kid !== 'string') throw invalid('its header does not say ES256 and a kid')
    if ('crit' in rest) throw invalid('its header has critical extensions')
    const ringKey = await this.#ring.find(kid, now)
    if (ringKey === null) throw invalid('no published key has its kid')
    const known = this.#publicKeys.get(kid)
    if (known !== undefined) return known
    const publicKey = createPublicKey(ringKey.key)
    const published = new Set(this.#ring.published(now).map(({ stored }) => stored.id))
    this.#publicKeys = new Map(
      [...this.#publicKeys, [kid, publicKey] as const].filter(([id]) => published.has(id)),
    )
    return publicKey
  }
}

function withinWindow(claims: JsonObject, now: Date): JsonObject {
  const { exp, nbf } = claims
  const seconds = now.getTime() / 1000
  if (typeof exp !== 'number') throw invalid('it has no exp')
  if (typeof nbf === 'number' && nbf > seconds) throw invalid('it is not valid yet')
  if (exp <= seconds) throw new BrokerError('attestation-token-expired', 'the attestation token has expired')
  return claims
}

function encode(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part: string): JsonObject {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch {
    // Falls through: what the parser says would quote the token.
  }
  throw invalid('a part of it is not a JSON object')
}

function invalid(why: string): BrokerError {
  return new BrokerError('attestation-token-invalid', `the attestation token is not acceptable: ${why}`)
}
