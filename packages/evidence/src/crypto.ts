// What this package needs of a cryptography library. Two modules implement it under `#crypto`, chosen by the
// import condition: node/crypto.ts (OpenSSL through node:crypto) and web/crypto.ts (WebCrypto).

import type { SignatureScheme } from './algorithm.ts'

/** An imported public key: importing costs about as much as verifying, so keys are kept (signature.ts). */
export interface PublicKey {
  /** The implementation's own key; opaque. */
  readonly handle: unknown
}

/** How an ECDSA signature is written: two fixed-size integers, or a DER SEQUENCE. RSA ignores it. */
export type SignatureEncoding = 'p1363' | 'der'

/** One signature to check. */
export interface SignatureCheck {
  readonly scheme: SignatureScheme
  readonly encoding: SignatureEncoding
  readonly signature: Uint8Array
  readonly message: Uint8Array
}

/** Largest SubjectPublicKeyInfo taken, in bytes; that of an RSA-4096 key has 550. */
export const MAX_SPKI_BYTES = 600

/** RSA keys as vendors have them. Others are refused: verifying with a huge one would keep a processor busy. */
const RSA_LIMITS = { minModulusBits: 2048, maxModulusBits: 4096, publicExponent: 65_537 } as const

/** The keys that sign SGX enclaves: EINIT knows no others. */
const SIGSTRUCT_LIMITS = { minModulusBits: 3072, maxModulusBits: 3072, publicExponent: 3 } as const

/** What an RSA key has to be like under a scheme. */
export function rsaLimitsOf(scheme: SignatureScheme): typeof RSA_LIMITS | typeof SIGSTRUCT_LIMITS {
  return scheme === 'rsa3-pkcs1-sha256' ? SIGSTRUCT_LIMITS : RSA_LIMITS
}

/** The names that both implementations export. */
export interface CryptoProvider {
  /** Equality of long public values, as fast as the platform has it; not constant-time. */
  equalBytes(a: Uint8Array, b: Uint8Array): boolean
  sha256(bytes: Uint8Array): Promise<Uint8Array>
  sha384(bytes: Uint8Array): Promise<Uint8Array>
  sha512(bytes: Uint8Array): Promise<Uint8Array>
  /** Null where the bytes are not a SubjectPublicKeyInfo that the scheme can use within {@link rsaLimitsOf}. */
  importKey(spki: Uint8Array, scheme: SignatureScheme): Promise<PublicKey | null>
  /** False for a wrong signature and for one that is not even well-formed. */
  verifySignature(key: PublicKey, check: SignatureCheck): Promise<boolean>
}
