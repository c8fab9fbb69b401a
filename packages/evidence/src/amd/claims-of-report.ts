// What a verified report says, field by field, as claims (AMD 56860: ATTESTATION_REPORT, POLICY, PLATFORM_INFO).

import { isZero, toHex } from '../bytes.ts'
import { NO_COLLATERAL } from '../claims.ts'
import type { Crl } from '../crl.ts'
import { formatTime } from '../steps.ts'
import type { SnpClaims } from './claims.ts'
import type { SnpLeaf } from './leaf.ts'
import { decodeTcb, type SnpProduct } from './product.ts'
import type { SnpFirmwareVersion, SnpReport } from './report.ts'

/** The four TCBs of a report, in its product’s layout. */
export type SnpTcbs = Pick<SnpClaims['snp'], 'currentTcb' | 'reportedTcb' | 'committedTcb' | 'launchTcb'>

/** @throws {Refusal} `evidence-malformed` where a reserved byte is set */
export function decodeTcbs(report: SnpReport, product: SnpProduct): SnpTcbs {
  return {
    currentTcb: decodeTcb(report.currentTcb, product),
    reportedTcb: decodeTcb(report.reportedTcb, product),
    committedTcb: decodeTcb(report.committedTcb, product),
    launchTcb: decodeTcb(report.launchTcb, product),
  }
}

/** What verification adds to what the report itself says. */
export interface SnpVerification {
  readonly leaf: SnpLeaf
  readonly tcbs: SnpTcbs
  readonly simulated: boolean
  /** The root’s list, where one was consulted. */
  readonly revocation: Crl | null
  readonly hasListOutside: boolean
}

/** The claims of a report whose signature, chain and consistency have been verified. */
export function snpClaims(report: SnpReport, verification: SnpVerification): SnpClaims {
  const machine = machineOf(report, verification.leaf)
  const snp = snpFields(report, verification, machine)
  return {
    kind: 'snp',
    measurement: snp.measurement,
    signer: isZero(report.idKeyDigest) ? null : snp.idKeyDigest,
    debug: snp.policy.debugAllowed,
    tcbStatus: null,
    tcbDate: null,
    advisoryIds: [],
    tcbEvaluationDataNumber: null,
    collateral: {
      ...NO_COLLATERAL,
      arkCrl: verification.revocation && formatTime(verification.revocation.thisUpdate),
    },
    reportData: toHex(report.reportData),
    hardwareId: machine.id,
    hostData: snp.hostData,
    simulated: verification.simulated,
    enclave: null,
    reportVersion: report.version,
    snp,
  }
}

interface Machine {
  readonly id: string | null
  readonly source: SnpClaims['snp']['hardwareIdSource']
}

// A VCEK is derived in its chip, and AMD's certificate says in which: a report that it signed is of that chip, whether
// or not the host masks CHIP_ID (decision 28). From Turin on a hwID has 8 bytes, which CHIP_ID pads with zeros to 64.
function machineOf({ chipId }: SnpReport, { hwId }: SnpLeaf): Machine {
  if (!isZero(chipId)) return { id: toHex(chipId), source: 'report' }
  if (hwId === null || isZero(hwId)) return { id: null, source: null }
  return { id: toHex(hwId).padEnd(2 * chipId.length, '0'), source: 'vcek' }
}

function snpFields(report: SnpReport, verification: SnpVerification, machine: Machine): SnpClaims['snp'] {
  const { leaf, tcbs, revocation } = verification
  return {
    product: leaf.product,
    guestSvn: report.guestSvn,
    policy: decodePolicy(report.policy),
    familyId: toHex(report.familyId),
    imageId: toHex(report.imageId),
    vmpl: report.vmpl,
    platformInfo: decodePlatformInfo(report.platformInfo),
    platformInfoBits: hex64(report.platformInfo),
    authorKeyEnabled: (report.keyInfo & 1) !== 0,
    maskChipKey: (report.keyInfo & 2) !== 0,
    signingKey: leaf.kind,
    measurement: toHex(report.measurement),
    hostData: toHex(report.hostData),
    idKeyDigest: toHex(report.idKeyDigest),
    authorKeyDigest: toHex(report.authorKeyDigest),
    reportId: toHex(report.reportId),
    reportIdMa: toHex(report.reportIdMa),
    chipId: toHex(report.chipId),
    hardwareIdSource: machine.source,
    ...tcbs,
    currentVersion: describeVersion(report.currentVersion),
    committedVersion: describeVersion(report.committedVersion),
    cpuid: report.cpuid,
    cspId: leaf.cspId,
    launchMitVector: report.launchMitVector === null ? null : hex64(report.launchMitVector),
    currentMitVector: report.currentMitVector === null ? null : hex64(report.currentMitVector),
    revocation:
      revocation !== null ? 'checked' : verification.hasListOutside ? 'outside-window' : 'not-supplied',
  }
}

/** POLICY, bit by bit; bit 17 is reserved and one. */
export function decodePolicy(policy: bigint): SnpClaims['snp']['policy'] {
  const bits = lowBits(policy)
  return {
    abiMinor: bits & 0xff,
    abiMajor: (bits >>> 8) & 0xff,
    smtAllowed: bit(bits, 16),
    migrateMaAllowed: bit(bits, 18),
    debugAllowed: bit(bits, 19),
    singleSocketRequired: bit(bits, 20),
    cxlAllowed: bit(bits, 21),
    memAes256XtsRequired: bit(bits, 22),
    raplDisabled: bit(bits, 23),
    ciphertextHidingRequired: bit(bits, 24),
    pageSwapDisabled: bit(bits, 25),
  }
}

/** PLATFORM_INFO, bit by bit; bit 6 has no published name, and Turin sets it. */
export function decodePlatformInfo(info: bigint): SnpClaims['snp']['platformInfo'] {
  const bits = lowBits(info)
  return {
    smtEnabled: bit(bits, 0),
    tsmeEnabled: bit(bits, 1),
    eccEnabled: bit(bits, 2),
    raplDisabled: bit(bits, 3),
    ciphertextHidingEnabled: bit(bits, 4),
    aliasCheckComplete: bit(bits, 5),
    tioEnabled: bit(bits, 7),
  }
}

/** As AMD writes it, e.g. `1.55.29` for major 1, minor 55, build 29. */
export function describeVersion(version: SnpFirmwareVersion): string {
  return `${version.major}.${version.minor}.${version.build}`
}

/** Every bit that has a name: a bigint for each of them would be slow. */
function lowBits(bits: bigint): number {
  return Number(BigInt.asUintN(32, bits))
}

function bit(bits: number, position: number): boolean {
  return ((bits >>> position) & 1) === 1
}

function hex64(value: bigint): string {
  return value.toString(16).padStart(16, '0')
}
