// The signature algorithms that Intel's and AMD's chains and SGX enclaves use, and nothing else: ECDSA over P-256 with SHA-256,
// over P-384 with SHA-384, RSA PKCS #1 v1.5, and RSA-PSS as AMD uses it (SHA-384, MGF1 the same, 48 bytes of salt).

import { toHex } from './bytes.ts'
import { type DerElement, DerReader } from './der.ts'
import { Refusal, type RefusalCode } from './refusal.ts'

/** What was hashed and how it was signed. */
export const SIGNATURE_SCHEMES = [
  'ecdsa-sha256',
  'ecdsa-sha384',
  'rsa-pkcs1-sha256',
  'rsa-pkcs1-sha384',
  'rsa-pkcs1-sha512',
  'rsa-pss-sha384',
  // SIGSTRUCT: a public exponent of 3, which no certificate here may have. No AlgorithmIdentifier names it.
  'rsa3-pkcs1-sha256',
] as const
export type SignatureScheme = (typeof SIGNATURE_SCHEMES)[number]

/** Octets of the whole AlgorithmIdentifier: DER has one form, so that comparing them is reading them. */
const BY_OCTETS: ReadonlyMap<string, SignatureScheme> = new Map([
  ['300a06082a8648ce3d040302', 'ecdsa-sha256'],
  ['300a06082a8648ce3d040303', 'ecdsa-sha384'],
  ['300d06092a864886f70d01010b0500', 'rsa-pkcs1-sha256'],
  ['300d06092a864886f70d01010c0500', 'rsa-pkcs1-sha384'],
  ['300d06092a864886f70d01010d0500', 'rsa-pkcs1-sha512'],
])
const RSA_PSS_PREFIX = '06092a864886f70d01010a'

/** @throws {Refusal} `evidence-unsupported` */
export function parseSignatureAlgorithm(algorithm: DerElement, code: RefusalCode): SignatureScheme {
  const octets = toHex(algorithm.raw)
  const scheme = BY_OCTETS.get(octets)
  if (scheme) return scheme
  if (toHex(algorithm.contents).startsWith(RSA_PSS_PREFIX) && isAmdPss(algorithm, code))
    return 'rsa-pss-sha384'
  throw new Refusal('evidence-unsupported', `signature algorithm ${octets}`, {
    expected: `one of ${SIGNATURE_SCHEMES.join(', ')}`,
  })
}

/** RSASSA-PSS-params (RFC 4055): each field may spell out its default, and hashes may have a NULL parameter. */
function isAmdPss(algorithm: DerElement, code: RefusalCode): boolean {
  const reader = new DerReader(algorithm.contents, code, 'RSASSA-PSS parameters')
  reader.oid()
  const parameters = reader.enter(0x30)
  reader.finish()
  const fields = new Map<number, string>()
  while (!parameters.atEnd) {
    const field = parameters.next()
    fields.set(field.tag & 0x1f, toHex(field.contents))
  }
  const sha384 = /^30(0b0609608648016503040202|0d06096086480165030402020500)$/
  const mgf1Sha384 =
    /^30(18|1a)06092a864886f70d01010830(0b0609608648016503040202|0d06096086480165030402020500)$/
  return (
    sha384.test(fields.get(0) ?? '') &&
    mgf1Sha384.test(fields.get(1) ?? '') &&
    fields.get(2) === '020130' &&
    (fields.get(3) ?? '020101') === '020101'
  )
}
