// Certificates as they are issued: X.509 v3 (RFC 5280), in DER. Who signs, and how, is the caller's business.

import * as der from './der-writer.ts'

const OID = { keyUsage: '2.5.29.15', basicConstraints: '2.5.29.19' } as const

const ATTRIBUTE_OIDS = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
}

/** Key usages as far as anybody here sets them: the bits of the first octet. */
const KEY_USAGES = { digitalSignature: 0x80, nonRepudiation: 0x40, keyCertSign: 0x04, cRLSign: 0x02 } as const

/** A distinguished name in the order of the wire. */
export type Name = readonly (readonly [keyof typeof ATTRIBUTE_OIDS, string])[]

export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** What the OCTET STRING holds; for some vendors that is no DER. */
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

/** Signs what was encoded. */
export interface StructureSigner {
  /** DER AlgorithmIdentifier. */
  readonly algorithm: Uint8Array
  readonly sign: (tbs: Uint8Array) => Uint8Array
}

/** A signed certificate: DER. */
export function encodeCertificate(template: CertificateTemplate, signer: StructureSigner): Uint8Array {
  return encodeSigned(
    der.sequence(
      der.explicit(0, der.unsigned(2)),
      der.unsigned(template.serial),
      signer.algorithm,
      encodeName(template.issuer),
      der.sequence(der.time(template.notBefore), der.time(template.notAfter)),
      encodeName(template.subject),
      template.spki,
      der.explicit(3, encodeExtensions(template.extensions)),
    ),
    signer,
  )
}

/** What is to be signed, its algorithm and its signature: a certificate or a revocation list. */
export function encodeSigned(tbs: Uint8Array, { algorithm, sign }: StructureSigner): Uint8Array {
  return der.sequence(tbs, algorithm, der.bitString(sign(tbs)))
}

export function encodeName(attributes: Name): Uint8Array {
  return der.sequence(
    ...attributes.map(([type, value]) => {
      const text = type === 'C' ? der.printableString(value) : der.utf8String(value)
      return der.setOfOne(der.sequence(der.oid(ATTRIBUTE_OIDS[type]), text))
    }),
  )
}

export function encodeExtensions(extensions: readonly Extension[]): Uint8Array {
  return der.sequence(
    ...extensions.map(({ oid, critical, value }) =>
      // DER leaves out a default: `critical` is written only where it is true.
      der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value)),
    ),
  )
}

export function extension(oid: string, value: Uint8Array, critical = false): Extension {
  return { oid, critical, value }
}

export function keyUsage(...usages: readonly (keyof typeof KEY_USAGES)[]): Extension {
  const bits = usages.reduce((sum, usage) => sum | KEY_USAGES[usage], 0)
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
