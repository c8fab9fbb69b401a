// Trust anchors: the public keys in which every chain must end. Vendors’ keys are pinned in the product;
// a simulator’s are passed in by whoever chose to trust it, and mark everything below them as simulated.

/** Whose roots are known. */
export const VENDORS = ['intel', 'amd'] as const

/** A root public key. Pinning the key, not a certificate, accepts every edition of the root that carries it. */
export interface TrustAnchor {
  readonly vendor: (typeof VENDORS)[number]
  /** For a person, e.g. `Intel SGX Root CA` or `ARK-Milan`; for AMD the product is read from it. */
  readonly name: string
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly simulated: boolean
}
