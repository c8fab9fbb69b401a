// How Intel judges a platform (Intel DCAP QuoteVerificationLibrary, Verifiers/Checks): the first TCB level that the
// platform reaches, merged with the levels of the TDX module and of the quoting enclave. Pure functions of verified
// input; what cannot be judged is refused, what is judged badly is a status.

import { isZero, toHex } from '../bytes.ts'
import type { TcbStatus } from '../claims.ts'
import {
  firstTdxComponent,
  type TcbInfo,
  type TcbLevel,
  type TcbVerdict,
  type TdxModuleIdentity,
} from '../documents/tcb-info.ts'
import { Refusal } from '../refusal.ts'
import type { PckExtension } from './pck.ts'
import type { TdQuoteBody } from './report-body.ts'
import { componentName, shortOfLevel } from './tcb-shortfall.ts'

/** The levels that a platform reaches. */
export interface PlatformLevels {
  /** By CPUSVN and PCESVN alone; the same as `level` for SGX. */
  readonly sgx: TcbLevel
  /** For TDX by TEE_TCB_SVN too. */
  readonly level: TcbLevel
}

/**
 * The first levels that the PCK's components, and for TDX TEE_TCB_SVN, reach in every component.
 * @throws {Refusal} `tcb-level-unknown`
 */
export function matchTcbLevels(
  info: TcbInfo,
  pck: PckExtension,
  teeTcbSvn: Uint8Array | null,
): PlatformLevels {
  const reached = info.levels.filter(
    level => reaches(pck.sgxComponents, level.sgxComponents, 0) && pck.pceSvn >= level.pceSvn,
  )
  const [sgx] = reached
  const level = teeTcbSvn ? reached.find(it => reachesTdx(teeTcbSvn, it)) : sgx
  if (sgx && level) return { sgx, level }
  const got = `CPUSVN ${pck.sgxComponents.join('.')}, PCESVN ${pck.pceSvn}`
  const tdx = teeTcbSvn ? `, TEE_TCB_SVN ${[...teeTcbSvn].join('.')}` : ''
  const lowest = info.levels.findLast(it => !teeTcbSvn || it.tdxComponents)
  const short = lowest ? shortOfLevel({ info, pck, teeTcbSvn }, lowest) : []
  throw new Refusal('tcb-level-unknown', `no TCB level of the TCB info is reached by ${got}${tdx}`, {
    expected:
      short.map(it => `${componentName(it)} at least ${it.wanted}`).join('; ') || 'a TCB level of this TEE',
    got: short.map(it => `${componentName(it)} ${it.got}`).join('; ') || got + tdx,
    hint: 'the platform is older than anything that Intel still judges: update its firmware',
  })
}

function reaches(components: ArrayLike<number>, level: readonly number[], from: number): boolean {
  for (let i = from; i < level.length; i++) {
    if ((components[i] ?? 0) < (level[i] ?? 0)) return false
  }
  return true
}

function reachesTdx(teeTcbSvn: Uint8Array, level: TcbLevel): boolean {
  if (!level.tdxComponents) return false
  return reaches(teeTcbSvn, level.tdxComponents, firstTdxComponent(teeTcbSvn))
}

/**
 * Checks signer and attributes of the TDX module, and finds its level.
 * @returns null for a module of version 0, which TCB levels alone judge
 * @throws {Refusal} `tdx-module-mismatch`, `tcb-level-unknown`
 */
export function judgeTdxModule(info: TcbInfo, body: TdQuoteBody): TcbVerdict | null {
  const [isvSvn = 0, version = 0] = body.teeTcbSvn
  const identity = version === 0 ? null : findModuleIdentity(info, version)
  const module = identity ?? info.tdxModule
  if (!module) throw new Refusal('tdx-module-mismatch', 'the TCB info describes no TDX module')
  const mrSigner = toHex(body.mrSignerSeam)
  if (mrSigner !== module.mrSigner) mismatch('MRSIGNERSEAM', module.mrSigner, mrSigner)
  const attributes = toHex(body.seamAttributes)
  // Intel's library demands zero beside equality, whatever the mask says.
  if (attributes !== module.attributes || !isZero(body.seamAttributes)) {
    mismatch('SEAMATTRIBUTES', module.attributes, attributes)
  }
  if (!identity) return null
  const level = identity.levels.find(it => isvSvn >= it.isvSvn)
  if (level) return level
  throw new Refusal('tcb-level-unknown', `no level of ${identity.id} is reached by SVN ${isvSvn}`, {
    expected: `at least ${identity.levels.at(-1)?.isvSvn ?? 'one level'}`,
    got: `${isvSvn}`,
  })
}

function findModuleIdentity(info: TcbInfo, version: number): TdxModuleIdentity {
  const id = `TDX_${version.toString(16).padStart(2, '0').toUpperCase()}`
  const identity = info.tdxModuleIdentities.find(it => it.id === id)
  if (identity) return identity
  throw new Refusal('tdx-module-mismatch', `the TCB info has no identity for TDX module version ${version}`, {
    expected: info.tdxModuleIdentities.map(it => it.id).join(' or ') || 'a TDX module of version 0',
    got: id,
  })
}

function mismatch(field: string, expected: string, got: string): never {
  const message = `${field} is not the one that the TCB info describes`
  throw new Refusal('tdx-module-mismatch', message, { expected, got })
}

const OUT_OF_DATE: Readonly<Partial<Record<TcbStatus, TcbStatus>>> = {
  UpToDate: 'OutOfDate',
  SWHardeningNeeded: 'OutOfDate',
  ConfigurationNeeded: 'OutOfDateConfigurationNeeded',
  ConfigurationAndSWHardeningNeeded: 'OutOfDateConfigurationNeeded',
}

/** A platform's status with that of the TDX module (null: not judged) or the quoting enclave on top of it. */
export function mergeTcbStatus(platform: TcbStatus, upper: TcbStatus | null): TcbStatus {
  if (upper === null || upper === 'UpToDate') return platform
  if (upper === 'Revoked') return 'Revoked'
  // An enclave or module is up to date, revoked, or else out of date, whatever the word.
  return OUT_OF_DATE[platform] ?? platform
}

/** The date of the level that is furthest behind, as served: a platform is as old as its oldest part. */
export function oldestDate(verdicts: readonly [TcbVerdict, ...TcbVerdict[]]): string {
  return verdicts.reduce((a, b) => (Date.parse(b.date) < Date.parse(a.date) ? b : a)).date
}

/** The levels that the parts of a platform reach. */
export interface Verdicts {
  readonly info: TcbInfo
  /** By CPUSVN and PCESVN alone. */
  readonly sgx: TcbVerdict
  readonly level: TcbVerdict
  readonly module: TcbVerdict | null
  readonly qe: TcbVerdict
}

/**
 * The status of all parts together. `teeTcbSvn2` is that of a 1.5 body, else null.
 * @throws {Refusal} `tdx-module-mismatch`, when the present module is unknown
 */
export function mergeAll(
  { info, sgx, level, module, qe }: Verdicts,
  teeTcbSvn2: Uint8Array | null,
): TcbStatus {
  const moduleStatus = module?.status ?? null
  let status = mergeTcbStatus(level.status, moduleStatus)
  if (teeTcbSvn2 && status !== 'Revoked') {
    const statuses = { sgxStatus: sgx.status, tdxStatus: status, moduleStatus, qeStatus: qe.status }
    status = adviseRelaunch(teeTcbSvn2, { info, ...statuses })
  }
  return mergeTcbStatus(status, qe.status)
}

/** What {@link adviseRelaunch} looks at beside the quote's second TEE_TCB_SVN. */
interface RelaunchInput {
  readonly info: TcbInfo
  readonly sgxStatus: TcbStatus
  /** Platform and module, merged. */
  readonly tdxStatus: TcbStatus
  readonly moduleStatus: TcbStatus | null
  readonly qeStatus: TcbStatus
}

const CONFIGURATION_NEEDED: ReadonlySet<TcbStatus> = new Set([
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDateConfigurationNeeded',
])

/**
 * Whether only the TD is old: launched under an out-of-date module that has been updated below it since, which
 * TEE_TCB_SVN_2 of a 1.5 body says. Anything else leaves the status as it is.
 * @throws {Refusal} `tdx-module-mismatch`, when the present module is unknown
 */
function adviseRelaunch(teeTcbSvn2: Uint8Array, input: RelaunchInput): TcbStatus {
  const { info, sgxStatus, tdxStatus } = input
  if (!isOnlyTheModuleOld(input) || !isLatest(info, teeTcbSvn2)) return tdxStatus
  const needsConfiguration = CONFIGURATION_NEEDED.has(sgxStatus) || CONFIGURATION_NEEDED.has(tdxStatus)
  return needsConfiguration ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised'
}

/** Whether module and late microcode have the newest versions that the TCB info knows. */
function isLatest(info: TcbInfo, [isvSvn = 0, version = 0, microcode = 0]: Uint8Array): boolean {
  const latest = info.levels[0]?.tdxComponents
  if (!latest) return false
  const wantedSvn = version === 0 ? latest[0] : findModuleIdentity(info, version).levels[0]?.isvSvn
  return wantedSvn !== undefined && isvSvn >= wantedSvn && microcode >= (latest[2] ?? 0)
}

function isOnlyTheModuleOld({ sgxStatus, tdxStatus, moduleStatus, qeStatus }: RelaunchInput): boolean {
  return (
    qeStatus === 'UpToDate' &&
    OUT_OF_DATE[sgxStatus] !== undefined &&
    (tdxStatus === 'OutOfDate' || tdxStatus === 'OutOfDateConfigurationNeeded') &&
    moduleStatus === 'OutOfDate'
  )
}
