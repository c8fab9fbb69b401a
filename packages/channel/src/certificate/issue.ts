// The certificate of an identity: self-signed, short-lived, with the evidence in it. It names nobody; what it proves
// is in the extension.
import { type KeyObject, randomBytes, sign } from 'node:crypto'
import * as asn1 from '@casemate/evidence/asn1'
import { OID_TAGGED_EVIDENCE } from '../evidence/carried.ts'

const OID_ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const NAME: asn1.Name = [['CN', 'casemate channel']]
/** RFC 5280, 4.1.2.2 allows 20 octets; half of them are unique enough. */
const SERIAL_BYTES = 10

export interface CertificateRequest extends asn1.Validity {
  /** P-256. */
  readonly privateKey: KeyObject
  /** DER SubjectPublicKeyInfo of the same key. */
  readonly spki: Uint8Array
  /** Value of the DICE extension; null for an identity that is not attested. */
  readonly evidence: Uint8Array | null
}

/** DER. */
export function issueCertificate({
  privateKey,
  spki,
  evidence,
  ...validity
}: CertificateRequest): Uint8Array {
  const serial = randomBytes(SERIAL_BYTES)
  // Neither zero nor shortened: its first octet is never 0.
  serial[0] = (serial[0] ?? 0) | 1
  return asn1.encodeCertificate(
    {
      ...validity,
      serial,
      issuer: NAME,
      subject: NAME,
      spki,
      extensions: [
        asn1.endEntity(),
        asn1.keyUsage('digitalSignature'),
        ...(evidence === null ? [] : [asn1.extension(OID_TAGGED_EVIDENCE, evidence)]),
      ],
    },
    {
      algorithm: asn1.sequence(asn1.oid(OID_ECDSA_SHA256)),
      sign: tbs => sign('sha256', tbs, privateKey),
    },
  )
}
