// TCB info (Intel PCS API v4, `tcbInfo`; version 2 from API v3 for SGX): which component versions a processor family
// can have, and how Intel judges each. Levels are tried in the order as served, which is from the newest down.

import type { TcbStatus } from '../claims.ts'
import { Refusal } from '../refusal.ts'
import { escapeUnfit } from '../untrusted-text.ts'
import { SignedFields } from './signed-fields.ts'
import type { SignedJson } from './signed-json.ts'

/** Components of CPUSVN and of TEE_TCB_SVN. */
export const TCB_COMPONENTS = 16
const MAX_U8 = 0xff
const MAX_U16 = 0xffff
const MAX_U32 = 0xffff_ffff

/** What a level of TCB info can say; the two relaunch statuses are computed, never served. */
const LEVEL_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const satisfies readonly TcbStatus[]
const MODULE_STATUSES = ['UpToDate', 'OutOfDate', 'Revoked'] as const satisfies readonly TcbStatus[]

/** What every verdict of a level has. */
export interface TcbVerdict {
  readonly status: TcbStatus
  /** RFC 3339, as served. */
  readonly date: string
  readonly advisoryIds: readonly string[]
}

export interface TcbLevel extends TcbVerdict {
  readonly sgxComponents: readonly number[]
  readonly pceSvn: number
  /** Null in TCB info for SGX. */
  readonly tdxComponents: readonly number[] | null
}

/** A TDX module, as the TCB info describes it; hex. */
export interface TdxModule {
  readonly mrSigner: string
  readonly attributes: string
  readonly attributesMask: string
}

export interface TdxModuleIdentity extends TdxModule {
  /** `TDX_01`, upper case; the number is TEE_TCB_SVN[1], in hex. */
  readonly id: string
  readonly levels: readonly (TcbVerdict & { readonly isvSvn: number })[]
}

export interface TcbInfo extends SignedJson {
  readonly kind: 'tcb-info'
  readonly tee: 'sgx' | 'tdx'
  readonly version: 2 | 3
  /** Milliseconds since 1970. */
  readonly issueDate: number
  readonly nextUpdate: number
  /** Lower-case hex. */
  readonly fmspc: string
  readonly pceId: string
  readonly evaluationNumber: number
  readonly levels: readonly TcbLevel[]
  /** What each component is, by the newest level, as ‘BIOS, Early Microcode Update’; null where that is not said. */
  readonly names: { readonly sgx: readonly (string | null)[]; readonly tdx: readonly (string | null)[] }
  /** Null for SGX. */
  readonly tdxModule: TdxModule | null
  /** Empty where none are listed. */
  readonly tdxModuleIdentities: readonly TdxModuleIdentity[]
}

/**
 * Reads a signed `tcbInfo`, which `value` is; its signature is checked by verification, not here.
 * @throws {Refusal} `endorsement-malformed`
 */
export function parseTcbInfo(signed: SignedJson, value: unknown): TcbInfo {
  const fields = new SignedFields(value, 'tcbInfo')
  const version = fields.integer('version', MAX_U32)
  if (version !== 2 && version !== 3) return fields.fail('version 2 or 3', 'version')
  const tee = version === 2 ? 'sgx' : fields.oneOf('id', ['SGX', 'TDX']) === 'SGX' ? 'sgx' : 'tdx'
  if (fields.integer('tcbType', MAX_U32) !== 0) fields.fail('tcbType 0', 'tcbType')
  const served = fields.objects('tcbLevels')
  const levels = served.map(level => parseLevel(level, version, tee))
  if (levels.length === 0) fields.fail('at least one level', 'tcbLevels')
  const info: TcbInfo = {
    ...signed,
    kind: 'tcb-info',
    tee,
    version,
    ...fields.window(),
    fmspc: fields.hex('fmspc', 6),
    pceId: fields.hex('pceId', 2),
    evaluationNumber: fields.integer('tcbEvaluationDataNumber', MAX_U32),
    levels,
    names: {
      sgx: componentNames(served[0], 'sgxtcbcomponents'),
      tdx: componentNames(served[0], 'tdxtcbcomponents'),
    },
    tdxModule: tee === 'tdx' ? parseModule(fields.object('tdxModule')) : null,
    tdxModuleIdentities:
      tee === 'tdx' && fields.has('tdxModuleIdentities')
        ? fields.objects('tdxModuleIdentities').map(parseModuleIdentity)
        : [],
  }
  if (new Set(info.tdxModuleIdentities.map(({ id }) => id)).size !== info.tdxModuleIdentities.length) {
    throw new Refusal('endorsement-malformed', 'tcbInfo.tdxModuleIdentities has two identities with one id')
  }
  return info
}

function parseLevel(level: SignedFields, version: 2 | 3, tee: 'sgx' | 'tdx'): TcbLevel {
  const tcb = level.object('tcb')
  return {
    sgxComponents: version === 2 ? numberedComponents(tcb) : components(tcb, 'sgxtcbcomponents'),
    pceSvn: tcb.integer('pcesvn', MAX_U16),
    tdxComponents: tee === 'tdx' ? components(tcb, 'tdxtcbcomponents') : null,
    ...parseVerdict(level, LEVEL_STATUSES),
  }
}

/** `tcbDate`, `tcbStatus` and `advisoryIDs`, which all levels of all endorsements share. */
export function parseVerdict(level: SignedFields, statuses: readonly TcbStatus[]): TcbVerdict {
  level.time('tcbDate')
  return {
    status: level.oneOf('tcbStatus', statuses),
    date: level.text('tcbDate'),
    advisoryIds: level.texts('advisoryIDs'),
  }
}

/** Version 2 has a member for each component: sgxtcbcomp01svn to sgxtcbcomp16svn. */
function numberedComponents(tcb: SignedFields): readonly number[] {
  return Array.from({ length: TCB_COMPONENTS }, (_, index) =>
    tcb.integer(`sgxtcbcomp${String(index + 1).padStart(2, '0')}svn`, MAX_U8),
  )
}

function components(tcb: SignedFields, name: string): readonly number[] {
  const svns = tcb.integersOf(name, 'svn', MAX_U8)
  if (svns.length !== TCB_COMPONENTS) tcb.fail(`${TCB_COMPONENTS} components`, name)
  return svns
}

/** From TDX module 1.5 on (TEE_TCB_SVN[1] > 0) the first two components are judged by the module's identity. */
export function firstTdxComponent([, version = 0]: Uint8Array): number {
  return version > 0 ? 2 : 0
}

/** Longest name of a component, in characters; Intel’s have some 30. */
const MAX_NAME = 80

/** `category` and `type`, which a level may have from version 3 on. */
function componentNames(level: SignedFields | undefined, name: string): readonly (string | null)[] {
  const tcb = level?.object('tcb')
  if (!tcb?.has(name)) return []
  return tcb.objects(name).map(component => {
    const words = ['category', 'type'].map(member => component.optionalText(member)).filter(Boolean)
    return words.length === 0 ? null : escapeUnfit(words.join(', ').slice(0, MAX_NAME))
  })
}

function parseModule(module: SignedFields): TdxModule {
  return {
    mrSigner: module.hex('mrsigner', 48),
    attributes: module.hex('attributes', 8),
    attributesMask: module.hex('attributesMask', 8),
  }
}

function parseModuleIdentity(identity: SignedFields): TdxModuleIdentity {
  return {
    id: identity.text('id').toUpperCase(),
    ...parseModule(identity),
    levels: identity.objects('tcbLevels').map(level => ({
      isvSvn: level.object('tcb').integer('isvsvn', MAX_U16),
      ...parseVerdict(level, MODULE_STATUSES),
    })),
  }
}
