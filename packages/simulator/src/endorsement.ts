// Endorsements and the public half of a platform: what a verifier is given, without any private key.

import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'

/** One endorsement in the form in which its vendor serves it; recognised by content, `name` is for people. */
export interface NamedEndorsement<Name extends string = string> extends EndorsementSource {
  readonly name: Name
}

/** Anchors and endorsements as JSON, for a verifier in another process; byte fields are base64. */
export interface PublicTrust {
  readonly anchors: readonly {
    readonly vendor: TrustAnchor['vendor']
    readonly name: string
    readonly spki: string
    readonly simulated: true
  }[]
  readonly endorsements: readonly { readonly name: string; readonly bytes: string }[]
}

export function publicTrust(
  anchors: readonly TrustAnchor[],
  endorsements: readonly NamedEndorsement[],
): PublicTrust {
  return {
    anchors: anchors.map(({ vendor, name, spki }) => ({ vendor, name, spki: base64(spki), simulated: true })),
    endorsements: endorsements.map(({ name, bytes }) => ({ name, bytes: base64(bytes) })),
  }
}

/** The inverse of {@link publicTrust}; every anchor comes back as simulated, whatever the JSON says. */
export function readPublicTrust(trust: PublicTrust): {
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly NamedEndorsement[]
} {
  return {
    anchors: trust.anchors.map(({ vendor, name, spki }) => ({
      vendor,
      name,
      spki: bytes(spki),
      simulated: true,
    })),
    endorsements: trust.endorsements.map(entry => ({ name: entry.name, bytes: bytes(entry.bytes) })),
  }
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64')
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}
