// The claims of a verified Intel quote: all fields of the body, the platform below it, and the common view.

import { isZero, toHex } from '../bytes.ts'
import type { CollateralClaims, CommonClaims, TcbStatus } from '../claims.ts'
import type { IntelPlatformClaims } from './claims.ts'
import type { SgxQuote, TdxQuote } from './quote.ts'
import type { TdMigration } from './report-body.ts'
import type { SgxClaims } from './sgx-claims.ts'
import type { TdAttributes, TdMigrationClaims, TdxClaims } from './tdx-claims.ts'

/** What verification found out beside the quote's own fields. */
export interface IntelFindings {
  readonly tcbStatus: TcbStatus
  readonly tcbDate: string
  readonly advisoryIds: readonly string[]
  readonly tcbEvaluationDataNumber: number
  readonly collateral: CollateralClaims
  readonly moduleTcbStatus: TcbStatus | null
  readonly moduleTcbDate: string | null
  readonly simulated: boolean
  readonly platform: IntelPlatformClaims
}

const SGX_FLAG_DEBUG = 0x02
/** Bits of TDATTRIBUTES (Intel TDX Module ABI). */
const TD_ATTRIBUTE_BITS = {
  debug: 0,
  hgsPlusProf: 4,
  perfProf: 5,
  pmtProf: 6,
  icssd: 16,
  servtdExt: 17,
  lass: 27,
  septVeDisable: 28,
  migratable: 29,
  protectionKeys: 30,
  keyLocker: 31,
  tpa: 62,
  perfmon: 63,
} as const satisfies Record<keyof Omit<TdAttributes, 'unknownBits'>, number>
/** Those that have no name. */
const UNKNOWN_TD_ATTRIBUTES = unnamedBits(Object.values(TD_ATTRIBUTE_BITS))

export function sgxClaims(quote: SgxQuote, findings: IntelFindings): SgxClaims {
  const { body } = quote
  const mrEnclave = toHex(body.mrEnclave)
  const mrSigner = toHex(body.mrSigner)
  const configId = toHex(body.configId)
  return {
    kind: 'sgx',
    measurement: mrEnclave,
    signer: isZero(body.mrSigner) ? null : mrSigner,
    debug: (octet(body.attributes, 0) & SGX_FLAG_DEBUG) !== 0,
    reportData: toHex(body.reportData),
    hostData: configId,
    ...commonFindings(findings),
    quoteVersion: quote.version,
    sgx: {
      cpuSvn: toHex(body.cpuSvn),
      miscSelect: toHex(body.miscSelect),
      isvExtProdId: toHex(body.isvExtProdId),
      attributesFlags: toHex(body.attributes.subarray(0, 8)),
      attributesXfrm: toHex(body.attributes.subarray(8)),
      mrEnclave,
      mrSigner,
      configId,
      isvProdId: body.isvProdId,
      isvSvn: body.isvSvn,
      configSvn: body.configSvn,
      isvFamilyId: toHex(body.isvFamilyId),
    },
    platform: findings.platform,
  }
}

export function tdxClaims(quote: TdxQuote, findings: IntelFindings): TdxClaims {
  const { body } = quote
  const mrTd = toHex(body.mrTd)
  const mrOwner = toHex(body.mrOwner)
  const mrConfigId = toHex(body.mrConfigId)
  const [rtmr0, rtmr1, rtmr2, rtmr3] = body.rtmrs
  return {
    kind: 'tdx',
    measurement: mrTd,
    signer: isZero(body.mrOwner) ? null : mrOwner,
    // TUD, bits 0 to 7: any of them makes the TD untrusted, whether it has a name or not.
    debug: octet(body.tdAttributes, 0) !== 0,
    reportData: toHex(body.reportData),
    hostData: mrConfigId,
    ...commonFindings(findings),
    quoteVersion: quote.version,
    tdx: {
      bodyVersion: body.bodyVersion,
      teeTcbSvn: toHex(body.teeTcbSvn),
      mrSeam: toHex(body.mrSeam),
      mrSignerSeam: toHex(body.mrSignerSeam),
      seamAttributes: toHex(body.seamAttributes),
      tdAttributes: toHex(body.tdAttributes),
      xfam: toHex(body.xfam),
      mrTd,
      mrConfigId,
      mrOwner,
      mrOwnerConfig: toHex(body.mrOwnerConfig),
      rtmr0: toHex(rtmr0),
      rtmr1: toHex(rtmr1),
      rtmr2: toHex(rtmr2),
      rtmr3: toHex(rtmr3),
      teeTcbSvn2: body.teeTcbSvn2 && toHex(body.teeTcbSvn2),
      mrServiceTd: body.mrServiceTd && toHex(body.mrServiceTd),
      attributes: tdAttributes(body.tdAttributes),
      migration: body.migration && migrationClaims(body.migration),
      moduleTcbStatus: findings.moduleTcbStatus,
      moduleTcbDate: findings.moduleTcbDate,
    },
    platform: findings.platform,
  }
}

function migrationClaims(migration: TdMigration): TdMigrationClaims {
  return {
    vmId: migration.vmId,
    tdId: toHex(migration.tdId),
    devInfo: toHex(migration.devInfo),
    initServiceTdHash: toHex(migration.initServiceTdHash),
    initServiceTdAttributes: toHex(migration.initServiceTdAttributes),
    initCpuSvn: toHex(migration.initCpuSvn),
    initTeeTcbSvn: toHex(migration.initTeeTcbSvn),
    initTeeFmspc: toHex(migration.initTeeFmspc),
    currentServiceTdHash: toHex(migration.currentServiceTdHash),
    currentServiceTdAttributes: toHex(migration.currentServiceTdAttributes),
  }
}

function tdAttributes(bytes: Uint8Array): TdAttributes {
  const isSet = (name: keyof typeof TD_ATTRIBUTE_BITS): boolean => {
    const bit = TD_ATTRIBUTE_BITS[name]
    return (octet(bytes, bit >> 3) & (1 << (bit & 7))) !== 0
  }
  return {
    debug: isSet('debug'),
    hgsPlusProf: isSet('hgsPlusProf'),
    perfProf: isSet('perfProf'),
    pmtProf: isSet('pmtProf'),
    icssd: isSet('icssd'),
    servtdExt: isSet('servtdExt'),
    lass: isSet('lass'),
    septVeDisable: isSet('septVeDisable'),
    migratable: isSet('migratable'),
    protectionKeys: isSet('protectionKeys'),
    keyLocker: isSet('keyLocker'),
    tpa: isSet('tpa'),
    perfmon: isSet('perfmon'),
    unknownBits: toHex(bytes.map((value, index) => value & octet(UNKNOWN_TD_ATTRIBUTES, index))),
  }
}

function unnamedBits(named: readonly number[]): Uint8Array {
  const mask = new Uint8Array(8).fill(0xff)
  for (const bit of named) mask[bit >> 3] = octet(mask, bit >> 3) & ~(1 << (bit & 7))
  return mask
}

function commonFindings(
  findings: IntelFindings,
): Pick<
  CommonClaims,
  | 'tcbStatus'
  | 'tcbDate'
  | 'advisoryIds'
  | 'tcbEvaluationDataNumber'
  | 'collateral'
  | 'hardwareId'
  | 'simulated'
  | 'enclave'
> {
  const { ppid } = findings.platform
  return {
    tcbStatus: findings.tcbStatus,
    tcbDate: findings.tcbDate,
    advisoryIds: findings.advisoryIds,
    tcbEvaluationDataNumber: findings.tcbEvaluationDataNumber,
    collateral: findings.collateral,
    hardwareId: /^0+$/.test(ppid) ? null : ppid,
    simulated: findings.simulated,
    enclave: null,
  }
}

function octet(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0
}
