// Certificates and revocation lists as a vendor issues them: X.509 v3 and CRL v2 (RFC 5280), with ECDSA or
// RSASSA-PSS SHA-384. The issuer decides the algorithm; everything is written by the strict DER writer.

import * as der from './der.ts'
import { keyIdentifier, PSS_SALT_BYTES, type SigningKey, signStructure } from './keys.ts'

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  rsassaPss: '1.2.840.113549.1.1.10',
  mgf1: '1.2.840.113549.1.1.8',
  sha384: '2.16.840.1.101.3.4.2.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  crlDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
} as const

const ATTRIBUTE_OIDS = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
}

/** X.509’s key usages as far as the vendors set them: the bits of the first octet. */
const KEY_USAGE = { digitalSignature: 0x80, nonRepudiation: 0x40, keyCertSign: 0x04, cRLSign: 0x02 } as const

/** `keyCompromise`, RFC 5280 5.3.1: what both vendors give. */
const REASON_KEY_COMPROMISE = 1

/** A distinguished name in the order of the wire. */
export type Name = readonly (readonly [keyof typeof ATTRIBUTE_OIDS, string])[]

export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** What the OCTET STRING holds; for AMD’s hardware id that is no DER. */
  readonly value: Uint8Array
}

/** A validity window; both ends are inclusive. */
export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

export interface CertificateTemplate extends Validity {
  /** Big-endian, unsigned. */
  readonly serial: Uint8Array
  readonly issuer: Name
  readonly subject: Name
  readonly spki: Uint8Array
  readonly extensions: readonly Extension[]
}

export interface CrlTemplate {
  readonly issuer: Name
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  readonly revokedSerials: readonly Uint8Array[]
  readonly extensions: readonly Extension[]
}

/** Signs a certificate: DER. */
export function issueCertificate(template: CertificateTemplate, issuerKey: SigningKey): Uint8Array {
  return signed(
    der.sequence(
      der.explicit(0, der.unsigned(2)),
      der.unsigned(template.serial),
      algorithm(issuerKey),
      name(template.issuer),
      der.sequence(der.time(template.notBefore), der.time(template.notAfter)),
      name(template.subject),
      template.spki,
      der.explicit(3, extensionList(template.extensions)),
    ),
    issuerKey,
  )
}

/** Signs a revocation list: DER, version 2, each entry with its reason. */
export function issueCrl(template: CrlTemplate, issuerKey: SigningKey): Uint8Array {
  const entries = template.revokedSerials.map(serial =>
    der.sequence(
      der.unsigned(serial),
      der.time(template.thisUpdate),
      extensionList([extension(OID.reasonCode, der.enumerated(REASON_KEY_COMPROMISE))]),
    ),
  )
  return signed(
    der.sequence(
      der.unsigned(1),
      algorithm(issuerKey),
      name(template.issuer),
      der.time(template.thisUpdate),
      der.time(template.nextUpdate),
      // RFC 5280 5.1.2.6: absent, not empty, where nothing is revoked.
      ...(entries.length === 0 ? [] : [der.sequence(...entries)]),
      der.explicit(0, extensionList(template.extensions)),
    ),
    issuerKey,
  )
}

/** PEM with lines of 64 characters and a final newline. */
export function toPem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

export function extension(oid: string, value: Uint8Array, critical = false): Extension {
  return { oid, critical, value }
}

export function subjectKeyIdentifier(key: SigningKey): Extension {
  return extension(OID.subjectKeyIdentifier, der.octetString(keyIdentifier(key)))
}

export function authorityKeyIdentifier(issuerKey: SigningKey): Extension {
  return extension(OID.authorityKeyIdentifier, der.sequence(der.implicit(0, keyIdentifier(issuerKey))))
}

export function crlDistributionPoint(url: string): Extension {
  const fullName = der.explicit(0, der.implicit(6, Buffer.from(url, 'latin1')))
  return extension(OID.crlDistributionPoints, der.sequence(der.sequence(der.explicit(0, fullName))))
}

export function keyUsage(...usages: readonly (keyof typeof KEY_USAGE)[]): Extension {
  const bits = usages.reduce((sum, usage) => sum | KEY_USAGE[usage], 0)
  // DER leaves out trailing zero bits of a named bit list.
  const unusedBits = Math.log2(bits & -bits)
  return extension(OID.keyUsage, der.bitString(Uint8Array.of(bits), unusedBits), true)
}

/** Basic constraints of an authority. */
export function authority(pathLength: number | 'any'): Extension {
  const limit = pathLength === 'any' ? [] : [der.unsigned(pathLength)]
  return extension(OID.basicConstraints, der.sequence(der.boolean(true), ...limit), true)
}

/** Basic constraints of an end entity: nothing, as `false` is the default. */
export function endEntity(): Extension {
  return extension(OID.basicConstraints, der.sequence(), true)
}

export function crlNumber(number: number): Extension {
  return extension(OID.crlNumber, der.unsigned(number))
}

function extensionList(extensions: readonly Extension[]): Uint8Array {
  return der.sequence(
    ...extensions.map(({ oid, critical, value }) =>
      // DER leaves out a default: `critical` is written only where it is true.
      der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value)),
    ),
  )
}

function name(attributes: Name): Uint8Array {
  return der.sequence(
    ...attributes.map(([type, value]) => {
      const text = type === 'C' ? der.printableString(value) : der.utf8String(value)
      return der.setOfOne(der.sequence(der.oid(ATTRIBUTE_OIDS[type]), text))
    }),
  )
}

function algorithm(issuerKey: SigningKey): Uint8Array {
  if (issuerKey.type === 'P-256') return der.sequence(der.oid(OID.ecdsaWithSha256))
  if (issuerKey.type === 'P-384') return der.sequence(der.oid(OID.ecdsaWithSha384))
  const sha384 = der.sequence(der.oid(OID.sha384), der.nullValue())
  return der.sequence(
    der.oid(OID.rsassaPss),
    der.sequence(
      der.explicit(0, sha384),
      der.explicit(1, der.sequence(der.oid(OID.mgf1), sha384)),
      der.explicit(2, der.unsigned(PSS_SALT_BYTES)),
    ),
  )
}

function signed(tbs: Uint8Array, issuerKey: SigningKey): Uint8Array {
  return der.sequence(tbs, algorithm(issuerKey), der.bitString(signStructure(issuerKey, tbs)))
}
