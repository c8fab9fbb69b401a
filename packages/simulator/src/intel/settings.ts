// The settings that distinguish one simulated Intel platform from another, with their defaults; normalised once and stored
// with the keys. The SVNs are those of a fourth-generation Xeon after Intel’s TCB recovery of November 2024.

import { randomBytes } from 'node:crypto'
import type { TcbStatus } from '@casemate/evidence'
import { type Bytes, toBytes } from '../layout.ts'

/** No FMSPC of Intel’s: the simulator must never match real TCB info, nor the other way round. */
export const SIMULATED_FMSPC = 'ca5e3a7e0000'
const PCE_ID = '0000'

/** The component SVNs of the newest TCB level that the simulated vendor publishes. */
export const CURRENT_CPU_SVN = [3, 3, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0] as const
/** The component SVNs of the level before, which is `OutOfDate`. */
export const PREVIOUS_CPU_SVN = [2, 2, 2, 2, 3, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0] as const
export const CURRENT_PCE_SVN = 13
export const PREVIOUS_PCE_SVN = 11

/** Intel’s numbers of 2026 are about 20. */
const TCB_EVALUATION_DATA_NUMBER = 20

/** Statuses that Intel publishes of a platform; that a TD should be relaunched is for the verifier to find out. */
export type PublishedStatus = Exclude<TcbStatus, `TDRelaunch${string}`>

/** Statuses that Intel publishes of a quoting enclave or a TDX module. */
export type EnclaveStatus = Extract<TcbStatus, 'UpToDate' | 'OutOfDate' | 'Revoked'>

/** The status of a TCB level, and what the level lists. */
export interface LevelStatus<Status extends TcbStatus = PublishedStatus> {
  readonly status: Status
  readonly advisoryIds: readonly string[]
}

/** The statuses of the newest levels: platform, quoting enclaves, TDX module. */
export interface LevelStatuses {
  readonly platform: LevelStatus
  readonly qe: LevelStatus<EnclaveStatus>
  readonly module: LevelStatus<EnclaveStatus>
}

const UP_TO_DATE: LevelStatus<'UpToDate'> = { status: 'UpToDate', advisoryIds: [] }

/** Byte fields are hex. */
export interface IntelSettings {
  readonly fmspc: string
  readonly pceId: string
  readonly ppid: string
  readonly platformInstanceId: string
  /** Which authority issues the PCK certificate: single-socket machines have the processor CA. */
  readonly pckCa: 'platform' | 'processor'
  /** The configuration in a PCK certificate of the platform CA. */
  readonly dynamicPlatform: boolean
  readonly cachedKeys: boolean
  readonly smtEnabled: boolean
  readonly cpuSvn: readonly number[]
  readonly pceSvn: number
  readonly tcbEvaluationDataNumber: number
  readonly sgxTcbInfoVersion: 2 | 3
  readonly statuses: LevelStatuses
  /** TCB levels below the previous one. Intel’s TCB info has 2 to 6 levels for TDX and 5 to 20 for SGX. */
  readonly olderTcbLevels: number
  /** PCK certificates of other machines in the revocation list; Intel’s for the Platform CA has some 60. */
  readonly revokedStrangers: number
}

/** Any of {@link IntelSettings}; byte fields as bytes or hex, statuses one by one. */
export interface IntelSettingsOptions {
  /** 6 bytes. */
  readonly fmspc?: Bytes
  /** 2 bytes. */
  readonly pceId?: Bytes
  /** 16 bytes; random unless given. */
  readonly ppid?: Bytes
  /** 16 bytes; random unless given. */
  readonly platformInstanceId?: Bytes
  readonly pckCa?: IntelSettings['pckCa']
  /** This and the next two are true unless given. */
  readonly dynamicPlatform?: boolean
  readonly cachedKeys?: boolean
  readonly smtEnabled?: boolean
  /** As the PCK certificate states it; see {@link PREVIOUS_CPU_SVN} for an outdated platform. */
  readonly cpuSvn?: readonly number[]
  readonly pceSvn?: number
  readonly tcbEvaluationDataNumber?: number
  readonly sgxTcbInfoVersion?: 2 | 3
  readonly statuses?: Partial<LevelStatuses>
  /** Up to 12; none unless given. */
  readonly olderTcbLevels?: number
  /** None unless given. */
  readonly revokedStrangers?: number
}

/** Further back there would be levels that differ in nothing. */
const MAX_OLDER_TCB_LEVELS = 12
const MAX_REVOKED_STRANGERS = 100_000

/** @throws {TypeError} if a field has another size than its format, or a number is out of its range */
export function intelSettings(options: IntelSettingsOptions): IntelSettings {
  const cpuSvn = options.cpuSvn ?? CURRENT_CPU_SVN
  if (cpuSvn.length !== 16 || !cpuSvn.every(svn => Number.isInteger(svn) && svn >= 0 && svn <= 255)) {
    throw new TypeError('cpuSvn is 16 component SVNs from 0 to 255')
  }
  return {
    fmspc: hex('fmspc', options.fmspc ?? SIMULATED_FMSPC, 6),
    pceId: hex('pceId', options.pceId ?? PCE_ID, 2),
    ppid: hex('ppid', options.ppid ?? randomBytes(16), 16),
    platformInstanceId: hex('platformInstanceId', options.platformInstanceId ?? randomBytes(16), 16),
    pckCa: options.pckCa ?? 'platform',
    ...configuration(options),
    cpuSvn,
    pceSvn: options.pceSvn ?? CURRENT_PCE_SVN,
    tcbEvaluationDataNumber: options.tcbEvaluationDataNumber ?? TCB_EVALUATION_DATA_NUMBER,
    sgxTcbInfoVersion: options.sgxTcbInfoVersion ?? 3,
    statuses: { platform: UP_TO_DATE, qe: UP_TO_DATE, module: UP_TO_DATE, ...options.statuses },
    olderTcbLevels: count('olderTcbLevels', options.olderTcbLevels ?? 0, MAX_OLDER_TCB_LEVELS),
    revokedStrangers: count('revokedStrangers', options.revokedStrangers ?? 0, MAX_REVOKED_STRANGERS),
  }
}

function configuration({
  dynamicPlatform = true,
  cachedKeys = true,
  smtEnabled = true,
}: IntelSettingsOptions): Pick<IntelSettings, 'dynamicPlatform' | 'cachedKeys' | 'smtEnabled'> {
  return { dynamicPlatform, cachedKeys, smtEnabled }
}

function count(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value
  throw new TypeError(`${name} is an integer from 0 to ${max}`)
}

function hex(name: string, value: Bytes, size: number): string {
  const bytes = toBytes(value)
  if (bytes.length !== size) throw new TypeError(`${name} is ${bytes.length} bytes, want ${size}`)
  return Buffer.from(bytes).toString('hex')
}
