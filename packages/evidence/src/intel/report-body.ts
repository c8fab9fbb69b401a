// The bodies of Intel's quotes: SGX_REPORT_BODY (384 bytes; Intel SGX ECDSA QuoteLibReference, A.4) and TD_QUOTE_BODY
// 1.0 and 1.5 (584 and 648 bytes; Intel TDX DCAP Quoting Library API, A.3), and 1.5 with migration fields (885 bytes;
// sgx_quote_5.h, sgx_report2_body_v1_5_ex_t). Multi-byte numbers are little-endian.

import { ByteReader } from '../bytes.ts'

export const SGX_REPORT_BODY_BYTES = 384
export const TD_BODY_BYTES = { '1.0': 584, '1.5': 648, '1.5-migration': 885 } as const
export type TdBodyVersion = keyof typeof TD_BODY_BYTES

/** UNVERIFIED; byte fields are views of `bytes`. */
export interface SgxReportBody {
  readonly bytes: Uint8Array
  readonly cpuSvn: Uint8Array
  /** Four bytes, in the order of the wire. */
  readonly miscSelect: Uint8Array
  readonly isvExtProdId: Uint8Array
  /** 16 bytes: flags and XFRM. */
  readonly attributes: Uint8Array
  readonly mrEnclave: Uint8Array
  readonly mrSigner: Uint8Array
  readonly configId: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
  readonly configSvn: number
  readonly isvFamilyId: Uint8Array
  readonly reportData: Uint8Array
}

/** UNVERIFIED; byte fields are views. */
export interface TdQuoteBody {
  readonly bodyVersion: TdBodyVersion
  readonly teeTcbSvn: Uint8Array
  readonly mrSeam: Uint8Array
  readonly mrSignerSeam: Uint8Array
  readonly seamAttributes: Uint8Array
  readonly tdAttributes: Uint8Array
  readonly xfam: Uint8Array
  readonly mrTd: Uint8Array
  readonly mrConfigId: Uint8Array
  readonly mrOwner: Uint8Array
  readonly mrOwnerConfig: Uint8Array
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  readonly reportData: Uint8Array
  /** Null in a 1.0 body. */
  readonly teeTcbSvn2: Uint8Array | null
  readonly mrServiceTd: Uint8Array | null
  /** Null in all but a body of type 4. */
  readonly migration: TdMigration | null
}

/** Which TD it is, whatever host it is on, and what it was created with; UNVERIFIED. */
export interface TdMigration {
  readonly vmId: number
  readonly tdId: Uint8Array
  readonly devInfo: Uint8Array
  readonly initServiceTdHash: Uint8Array
  readonly initServiceTdAttributes: Uint8Array
  readonly initCpuSvn: Uint8Array
  readonly initTeeTcbSvn: Uint8Array
  readonly initTeeFmspc: Uint8Array
  readonly currentServiceTdHash: Uint8Array
  readonly currentServiceTdAttributes: Uint8Array
}

/** @throws {Refusal} `evidence-malformed` */
export function parseSgxReportBody(bytes: Uint8Array, what: string): SgxReportBody {
  const reader = new ByteReader(bytes, what)
  const cpuSvn = reader.bytes(16, 'CPUSVN')
  const miscSelect = reader.bytes(4, 'MISCSELECT')
  reader.zeros(12, 'reserved1')
  const isvExtProdId = reader.bytes(16, 'ISVEXTPRODID')
  const attributes = reader.bytes(16, 'ATTRIBUTES')
  const mrEnclave = reader.bytes(32, 'MRENCLAVE')
  reader.zeros(32, 'reserved2')
  const mrSigner = reader.bytes(32, 'MRSIGNER')
  reader.zeros(32, 'reserved3')
  const configId = reader.bytes(64, 'CONFIGID')
  const [isvProdId, isvSvn] = [reader.u16('ISVPRODID'), reader.u16('ISVSVN')]
  const configSvn = reader.u16('CONFIGSVN')
  reader.zeros(42, 'reserved4')
  const isvFamilyId = reader.bytes(16, 'ISVFAMILYID')
  const reportData = reader.bytes(64, 'REPORTDATA')
  return {
    bytes,
    cpuSvn,
    miscSelect,
    isvExtProdId,
    attributes,
    mrEnclave,
    mrSigner,
    configId,
    isvProdId,
    isvSvn,
    configSvn,
    isvFamilyId,
    reportData,
  }
}

/** @throws {Refusal} `evidence-malformed` */
export function parseTdQuoteBody(bytes: Uint8Array, bodyVersion: TdBodyVersion): TdQuoteBody {
  const reader = new ByteReader(bytes, 'TD quote body')
  return {
    bodyVersion,
    teeTcbSvn: reader.bytes(16, 'TEE_TCB_SVN'),
    mrSeam: reader.bytes(48, 'MRSEAM'),
    mrSignerSeam: reader.bytes(48, 'MRSIGNERSEAM'),
    seamAttributes: reader.bytes(8, 'SEAMATTRIBUTES'),
    tdAttributes: reader.bytes(8, 'TDATTRIBUTES'),
    xfam: reader.bytes(8, 'XFAM'),
    mrTd: reader.bytes(48, 'MRTD'),
    mrConfigId: reader.bytes(48, 'MRCONFIGID'),
    mrOwner: reader.bytes(48, 'MROWNER'),
    mrOwnerConfig: reader.bytes(48, 'MROWNERCONFIG'),
    rtmrs: [
      reader.bytes(48, 'RTMR0'),
      reader.bytes(48, 'RTMR1'),
      reader.bytes(48, 'RTMR2'),
      reader.bytes(48, 'RTMR3'),
    ],
    reportData: reader.bytes(64, 'REPORTDATA'),
    teeTcbSvn2: bodyVersion === '1.0' ? null : reader.bytes(16, 'TEE_TCB_SVN_2'),
    mrServiceTd: bodyVersion === '1.0' ? null : reader.bytes(48, 'MRSERVICETD'),
    migration: bodyVersion === '1.5-migration' ? readMigration(reader) : null,
  }
}

function readMigration(reader: ByteReader): TdMigration {
  return {
    vmId: reader.bytes(1, 'VMID')[0] ?? 0,
    tdId: reader.bytes(32, 'TD_ID'),
    devInfo: reader.bytes(48, 'DEVINFO'),
    initServiceTdHash: reader.bytes(48, 'INIT_SERVTD_HASH'),
    initServiceTdAttributes: reader.bytes(8, 'INIT_SERVTD_ATTR'),
    initCpuSvn: reader.bytes(16, 'INIT_CPUSVN'),
    initTeeTcbSvn: reader.bytes(16, 'INIT_TEE_TCB_SVN'),
    initTeeFmspc: reader.bytes(12, 'INIT_TEE_FMSPC'),
    currentServiceTdHash: reader.bytes(48, 'CURR_SERVTD_HASH'),
    currentServiceTdAttributes: reader.bytes(8, 'CURR_SERVTD_ATTR'),
  }
}
