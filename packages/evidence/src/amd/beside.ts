// Certificates that a wrapper holds beside a SEV-SNP report: a certificate table (configfs `auxblob`), PEM of one or of a
// whole chain, or DER, each as bytes or in the digits of one.

import { encodeUtf8, fromBase64, fromHex } from '../bytes.ts'
import { TAG } from '../der.ts'
import { bytesOfJson } from '../json-bytes.ts'
import type { Beside } from '../members.ts'
import { Refusal } from '../refusal.ts'
import { looksLikePem, parseCertificate, readPemCertificates } from '../x509.ts'
import { certificatesOf, parseCertTable, type SnpCertificate, type SnpCertificateType } from './cert-table.ts'
import { MAX_CERT_TABLE_SIZE, type SnpEvidence } from './evidence.ts'

/**
 * The report with the certificates that stood beside it.
 * @throws {Refusal} `evidence-malformed` where something beside it is none
 */
export function withCertificates(evidence: SnpEvidence, beside: readonly Beside[]): SnpEvidence {
  if (beside.length === 0) return evidence
  const found = beside.flatMap(certificatesBeside)
  return { ...evidence, certificates: certificatesOf([...evidence.certificates, ...found]) }
}

function certificatesBeside({ name, value }: Beside): readonly SnpCertificate[] {
  const bytes = bytesOf(value)
  if (bytes === null || bytes.length > MAX_CERT_TABLE_SIZE) throw malformed(name, 'no bytes of that size')
  if (bytes.length === 0) return []
  try {
    return readCertificates(bytes)
  } catch (error) {
    if (error instanceof Refusal) throw malformed(name, error.message)
    throw error
  }
}

function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value
  return typeof value === 'string' ? bytesOfText(value) : bytesOfJson(value)
}

/** PEM, base64 or hex; an empty text is none. */
function bytesOfText(text: string): Uint8Array | null {
  const trimmed = text.trim()
  if (trimmed.startsWith('-----')) return encodeUtf8(trimmed)
  const digits = trimmed.replaceAll(/\s+/g, '').replace(/^0x/i, '')
  return fromHex(digits) ?? fromBase64(digits)
}

function readCertificates(bytes: Uint8Array): readonly SnpCertificate[] {
  if (bytes[0] === TAG.sequence) return [namedByItself(bytes)]
  return looksLikePem(bytes) ? readPemCertificates(bytes).map(namedByItself) : parseCertTable(bytes)
}

/** AMD’s names: SEV-VCEK, SEV-VLEK, ARK-Milan, SEV-Milan. */
function namedByItself(der: Uint8Array): SnpCertificate {
  const { commonName } = parseCertificate(der)
  return { type: TYPES.find(([pattern]) => pattern.test(commonName))?.[1] ?? 'ASK', bytes: der }
}

const TYPES: readonly (readonly [RegExp, SnpCertificateType])[] = [
  [/^SEV-VCEK$/, 'VCEK'],
  [/^SEV-VLEK$/, 'VLEK'],
  [/\bARK-/, 'ARK'],
]

function malformed(name: string, got: string): Refusal {
  return new Refusal('evidence-malformed', `the certificates in ${name} cannot be read: ${got}`, {
    expected: 'a certificate table, PEM or DER',
    got,
  })
}
