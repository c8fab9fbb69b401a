// What a machine sends with every quote, byte by byte the same until its quoting enclave makes a new key: attestation
// key, QE report with its signature, authentication data, certificates. What was found out about it once, holds for
// the same bytes: it is kept by them, and compared as a whole.

import { equalBytes, sha256 } from '#crypto'
import { BoundedMap } from '../bounded-map.ts'
import { concat, equal, isZero, startsWith } from '../bytes.ts'
import { DerReader, TAG } from '../der.ts'
import { P256_SPKI_PREFIX } from '../ecdsa.ts'
import { knownCertificate, memoryOf } from '../known-certificates.ts'
import { Refusal } from '../refusal.ts'
import type { Signed } from '../signature.ts'
import { type Certificate, readPemCertificates } from '../x509.ts'
import { CERTIFICATION, type QuoteSignatureData } from './quote.ts'

/** In bytes of memory: over 2,000 machines that send 4.5 KiB and have one certificate of their own. */
const MAX_KEPT_BYTES = 48 * 1024 * 1024
/** A chain has three certificates; more than a few are an attempt to keep us busy. */
const MAX_CHAIN_CERTIFICATES = 8
/**
 * Keys, report, signature, the objects around them and what signature.ts remembers with them: measured on Node 26 (2.9 KiB of
 * a stranger's, 3.9 of a machine whose key was imported) and rounded up.
 */
const FIXED_BYTES = 4096
const HASH_BYTES = 32
/** The last field of a report body. */
const REPORT_DATA_BYTES = 64

/** UNVERIFIED, like the quote that it came with. */
export interface QeCertification {
  /** Those that the quote itself carries; none for certification types 1 to 3. */
  readonly certificates: readonly Certificate[]
  /** To be signed by the PCK. */
  readonly qeReport: Signed
  /** Of the attestation key. */
  readonly spki: Uint8Array
  /** SHA-256 of attestation key and authentication data, which the QE report's REPORTDATA must be. */
  readonly binding: Uint8Array
  /** Whether it is. */
  readonly isBound: boolean
}

/** The octets of it. */
interface Sent {
  readonly attestationKey: Uint8Array
  readonly qeReport: Uint8Array
  readonly qeReportSignature: Uint8Array
  readonly qeAuthenticationData: Uint8Array
  readonly certificationType: number
  readonly certificationData: Uint8Array
}

interface Copy {
  readonly sent: Sent
  readonly spki: Uint8Array
  /** What the QE report binds: attestation key and authentication data. */
  readonly bound: Uint8Array
}

interface Kept {
  readonly sent: Sent
  readonly certification: QeCertification
}

const kept = new BoundedMap<number, Kept>(MAX_KEPT_BYTES, memoryOfKept)

/**
 * That of a quote.
 * @throws {Refusal} `evidence-malformed`, `certificate-malformed`, `evidence-unsupported`
 */
export async function qeCertificationOf(quote: QuoteSignatureData): Promise<QeCertification> {
  const key = keyOf(quote.qeReportSignature)
  const known = kept.get(key)
  if (known && isSent(known.sent, quote)) return known.certification
  const copy = copyOf(quote)
  const certification = await readCertification(copy)
  kept.set(key, { sent: copy.sent, certification })
  return certification
}

/** The certificates above a leaf are usually shared; they are counted all the same, as a stranger's are not. */
function memoryOfKept({ sent, certification }: Kept): number {
  const octets = FIXED_BYTES + sent.qeAuthenticationData.length + sent.certificationData.length
  return certification.certificates.reduce((sum, certificate) => sum + memoryOf(certificate), octets)
}

/** The first 48 bits of r: what a map finds; the comparison of everything decides. */
function keyOf(signature: Uint8Array): number {
  let key = 0
  for (let i = 0; i < 6; i++) key = key * 256 + (signature[i] ?? 0)
  return key
}

function isSent(sent: Sent, quote: QuoteSignatureData): boolean {
  return (
    sent.certificationType === quote.certificationType &&
    equal(sent.qeReportSignature, quote.qeReportSignature) &&
    equal(sent.attestationKey, quote.attestationKey) &&
    equalBytes(sent.qeReport, quote.qeReport.bytes) &&
    equal(sent.qeAuthenticationData, quote.qeAuthenticationData) &&
    equalBytes(sent.certificationData, quote.certificationData)
  )
}

/**
 * A quote's arrays are in its owner's hands, and what is kept must not change. One copy holds all, so that what belongs together
 * stands together: the key behind what makes it a SubjectPublicKeyInfo, and before what is hashed with it.
 */
function copyOf(quote: QuoteSignatureData): Copy {
  const { attestationKey, qeAuthenticationData, qeReport, qeReportSignature, certificationData } = quote
  const all = concat(
    P256_SPKI_PREFIX,
    attestationKey,
    qeAuthenticationData,
    qeReport.bytes,
    qeReportSignature,
    certificationData,
  )
  const key = P256_SPKI_PREFIX.length
  const authentication = key + attestationKey.length
  const report = authentication + qeAuthenticationData.length
  const signature = report + qeReport.bytes.length
  const data = signature + qeReportSignature.length
  return {
    spki: all.subarray(0, authentication),
    bound: all.subarray(key, report),
    sent: {
      attestationKey: all.subarray(key, authentication),
      qeAuthenticationData: all.subarray(authentication, report),
      qeReport: all.subarray(report, signature),
      qeReportSignature: all.subarray(signature, data),
      certificationType: quote.certificationType,
      certificationData: all.subarray(data),
    },
  }
}

async function readCertification({ spki, bound, sent }: Copy): Promise<QeCertification> {
  const binding = await sha256(bound)
  const reportData = sent.qeReport.subarray(-REPORT_DATA_BYTES)
  return {
    certificates: quoteCertificates(sent),
    qeReport: {
      tbs: sent.qeReport,
      signature: sent.qeReportSignature,
      signatureAlgorithm: 'ecdsa-sha256',
      signatureEncoding: 'p1363',
    },
    spki,
    binding,
    isBound: startsWith(reportData, binding) && isZero(reportData.subarray(HASH_BYTES)),
  }
}

/**
 * Those that a quote carries; none for certification types 1 to 3.
 * @throws {Refusal} `evidence-malformed`, `certificate-malformed`, `evidence-unsupported`
 */
export function quoteCertificates({
  certificationType,
  certificationData,
}: Pick<Sent, 'certificationType' | 'certificationData'>): readonly Certificate[] {
  if (certificationType < CERTIFICATION.pckLeaf) return []
  const isDer = certificationData[0] === TAG.sequence
  const found = isDer
    ? concatenatedDer(certificationData)
    : readPemCertificates(certificationData, 'evidence-malformed')
  if (found.length === 0 || found.length > MAX_CHAIN_CERTIFICATES) {
    const form = isDer ? 'DER' : 'PEM'
    throw new Refusal('evidence-malformed', `the quote holds ${found.length} certificates in ${form}`, {
      expected: `1 to ${MAX_CHAIN_CERTIFICATES}`,
      got: `${found.length}`,
    })
  }
  return found.map(der => knownCertificate(der))
}

/** Intel's specification wants PEM in type 5 (A.4, table 9); some quoting stacks concatenate DER, and the form decides nothing. */
function concatenatedDer(data: Uint8Array): readonly Uint8Array[] {
  const reader = new DerReader(data, 'evidence-malformed', 'certification data')
  const found: Uint8Array[] = []
  while (!reader.atEnd && found.length <= MAX_CHAIN_CERTIFICATES) {
    found.push(new Uint8Array(reader.expect(TAG.sequence).raw))
  }
  return found
}
