// Making and opening the keys that the store keeps: ES256 for tokens, Ed25519 for the ledger, AES-256 for sessions.

import {
  createHash,
  createPrivateKey,
  createSecretKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { JsonObject } from '../json.ts'
import type { KeyPurpose, StoredKey } from '../store/store.ts'
import { keyContext } from '../store/wrapping-context.ts'
import type { Wrapping } from './keys.ts'

const generate = promisify(generateKeyPair)

/** RFC 7638: SHA-256 over the required members in lexicographic order, base64url. */
export function jwkThumbprint(jwk: JsonObject): string {
  const members = jwk['kty'] === 'EC' ? ['crv', 'kty', 'x', 'y'] : ['crv', 'kty', 'x']
  const canonical = JSON.stringify(Object.fromEntries(members.map(name => [name, jwk[name]])))
  return createHash('sha256').update(canonical).digest('base64url')
}

/** A fresh key, wrapped; it signs or seals from `activeFrom` on. */
export async function createStoredKey(
  purpose: KeyPurpose,
  kek: Wrapping,
  times: { readonly now: Date; readonly activeFrom: Date },
): Promise<StoredKey> {
  const { id, publicJwk, secret } = await generateMaterial(purpose)
  const wrapped = await kek.wrap(secret, keyContext(purpose, id))
  secret.fill(0)
  return {
    id,
    purpose,
    publicJwk,
    wrapped,
    createdAt: times.now,
    activeFrom: times.activeFrom,
    retiresAt: null,
  }
}

interface Material {
  readonly id: string
  readonly publicJwk: JsonObject | null
  readonly secret: Uint8Array
}

async function generateMaterial(purpose: KeyPurpose): Promise<Material> {
  if (purpose === 'session') {
    return { id: randomBytes(SESSION_KEY_ID_BYTES).toString('hex'), publicJwk: null, secret: randomBytes(32) }
  }
  const { publicKey, privateKey } =
    purpose === 'token' ? await generate('ec', { namedCurve: 'P-256' }) : await generate('ed25519', {})
  const publicJwk = publicKey.export({ format: 'jwk' }) as JsonObject
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' })
  return { id: jwkThumbprint(publicJwk), publicJwk, secret }
}

/** Bytes of a session key's id, which every sealed session starts with. */
export const SESSION_KEY_ID_BYTES = 8

/** Unwraps once; the key object keeps the material outside JavaScript's heap. */
export async function openStoredKey(key: StoredKey, kek: Wrapping): Promise<KeyObject> {
  const secret = await kek.unwrap(key.wrapped, keyContext(key.purpose, key.id))
  try {
    if (key.purpose === 'session') return createSecretKey(secret)
    return createPrivateKey({
      key: Buffer.from(secret.buffer, secret.byteOffset, secret.length),
      format: 'der',
      type: 'pkcs8',
    })
  } finally {
    secret.fill(0)
  }
}
