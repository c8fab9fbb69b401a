// Quotes on the wire: SGX version 3 (Intel SGX ECDSA QuoteLibReference, A.4), TDX versions 4 and 5
// (Intel TDX DCAP Quoting Library API, A.3). Built from named sections, so that a test can tamper with any of them.

import { createHash } from 'node:crypto'
import { concat } from '@casemate/evidence/bytes'
import { flipped } from '../faults.ts'
import { publicPoint, type SigningKey, signRaw } from '../keys.ts'
import { type Bytes, type FieldValue, type Layout, littleEndian, toBytes } from '../layout.ts'
import { toPem } from '../x509.ts'
import type { Authority, IntelCertificateName } from './authority.ts'
import { QUOTING_ENCLAVES, qeReport } from './quoting-enclave.ts'
import {
  ATTESTATION_KEY_ECDSA_P256,
  BODY_DESCRIPTOR,
  BODY_TYPE,
  CERTIFICATION_DATA_PCK_CHAIN,
  CERTIFICATION_DATA_QE_REPORT,
  HEADER_V3,
  HEADER_V4,
  type HeaderField,
  QE_VENDOR_ID,
  SGX_REPORT_BODY,
  type SgxReportField,
  TD_BODY_1_0,
  TD_BODY_1_5,
  TD_BODY_1_5_MIGRATION,
  type TdBodyField,
  TEE_TYPE_TDX,
} from './structures.ts'
import { TEE_TCB_SVN } from './tdx-module.ts'

/** The 32 bytes that Intel’s quoting enclaves put there as well. */
const AUTHENTICATION_DATA = Uint8Array.from({ length: 32 }, (_, index) => index)

/** INIT | MODE64BIT. */
const ENCLAVE_ATTRIBUTES_FLAGS = 0x05
const ENCLAVE_ATTRIBUTES_XFRM = 0xe7
/** SEPT_VE_DISABLE, as every TD that Linux boots has. */
const TD_ATTRIBUTES = 1 << 28
const TD_XFAM = 0x602e7

export type SgxFields = Readonly<Partial<Record<SgxReportField, FieldValue>>>
export type TdxFields = Readonly<Partial<Record<TdBodyField, FieldValue>>>

/** Parts of a quote that lie outside its signed body. */
export type QuoteSection =
  | 'quoteSignature'
  | 'attestationKey'
  | 'qeReport'
  | 'qeReportSignature'
  | 'authenticationData'

/** Options of every quote request beside the body’s fields. */
export interface QuoteOptions<Field extends string> {
  /** Signed header fields that shall differ, e.g. `{ attestationKeyType: 3 }`. */
  readonly header?: Readonly<Partial<Record<HeaderField, FieldValue>>>
  /** Signed QE report fields that shall differ; a `reportData` binds some other key. */
  readonly qeReport?: SgxFields
  /** Flips the lowest bit of each of these after everything has been signed. */
  readonly tamper?: readonly (Field | QuoteSection)[]
  /** Which certificates the quote carries, in this order; PCK, intermediate, root unless given. */
  readonly chain?: readonly IntelCertificateName[]
  /** PEM, as Intel’s specification wants it, unless given. */
  readonly chainForm?: 'pem' | 'der'
  /** Bytes after the signature data, as cloud providers’ fixed-size buffers have them. */
  readonly trailing?: Bytes
}

/** An SGX quote: `reportData` is 64 bytes, every other field of the report may be given. */
export interface SgxQuoteRequest extends SgxFields, QuoteOptions<SgxReportField> {
  readonly reportData: Bytes
}

/** A TDX quote: `reportData` is 64 bytes, every other field of the TD body may be given. */
export interface TdxQuoteRequest extends TdxFields, QuoteOptions<TdBodyField> {
  readonly reportData: Bytes
  /** Version 4; or version 5 with a body of TDX 1.0 (type 2), 1.5 (type 3) or 1.5 with migration (type 4). Default `v4`. */
  readonly format?: 'v4' | keyof typeof BODY_VERSION
}

const BODY_VERSION = { 'v5-1.0': '1.0', 'v5-1.5': '1.5', 'v5-1.5-migration': '1.5-migration' } as const
const BODY_LAYOUT = {
  '1.0': TD_BODY_1_0,
  '1.5': TD_BODY_1_5,
  '1.5-migration': TD_BODY_1_5_MIGRATION,
} as const

/** The parts of the platform that a quote is made of. */
export interface QuoteSource {
  readonly certificates: Authority['certificates']
  readonly cpuSvn: readonly number[]
  readonly pceSvn: number
  readonly pckKey: SigningKey
  readonly attestationKey: SigningKey
}

/** A simulated workload’s measurement: the digest of a name, the same in every installation. */
function measurement(name: string, algorithm: 'sha256' | 'sha384'): Uint8Array {
  return createHash(algorithm).update(`casemate simulated ${name}`).digest()
}

/** @throws {TypeError} for a field of another size than the format’s */
export function encodeSgxQuote(source: QuoteSource, request: SgxQuoteRequest): Uint8Array {
  const { header, qeReport: qeOverrides, tamper, chain, chainForm, trailing, ...fields } = request
  const headerBytes = HEADER_V3.write({
    version: 3,
    attestationKeyType: ATTESTATION_KEY_ECDSA_P256,
    qeSvn: QUOTING_ENCLAVES.sgx.isvSvn,
    pceSvn: source.pceSvn,
    qeVendorId: QE_VENDOR_ID,
    ...header,
  })
  const body = SGX_REPORT_BODY.write({
    cpuSvn: Uint8Array.from(source.cpuSvn),
    attributesFlags: ENCLAVE_ATTRIBUTES_FLAGS,
    attributesXfrm: ENCLAVE_ATTRIBUTES_XFRM,
    mrEnclave: measurement('enclave', 'sha256'),
    mrSigner: measurement('enclave signer', 'sha256'),
    ...fields,
  })
  const draft: Draft = {
    source,
    header: headerBytes,
    descriptor: new Uint8Array(),
    layout: SGX_REPORT_BODY,
    body,
  }
  const sections = sign(draft, 'sgx', { qeReport: qeOverrides, tamper, chain, chainForm })
  return assemble(
    draft,
    sections,
    concat(
      sections.quoteSignature,
      sections.attestationKey,
      qeReportBlock(sections),
      certificationData(CERTIFICATION_DATA_PCK_CHAIN, sections.chain),
    ),
    trailing,
  )
}

/** @throws {TypeError} for a field of another size than the format’s, or not in the body’s version */
export function encodeTdxQuote(source: QuoteSource, request: TdxQuoteRequest): Uint8Array {
  const {
    header,
    qeReport: qeOverrides,
    tamper,
    chain,
    chainForm,
    trailing,
    format = 'v4',
    ...fields
  } = request
  const bodyVersion = format === 'v4' ? '1.0' : BODY_VERSION[format]
  const layout: Layout<TdBodyField> = BODY_LAYOUT[bodyVersion]
  const headerBytes = HEADER_V4.write({
    version: format === 'v4' ? 4 : 5,
    attestationKeyType: ATTESTATION_KEY_ECDSA_P256,
    teeType: TEE_TYPE_TDX,
    qeVendorId: QE_VENDOR_ID,
    ...header,
  })
  const descriptor =
    format === 'v4'
      ? new Uint8Array()
      : BODY_DESCRIPTOR.write({ bodyType: BODY_TYPE[bodyVersion], bodySize: layout.size })
  const body = layout.write({ ...tdDefaults(bodyVersion), ...fields })
  const draft: Draft = { source, header: headerBytes, descriptor, layout, body }
  const sections = sign(draft, 'tdx', { qeReport: qeOverrides, tamper, chain, chainForm })
  const inner = concat(
    qeReportBlock(sections),
    certificationData(CERTIFICATION_DATA_PCK_CHAIN, sections.chain),
  )
  return assemble(
    draft,
    sections,
    concat(
      sections.quoteSignature,
      sections.attestationKey,
      certificationData(CERTIFICATION_DATA_QE_REPORT, inner),
    ),
    trailing,
  )
}

function tdDefaults(bodyVersion: keyof typeof BODY_LAYOUT): TdxFields {
  return {
    teeTcbSvn: Uint8Array.from(TEE_TCB_SVN),
    mrSeam: measurement('TDX module', 'sha384'),
    tdAttributes: TD_ATTRIBUTES,
    xfam: TD_XFAM,
    mrTd: measurement('TD', 'sha384'),
    rtmr0: measurement('TD firmware configuration', 'sha384'),
    rtmr1: measurement('TD kernel', 'sha384'),
    rtmr2: measurement('TD command line and initrd', 'sha384'),
    ...(bodyVersion !== '1.0' ? { teeTcbSvn2: Uint8Array.from(TEE_TCB_SVN) } : {}),
  }
}

interface Draft {
  readonly source: QuoteSource
  readonly header: Uint8Array
  readonly descriptor: Uint8Array
  readonly layout: Layout<string>
  readonly body: Uint8Array
}

interface Sections extends Readonly<Record<QuoteSection, Uint8Array>> {
  readonly body: Uint8Array
  readonly chain: Uint8Array
}

type SigningOptions = {
  readonly [Key in 'qeReport' | 'tamper' | 'chain' | 'chainForm']: QuoteOptions<string>[Key] | undefined
}

/** Signs everything, then tampers with what the request names. */
function sign(draft: Draft, tee: 'sgx' | 'tdx', options: SigningOptions): Sections {
  const { source, header, descriptor, layout, body } = draft
  const attestationKey = publicPoint(source.attestationKey)
  const report = qeReport({
    enclave: QUOTING_ENCLAVES[tee],
    cpuSvn: source.cpuSvn,
    attestationKey,
    authenticationData: AUTHENTICATION_DATA,
    overrides: options.qeReport ?? {},
  })
  const sections: Record<QuoteSection | 'body' | 'chain', Uint8Array> = {
    body,
    quoteSignature: signRaw(source.attestationKey, concat(header, descriptor, body)),
    attestationKey,
    qeReport: report,
    qeReportSignature: signRaw(source.pckKey, report),
    authenticationData: AUTHENTICATION_DATA,
    chain: pckChain(source, options.chain ?? ['pck', 'intermediate', 'root'], options.chainForm ?? 'pem'),
  }
  for (const target of options.tamper ?? []) {
    if (target in sections) sections[target as QuoteSection] = flipped(sections[target as QuoteSection], 0)
    else sections.body = flipped(sections.body, layout.place(target).offset)
  }
  return sections
}

/** PEM, ended by a zero byte as Intel’s library does. */
function pckChain(
  source: QuoteSource,
  chain: readonly IntelCertificateName[],
  form: 'pem' | 'der',
): Uint8Array {
  if (form === 'der') return concat(...chain.map(which => source.certificates[which]))
  const pem = chain.map(which => toPem(source.certificates[which])).join('')
  return Buffer.from(`${pem}\0`, 'latin1')
}

function qeReportBlock(sections: Sections): Uint8Array {
  return concat(
    sections.qeReport,
    sections.qeReportSignature,
    littleEndian(sections.authenticationData.length, 2),
    sections.authenticationData,
  )
}

function certificationData(type: number, data: Uint8Array): Uint8Array {
  return concat(littleEndian(type, 2), littleEndian(data.length, 4), data)
}

function assemble(
  { header, descriptor }: Draft,
  { body }: Sections,
  signatureData: Uint8Array,
  trailing: Bytes = new Uint8Array(),
): Uint8Array {
  return concat(
    header,
    descriptor,
    body,
    littleEndian(signatureData.length, 4),
    signatureData,
    toBytes(trailing),
  )
}
