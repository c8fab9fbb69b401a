// Certificates and revocation lists as a vendor issues them: X.509 v3 and CRL v2 (RFC 5280), with ECDSA or
// RSASSA-PSS SHA-384. The issuer decides the algorithm; everything is written by the strict DER writer.

import * as der from '@casemate/evidence/asn1'
import { keyIdentifier, PSS_SALT_BYTES, type SigningKey, signStructure } from './keys.ts'

type Extension = der.Extension

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  rsassaPss: '1.2.840.113549.1.1.10',
  mgf1: '1.2.840.113549.1.1.8',
  sha384: '2.16.840.1.101.3.4.2.2',
  subjectKeyIdentifier: '2.5.29.14',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  crlDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
} as const

/** `keyCompromise`, RFC 5280 5.3.1: what both vendors give. */
const REASON_KEY_COMPROMISE = 1

export interface CrlTemplate {
  readonly issuer: der.Name
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  readonly revokedSerials: readonly Uint8Array[]
  readonly extensions: readonly Extension[]
}

/** Signs a certificate: DER. */
export function issueCertificate(template: der.CertificateTemplate, issuerKey: SigningKey): Uint8Array {
  return der.encodeCertificate(template, signer(issuerKey))
}

/** Signs a revocation list: DER, version 2, each entry with its reason. */
export function issueCrl(template: CrlTemplate, issuerKey: SigningKey): Uint8Array {
  const entries = template.revokedSerials.map(serial =>
    der.sequence(
      der.unsigned(serial),
      der.time(template.thisUpdate),
      der.encodeExtensions([der.extension(OID.reasonCode, der.enumerated(REASON_KEY_COMPROMISE))]),
    ),
  )
  const { algorithm, sign } = signer(issuerKey)
  return der.encodeSigned(
    der.sequence(
      der.unsigned(1),
      algorithm,
      der.encodeName(template.issuer),
      der.time(template.thisUpdate),
      der.time(template.nextUpdate),
      // RFC 5280 5.1.2.6: absent, not empty, where nothing is revoked.
      ...(entries.length === 0 ? [] : [der.sequence(...entries)]),
      der.explicit(0, der.encodeExtensions(template.extensions)),
    ),
    { algorithm, sign },
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

export function subjectKeyIdentifier(key: SigningKey): Extension {
  return der.extension(OID.subjectKeyIdentifier, der.octetString(keyIdentifier(key)))
}

export function authorityKeyIdentifier(issuerKey: SigningKey): Extension {
  return der.extension(OID.authorityKeyIdentifier, der.sequence(der.implicit(0, keyIdentifier(issuerKey))))
}

export function crlDistributionPoint(url: string): Extension {
  const fullName = der.explicit(0, der.implicit(6, Buffer.from(url, 'latin1')))
  return der.extension(OID.crlDistributionPoints, der.sequence(der.sequence(der.explicit(0, fullName))))
}

export function crlNumber(number: number): Extension {
  return der.extension(OID.crlNumber, der.unsigned(number))
}

function signer(issuerKey: SigningKey): der.StructureSigner {
  return { algorithm: algorithm(issuerKey), sign: tbs => signStructure(issuerKey, tbs) }
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
