// Endorsements and the public half of a platform: what a verifier is given, without any private key.

import { type EndorsementSource, type TrustAnchor, VENDORS } from '@casemate/evidence'

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

/**
 * The inverse of {@link publicTrust}; every anchor comes back as simulated, whatever the JSON says.
 * @throws {TypeError} for any other JSON
 */
export function readPublicTrust(document: unknown): {
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly NamedEndorsement[]
} {
  const trust = record(document, 'public trust')
  return {
    anchors: list(trust, 'anchors').map(anchor => ({
      vendor: vendor(anchor['vendor']),
      name: text(anchor, 'name'),
      spki: bytes(anchor, 'spki'),
      simulated: true,
    })),
    endorsements: list(trust, 'endorsements').map(entry => ({
      name: text(entry, 'name'),
      bytes: bytes(entry, 'bytes'),
    })),
  }
}

type Fields = Readonly<Record<string, unknown>>

function record(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} is no object`)
  return value as Fields
}

function list(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name]
  if (!Array.isArray(value)) throw new TypeError(`public trust has no list of ${name}`)
  return value.map((item: unknown) => record(item, `one of ${name}`))
}

function vendor(value: unknown): TrustAnchor['vendor'] {
  const known = VENDORS.find(name => name === value)
  if (known === undefined) throw new TypeError(`the vendor of an anchor is ${VENDORS.join(' or ')}`)
  return known
}

function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new TypeError(`${name} is no text`)
  return value
}

function bytes(fields: Fields, name: string): Uint8Array {
  const value = text(fields, name)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw new TypeError(`${name} is not base64`)
  return Uint8Array.from(Buffer.from(value, 'base64'))
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64')
}
