// The TEE's key: made for one handshake, bound by the evidence, and the only key that can open what is released.
// Its private half is a non-extractable WebCrypto key unless the caller says otherwise. LIMIT: no ML-KEM, which WebCrypto does not offer yet.

import { type CryptoKey, exportJWK, generateKeyPair } from 'jose'
import { ClientConfigError } from './failure.ts'

/** `tee-pubkey` on the wire: exactly the members that the report data binds (KBS protocol 0.4.0). */
export type TeePublicKey =
  | {
      readonly kty: 'EC'
      readonly crv: 'P-256' | 'P-521'
      readonly alg: 'ECDH-ES+A256KW'
      readonly x: string
      readonly y: string
    }
  | { readonly kty: 'RSA'; readonly alg: 'RSA-OAEP-256'; readonly n: string; readonly e: string }

/** The kinds of TEE key, P-256 being what guests use by default. */
export const KEY_TYPES = ['P-256', 'P-521', 'RSA-2048'] as const
export type KeyType = (typeof KEY_TYPES)[number]

/** A key pair of one handshake. */
export interface TeeKey {
  readonly publicJwk: TeePublicKey
  readonly privateKey: CryptoKey
}

/**
 * Makes a key. Extractable only if its private half is to be handed to other software of the same TEE.
 *
 * @throws {ClientConfigError} key-type-unsupported
 */
export async function generateTeeKey(keyType: KeyType, extractable = false): Promise<TeeKey> {
  switch (keyType) {
    case 'P-256':
    case 'P-521': {
      const pair = await generateKeyPair('ECDH-ES+A256KW', { crv: keyType, extractable })
      const { x = '', y = '' } = await exportJWK(pair.publicKey)
      return {
        publicJwk: { kty: 'EC', crv: keyType, alg: 'ECDH-ES+A256KW', x, y },
        privateKey: pair.privateKey,
      }
    }
    case 'RSA-2048': {
      const pair = await generateKeyPair('RSA-OAEP-256', { modulusLength: 2048, extractable })
      const { n = '', e = '' } = await exportJWK(pair.publicKey)
      return { publicJwk: { kty: 'RSA', alg: 'RSA-OAEP-256', n, e }, privateKey: pair.privateKey }
    }
    default:
      throw new ClientConfigError(
        'key-type-unsupported',
        `the key type is ${String(keyType satisfies never)}, want one of ${KEY_TYPES.join(', ')}`,
      )
  }
}
