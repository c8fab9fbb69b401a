// The certificate table that a host may hand to a guest with its report (SEV-ES GHCB standardization, 56421, SNP
// Extended Guest Request): 24-byte entries of GUID, offset and length up to an all-zero one, then the certificates.
// The host wrote it: UNVERIFIED, like everything a chain is built from.

import { ByteReader, isZero, toHex } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import { MAX_CERTIFICATE_BYTES } from '../x509.ts'

export const SNP_CERTIFICATE_TYPES = ['VCEK', 'VLEK', 'ASK', 'ARK', 'CRL'] as const
export type SnpCertificateType = (typeof SNP_CERTIFICATE_TYPES)[number]

/** DER, or PEM where a host stored that; ASK also names an ASVK. */
export interface SnpCertificate {
  readonly type: SnpCertificateType
  readonly bytes: Uint8Array
}

const ENTRY_SIZE = 24
/** Five kinds exist; hosts may add their own. */
export const MAX_CERT_TABLE_ENTRIES = 32
/** Most certificates taken with one report: leaf, ASK or ASVK, ARK and CRL, and room for a few more. */
export const MAX_SNP_CERTIFICATES = 8

const GUIDS: Readonly<Record<SnpCertificateType, string>> = {
  VCEK: '63da758de6644564adc5f4b93be8accd',
  VLEK: 'a8074bc2a25a483eaae639c045a0b8a1',
  ASK: '4ab7b379bbac4fe4a02f05aef327c782',
  ARK: 'c0b406a4a803495297433fb6014cd0ae',
  CRL: '92f81bc358114d3d97ffd19f88dc67ea',
}

// Hosts write the digits of a GUID in their order (as uuid_parse does) or, seldom, with the first three groups
// little-endian; the five that matter cannot be confused either way.
const TYPE_OF_GUID = new Map(
  SNP_CERTIFICATE_TYPES.flatMap(type => [
    [GUIDS[type], type] as const,
    [mixedEndian(GUIDS[type]), type] as const,
  ]),
)

/** What a GUID that matters begins with: bytes that may be anything rarely do. */
const FIRST_OCTETS: ReadonlySet<number> = new Set(
  Array.from(TYPE_OF_GUID.keys(), guid => Number.parseInt(guid.slice(0, 2), 16)),
)

/** An entry of a certificate table in either form; type null where its GUID is nobody's that is known here. */
export interface CertTableEntry {
  readonly type: SnpCertificateType | null
  readonly bytes: Uint8Array
}

/**
 * The certificates among the entries of a table, binary or JSON. What a host stored beside them (another GUID, nothing
 * at all, more than a certificate of AMD's could have) is no evidence, and passed over.
 * @throws {Refusal} `evidence-malformed` for more certificates than a chain could need
 */
export function certificatesOf(entries: readonly CertTableEntry[]): readonly SnpCertificate[] {
  // Copied, as a table is in its owner's hands; what is passed over is not.
  const certificates = entries.flatMap(({ type, bytes }) =>
    type === null || bytes.length === 0 || bytes.length > MAX_CERTIFICATE_BYTES
      ? []
      : [{ type, bytes: new Uint8Array(bytes) }],
  )
  if (certificates.length <= MAX_SNP_CERTIFICATES) return certificates
  throw new Refusal('evidence-malformed', 'the certificate table holds too many certificates', {
    expected: `at most ${MAX_SNP_CERTIFICATES}`,
    got: `${certificates.length}`,
  })
}

/**
 * The certificates of a binary table; see {@link certificatesOf} for what is passed over.
 * @throws {Refusal} `evidence-malformed`
 */
export function parseCertTable(table: Uint8Array): readonly SnpCertificate[] {
  const reader = new ByteReader(table, 'SNP certificate table')
  const found: CertTableEntry[] = []
  for (let entries = 0; entries <= MAX_CERT_TABLE_ENTRIES; entries++) {
    const guid = reader.bytes(16, 'GUID')
    const offset = reader.u32('offset')
    const length = reader.u32('length')
    if (isZero(guid)) return certificatesOf(found)
    if (offset < ENTRY_SIZE || offset > table.length || length > table.length - offset) {
      throw new Refusal('evidence-malformed', 'a certificate table entry points outside of the table', {
        expected: `within ${table.length} bytes`,
        got: `offset ${offset}, length ${length}`,
      })
    }
    const type = TYPE_OF_GUID.get(toHex(guid)) ?? null
    found.push({ type, bytes: table.subarray(offset, offset + length) })
  }
  throw new Refusal('evidence-malformed', 'the certificate table does not end', {
    expected: `at most ${MAX_CERT_TABLE_ENTRIES} entries`,
  })
}

/** Whether bytes that may be anything begin with a table: one of AMD's GUIDs stands among its first entries. */
export function looksLikeCertTable(bytes: Uint8Array): boolean {
  for (
    let at = 0;
    at + ENTRY_SIZE <= bytes.length && at < ENTRY_SIZE * MAX_CERT_TABLE_ENTRIES;
    at += ENTRY_SIZE
  ) {
    const first = bytes[at] ?? 0
    if (first !== 0 && !FIRST_OCTETS.has(first)) continue
    const guid = bytes.subarray(at, at + 16)
    if (isZero(guid)) return false
    if (TYPE_OF_GUID.has(toHex(guid))) return true
  }
  return false
}

/** The inverse of {@link parseCertTable}, for simulators. */
export function encodeCertTable(certificates: readonly SnpCertificate[]): Uint8Array {
  const header = ENTRY_SIZE * (certificates.length + 1)
  const table = new Uint8Array(certificates.reduce((size, { bytes }) => size + bytes.length, header))
  const view = new DataView(table.buffer)
  let offset = header
  for (const [index, { type, bytes }] of certificates.entries()) {
    const guid = GUIDS[type].match(/../g) ?? []
    table.set(
      guid.map(digits => Number.parseInt(digits, 16)),
      index * ENTRY_SIZE,
    )
    view.setUint32(index * ENTRY_SIZE + 16, offset, true)
    view.setUint32(index * ENTRY_SIZE + 20, bytes.length, true)
    table.set(bytes, offset)
    offset += bytes.length
  }
  return table
}

function mixedEndian(guid: string): string {
  const swapped = (from: number, to: number): string =>
    (guid.slice(from, to).match(/../g) ?? []).toReversed().join('')
  return swapped(0, 8) + swapped(8, 12) + swapped(12, 16) + guid.slice(16)
}
