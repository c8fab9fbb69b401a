// Which security version is short of what: for a part of the platform that Intel judges worse than it could be, the
// components that keep it from the nearest level of each better status. An explanation of a verdict, never part of it.

import { TCB_STATUSES } from '../claims.ts'
import type { EnclaveIdentity } from '../documents/enclave-identity.ts'
import { firstTdxComponent, type TcbInfo, type TcbLevel, type TcbVerdict } from '../documents/tcb-info.ts'
import type { TcbShortfall } from './claims.ts'
import type { PckExtension } from './pck.ts'
import type { SgxQuote, TdxQuote } from './quote.ts'

/** What was judged, and the levels that were reached; `module` is null where levels alone judge it. */
export interface Judged {
  readonly quote: SgxQuote | TdxQuote
  readonly pck: PckExtension
  readonly info: TcbInfo
  readonly identity: EnclaveIdentity
  readonly level: TcbVerdict
  readonly module: TcbVerdict | null
  readonly qe: TcbVerdict
}

/** Of each part that could be better, and each better status, everything that is short of its nearest level. */
export function tcbShortfalls({
  quote,
  pck,
  info,
  identity,
  level,
  module,
  qe,
}: Judged): readonly TcbShortfall[] {
  const teeTcbSvn = quote.kind === 'tdx' ? quote.body.teeTcbSvn : null
  const levels = betterLevels(info.levels, level)
  const shortfalls = levels.flatMap(better => shortOfLevel({ info, pck, teeTcbSvn }, better))
  const ofModule = info.tdxModuleIdentities.find(it => it.levels.some(one => one === module))
  for (const better of module && ofModule ? betterLevels(ofModule.levels, module) : []) {
    const got = teeTcbSvn?.[0] ?? 0
    shortfalls.push(shortfall({ part: 'tdx-module', index: null, name: null }, got, better.isvSvn, better))
  }
  for (const better of betterLevels(identity.levels, qe)) {
    const got = quote.qeReport.isvSvn
    shortfalls.push(shortfall({ part: 'qe', index: null, name: null }, got, better.isvSvn, better))
  }
  return shortfalls
}

/** The versions that a platform has. */
export interface PlatformVersions {
  readonly info: TcbInfo
  readonly pck: PckExtension
  /** Null for SGX. */
  readonly teeTcbSvn: Uint8Array | null
}

/** Every component that is below what a level wants. */
export function shortOfLevel({ info, pck, teeTcbSvn }: PlatformVersions, level: TcbLevel): TcbShortfall[] {
  const named = (part: 'sgx' | 'tdx', at: number) => ({
    part,
    index: at + 1,
    name: info.names[part][at] ?? null,
  })
  const found = level.sgxComponents.map((wanted, at) =>
    shortfall(named('sgx', at), pck.sgxComponents[at] ?? 0, wanted, level),
  )
  found.push(shortfall({ part: 'pce', index: null, name: null }, pck.pceSvn, level.pceSvn, level))
  if (teeTcbSvn && level.tdxComponents) {
    for (const [at, wanted] of level.tdxComponents.entries()) {
      if (at < firstTdxComponent(teeTcbSvn)) continue
      found.push(shortfall(named('tdx', at), teeTcbSvn[at] ?? 0, wanted, level))
    }
  }
  return found.filter(({ got, wanted }) => got < wanted)
}

/** `SGX component 1 (BIOS, Early Microcode Update)`, `PCESVN`: what the vendor calls it. */
export function componentName({ part, index, name }: Pick<TcbShortfall, 'part' | 'index' | 'name'>): string {
  const words = {
    sgx: 'SGX component',
    tdx: 'TDX component',
    pce: 'PCESVN',
    'tdx-module': 'TDX module ISVSVN',
    qe: 'QE ISVSVN',
  }
  return `${words[part]}${index === null ? '' : ` ${index}`}${name === null ? '' : ` (${name})`}`
}

/** `short of UpToDate (2024-11-13): PCESVN 11, want 13; …`, status by status; empty where nothing is short. */
export function describeShortfalls(shortfalls: readonly TcbShortfall[]): string {
  const groups = Map.groupBy(shortfalls, ({ status, date }) => `${status} (${date.slice(0, 10)})`)
  return Array.from(groups, ([level, short]) => {
    const parts = short.map(it => `${componentName(it)} is ${it.got}, want ${it.wanted}`)
    return `short of ${level}: ${parts.join('; ')}`
  }).join('. ')
}

/** The nearest level above the reached one of every status that is better, nearest first; levels stand from the newest down. */
function betterLevels<T extends TcbVerdict>(levels: readonly T[], reached: TcbVerdict): readonly T[] {
  const at = levels.findIndex(it => it === reached)
  const above = levels.slice(0, Math.max(0, at))
  const nearest = new Map(above.map(level => [level.status, level]))
  const better = above.filter(level => nearest.get(level.status) === level && rank(level) < rank(reached))
  return better.toReversed()
}

function rank({ status }: TcbVerdict): number {
  return TCB_STATUSES.indexOf(status)
}

// oxlint-disable-next-line max-params -- what it is, what it has, what is wanted, and by which level
function shortfall(
  component: Pick<TcbShortfall, 'part' | 'index' | 'name'>,
  got: number,
  wanted: number,
  { status, date }: TcbVerdict,
): TcbShortfall {
  return { ...component, got, wanted, status, date }
}
