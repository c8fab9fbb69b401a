// ECDSA quotes: version 3 for SGX (Intel SGX ECDSA QuoteLibReference, A.4), 4 and 5 for TDX (Intel TDX DCAP Quoting
// Library API, A.3). Parsing decides shape: every length agrees with what holds it, reserved bytes of the reports are
// zero, and one copy is made, so that nobody changes the bytes between parsing and verifying.

import { ByteReader, startsWith, toHex } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import {
  parseSgxReportBody,
  parseTdQuoteBody,
  SGX_REPORT_BODY_BYTES,
  type SgxReportBody,
  TD_BODY_BYTES,
  type TdBodyVersion,
  type TdQuoteBody,
} from './report-body.ts'

/** Largest quote taken, in bytes; with its chain a quote is some 5 KiB, TSMs pad them to 8 KiB. */
export const MAX_QUOTE_BYTES = 64 * 1024
const HEADER_BYTES = 48
/** Version, and the fields up to TEE type that tell a quote from other evidence. */
export const QUOTE_VERSIONS = [3, 4, 5] as const

const ATTESTATION_KEY_ECDSA_P256 = 2
const TEE_SGX = 0x00
const TEE_TDX = 0x81
/** 939a7233-f79c-4ca9-940a-0db3957f0607: Intel's quoting enclaves. */
const QE_VENDOR_INTEL = new Uint8Array([
  0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
])
/** Certification data types (A.4, “QE Certification Data”). */
export const CERTIFICATION = {
  ppidPlain: 1,
  ppidRsa2048: 2,
  ppidRsa3072: 3,
  pckLeaf: 4,
  pckChain: 5,
  qeReport: 6,
} as const

/** What is between the body and the end of the signature data; UNVERIFIED. */
export interface QuoteSignatureData {
  /** r and s by the attestation key, over {@link IntelQuote.signed}. */
  readonly signature: Uint8Array
  /** x and y of a P-256 key. */
  readonly attestationKey: Uint8Array
  readonly qeReport: SgxReportBody
  /** r and s by the PCK, over the QE report. */
  readonly qeReportSignature: Uint8Array
  readonly qeAuthenticationData: Uint8Array
  /** One of {@link CERTIFICATION} from 1 to 5. */
  readonly certificationType: number
  readonly certificationData: Uint8Array
}

interface IntelQuote extends QuoteSignatureData {
  /** Header and body: what the attestation key signs. */
  readonly signed: Uint8Array
  /** Bytes after the signature data; reported, never trusted. */
  readonly trailingBytes: number
}

/** A parsed, UNVERIFIED SGX quote. */
export interface SgxQuote extends IntelQuote {
  readonly kind: 'sgx'
  readonly version: 3
  readonly body: SgxReportBody
}

/** A parsed, UNVERIFIED TDX quote. */
export interface TdxQuote extends IntelQuote {
  readonly kind: 'tdx'
  readonly version: 4 | 5
  readonly body: TdQuoteBody
}

/**
 * Parses an SGX or TDX quote.
 * @throws {Refusal} `evidence-malformed`; `evidence-unsupported` for versions, key types and certification that
 * no current quoting enclave of Intel makes
 */
export function parseIntelQuote(input: Uint8Array): SgxQuote | TdxQuote {
  if (input.length > MAX_QUOTE_BYTES) {
    throw new Refusal('evidence-malformed', `quote: ${input.length} bytes, want at most ${MAX_QUOTE_BYTES}`)
  }
  // slice() of a Buffer would share its memory.
  const bytes = new Uint8Array(input)
  const reader = new ByteReader(bytes, 'quote')
  const version = reader.u16('version')
  const keyType = reader.u16('attestation key type')
  const teeType = reader.u32('TEE type')
  if (version !== 3 && version !== 4 && version !== 5) unsupported('quote version', version, '3, 4 or 5')
  if (keyType !== ATTESTATION_KEY_ECDSA_P256) {
    unsupported('attestation key type', keyType, `${ATTESTATION_KEY_ECDSA_P256} (ECDSA P-256)`)
  }
  const wantedTee = version === 3 ? TEE_SGX : TEE_TDX
  if (teeType !== wantedTee) {
    unsupported(`TEE type of a version ${version} quote`, hexNumber(teeType), hexNumber(wantedTee))
  }
  // QE_SVN and PCE_SVN in version 3, reserved later; the QE report says the same with a signature.
  reader.bytes(4, 'reserved')
  const vendor = reader.bytes(16, 'QE vendor id')
  if (!startsWith(vendor, QE_VENDOR_INTEL)) unsupported('QE vendor id', toHex(vendor), toHex(QE_VENDOR_INTEL))
  reader.bytes(20, 'user data')

  if (version === 3) {
    const body = parseSgxReportBody(reader.bytes(SGX_REPORT_BODY_BYTES, 'report body'), 'SGX report body')
    const signed = bytes.subarray(0, HEADER_BYTES + SGX_REPORT_BODY_BYTES)
    return { kind: 'sgx', version, body, signed, ...readSignatureSection(reader, version) }
  }
  const body = readTdBody(reader, version)
  const signed = bytes.subarray(0, reader.offset)
  return { kind: 'tdx', version, body, signed, ...readSignatureSection(reader, version) }
}

const TD_BODY_TYPES: ReadonlyMap<number, TdBodyVersion> = new Map([
  [2, '1.0'],
  [3, '1.5'],
  [4, '1.5-migration'],
])

/** Version 5 names the body's type and size; version 4 has always a 1.0 body. */
function readTdBody(reader: ByteReader, version: 4 | 5): TdQuoteBody {
  if (version === 4) return parseTdQuoteBody(reader.bytes(TD_BODY_BYTES['1.0'], 'TD quote body'), '1.0')
  const type = reader.u16('body type')
  const size = reader.u32('body size')
  const bodyVersion = TD_BODY_TYPES.get(type)
  if (bodyVersion === undefined) {
    return unsupported('body type', type, '2 (TD 1.0), 3 (TD 1.5) or 4 (TD 1.5 with migration fields)')
  }
  const wanted = TD_BODY_BYTES[bodyVersion]
  if (size !== wanted) malformed(`a TD ${bodyVersion} body is ${size} bytes, want ${wanted}`)
  return parseTdQuoteBody(reader.bytes(wanted, 'TD quote body'), bodyVersion)
}

function readSignatureSection(
  reader: ByteReader,
  version: 3 | 4 | 5,
): QuoteSignatureData & { trailingBytes: number } {
  const size = reader.u32('signature data length')
  const section = new ByteReader(reader.bytes(size, 'signature data'), 'quote signature data')
  const signature = section.bytes(64, 'quote signature')
  const attestationKey = section.bytes(64, 'attestation key')
  const inner = version === 3 ? section : enterQeReportData(section)
  const qeReportBytes = inner.bytes(SGX_REPORT_BODY_BYTES, 'QE report')
  const qeReportSignature = inner.bytes(64, 'QE report signature')
  const qeAuthenticationData = inner.bytes(inner.u16('QE authentication data size'), 'QE authentication data')
  const certificationType = inner.u16('certification data type')
  if (certificationType < CERTIFICATION.ppidPlain || certificationType > CERTIFICATION.pckChain) {
    unsupported('certification data type', certificationType, '1 to 5')
  }
  const certificationData = inner.bytes(inner.u32('certification data size'), 'certification data')
  if (inner.remaining > 0) malformed(`${inner.remaining} bytes follow the certification data`)
  return {
    signature,
    attestationKey,
    qeReport: parseSgxReportBody(qeReportBytes, 'QE report'),
    qeReportSignature,
    qeAuthenticationData,
    certificationType,
    certificationData,
    trailingBytes: reader.remaining,
  }
}

/** From version 4 on the QE report is itself certification data, of type 6. */
function enterQeReportData(section: ByteReader): ByteReader {
  const type = section.u16('certification data type')
  if (type !== CERTIFICATION.qeReport) {
    unsupported('outer certification data type', type, `${CERTIFICATION.qeReport} (QE report)`)
  }
  const size = section.u32('certification data size')
  const data = section.bytes(size, 'QE report certification data')
  if (section.remaining > 0) malformed(`${section.remaining} bytes follow the QE report certification data`)
  return new ByteReader(data, 'QE report certification data')
}

function hexNumber(value: number): string {
  return `0x${value.toString(16)}`
}

function unsupported(what: string, got: number | string, expected: string): never {
  throw new Refusal('evidence-unsupported', `${what} is ${got}, want ${expected}`, {
    expected,
    got: `${got}`,
  })
}

function malformed(reason: string): never {
  throw new Refusal('evidence-malformed', `quote: ${reason}`)
}
