// The fixed structures of Intel quotes, field by field: SGX_REPORT_BODY (SGX ECDSA QuoteLibReference, A.4),
// TD quote bodies 1.0 and 1.5 and the quote headers (TDX DCAP Quoting Library API, A.3).

import { Layout } from '../layout.ts'

export const ATTESTATION_KEY_ECDSA_P256 = 2
export const TEE_TYPE_TDX = 0x81
export const CERTIFICATION_DATA_PCK_CHAIN = 5
export const CERTIFICATION_DATA_QE_REPORT = 6
/** Body types of a version 5 quote. */
export const BODY_TYPE = { '1.0': 2, '1.5': 3, '1.5-migration': 4 } as const

/** Intel’s QE vendor id; verifiers tell by it that the signature data has the form of A.4. */
export const QE_VENDOR_ID = '939a7233f79c4ca9940a0db3957f0607'

export const HEADER_V3 = new Layout('quote header', {
  version: 2,
  attestationKeyType: 2,
  teeType: 4,
  qeSvn: 2,
  pceSvn: 2,
  qeVendorId: 16,
  userData: 20,
})

export const HEADER_V4 = new Layout('quote header', {
  version: 2,
  attestationKeyType: 2,
  teeType: 4,
  reserved1: 2,
  reserved2: 2,
  qeVendorId: 16,
  userData: 20,
})

export const BODY_DESCRIPTOR = new Layout('quote body descriptor', { bodyType: 2, bodySize: 4 })

/** 384 bytes. */
export const SGX_REPORT_BODY = new Layout('SGX report', {
  cpuSvn: 16,
  miscSelect: 4,
  reserved1: 12,
  isvExtProdId: 16,
  attributesFlags: 8,
  attributesXfrm: 8,
  mrEnclave: 32,
  reserved2: 32,
  mrSigner: 32,
  reserved3: 32,
  configId: 64,
  isvProdId: 2,
  isvSvn: 2,
  configSvn: 2,
  reserved4: 42,
  isvFamilyId: 16,
  reportData: 64,
})

const TD_BODY_1_0_FIELDS = {
  teeTcbSvn: 16,
  mrSeam: 48,
  mrSignerSeam: 48,
  seamAttributes: 8,
  tdAttributes: 8,
  xfam: 8,
  mrTd: 48,
  mrConfigId: 48,
  mrOwner: 48,
  mrOwnerConfig: 48,
  rtmr0: 48,
  rtmr1: 48,
  rtmr2: 48,
  rtmr3: 48,
  reportData: 64,
} as const

/** 584 bytes. */
export const TD_BODY_1_0 = new Layout('TD body', TD_BODY_1_0_FIELDS)

/** 648 bytes. */
export const TD_BODY_1_5 = new Layout('TD body', { ...TD_BODY_1_0_FIELDS, teeTcbSvn2: 16, mrServiceTd: 48 })

/** 885 bytes (sgx_quote_5.h, sgx_report2_body_v1_5_ex_t). */
export const TD_BODY_1_5_MIGRATION = new Layout('TD body', {
  ...TD_BODY_1_0_FIELDS,
  teeTcbSvn2: 16,
  mrServiceTd: 48,
  vmId: 1,
  tdId: 32,
  devInfo: 48,
  initServiceTdHash: 48,
  initServiceTdAttributes: 8,
  initCpuSvn: 16,
  initTeeTcbSvn: 16,
  initTeeFmspc: 12,
  currentServiceTdHash: 48,
  currentServiceTdAttributes: 8,
})

type FieldsOf<L> = L extends Layout<infer Name> ? Name : never

export type HeaderField = FieldsOf<typeof HEADER_V3> | FieldsOf<typeof HEADER_V4>
export type SgxReportField = FieldsOf<typeof SGX_REPORT_BODY>
export type TdBodyField = FieldsOf<typeof TD_BODY_1_5_MIGRATION>
