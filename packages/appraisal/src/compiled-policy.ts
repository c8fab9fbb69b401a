// A policy as a list of checks per kind of evidence: sets, numbers and messages are made once, when the policy is
// parsed, so that an appraisal only looks up. What a policy leaves open is listed too, so that results can show it.

import type { Claims, Kind, SnpTcb } from '@casemate/evidence'
import type { Node } from './block.ts'
import { codeKnownBy, isCodeKnown, isIdentifying } from './code-identity.ts'
import { type CollateralLimit, type CollateralLimits, collateralLimits } from './collateral-age.ts'
import { claimReader, type Expectation, isExpectation } from './expectation.ts'
import { type AppraisalPolicy, POLICY } from './policy-fields.ts'
import { type Facet, TRUST } from './trust-vector.ts'

/** One expectation, ready to be compared. */
export interface CompiledCheck {
  readonly path: string
  readonly expected: string
  readonly facet: Facet
  /** Trustworthiness claim when it is not met. */
  readonly breach: number
  read(claims: Claims): unknown
  met(claim: unknown): boolean
  hint(claim: unknown, claims: Claims): string
}

/** What an appraisal of one kind of evidence does. */
export interface CompiledKind {
  readonly checks: readonly CompiledCheck[]
  readonly collateral: readonly CollateralLimit[]
  /** Paths that the policy leaves at 'any'. */
  readonly unchecked: readonly string[]
  /** Paths at which the policy itself says which code it wants, beside reference values; see code-identity.ts. */
  readonly identifying: ReadonlySet<string>
  /** Whether it states more about the configuration than debugging. */
  readonly statesConfiguration: boolean
}

/** What is asked of the enclave that a platform says it runs. */
export interface CompiledEnclave {
  /** With any of these an enclave has to be stated. */
  readonly checks: readonly CompiledCheck[]
  /** What `debug` of the whole policy means for an enclave that is stated; null where it leaves that open. */
  readonly debug: CompiledCheck | null
  readonly unchecked: readonly string[]
  /** As of a kind; counts where the processor measured the enclave. */
  readonly identifying: ReadonlySet<string>
}

/** SNP products have their own minimum each. */
export type SnpProduct = keyof AppraisalPolicy['snp']['minimumTcb']

export interface CompiledPolicy {
  readonly kinds: { readonly [K in Kind]: CompiledKind }
  readonly enclave: CompiledEnclave
  readonly minimumTcb: { readonly [P in SnpProduct]: readonly CompiledCheck[] }
  /** Accepted advisories, or the word that stands for all or none. */
  readonly advisories: ReadonlySet<string> | 'any' | 'none'
  readonly workloads: ReadonlySet<string> | 'any' | 'known'
}

const COMPILED = new WeakMap<AppraisalPolicy, CompiledPolicy>()

/** Compiles a policy that was just parsed; returns the same object. */
export function registerPolicy(policy: AppraisalPolicy): AppraisalPolicy {
  COMPILED.set(policy, compile(policy))
  return policy
}

/**
 * The checks of a policy.
 * @throws {TypeError} when the policy was not made by `parsePolicy`: it could lack fields
 */
export function compiledPolicy(policy: AppraisalPolicy): CompiledPolicy {
  const compiled = COMPILED.get(policy)
  if (compiled === undefined) throw new TypeError('the policy was not made by parsePolicy')
  return compiled
}

const COMMON = ['kinds', 'simulated', 'debug', 'hardwareIds', 'workloads', 'reportData', 'initData'] as const

function compile(policy: AppraisalPolicy): CompiledPolicy {
  const common = COMMON.map(name => gather(POLICY.fields[name], policy[name], name))
  const tcb = gatherTcb(policy)
  const platform = gather(POLICY.fields.platform, policy.platform, 'platform')
  const of = (kind: 'sgx' | 'tdx' | 'snp') => gather(POLICY.fields[kind], policy[kind], kind)
  const { advisories } = policy.tcb
  return {
    kinds: {
      sgx: compileKind([...common, tcb, platform, of('sgx')], collateralLimits(policy, 'sgx')),
      tdx: compileKind([...common, tcb, platform, of('tdx')], collateralLimits(policy, 'tdx')),
      snp: compileKind([...common, of('snp')], collateralLimits(policy, 'snp')),
      sample: compileKind(common, collateralLimits(policy, 'sample')),
    },
    enclave: compileEnclave(policy),
    minimumTcb: {
      Milan: minimumTcbChecks('Milan', policy.snp.minimumTcb.Milan),
      Genoa: minimumTcbChecks('Genoa', policy.snp.minimumTcb.Genoa),
      Turin: minimumTcbChecks('Turin', policy.snp.minimumTcb.Turin),
    },
    advisories: typeof advisories === 'string' ? advisories : new Set(advisories),
    workloads: typeof policy.workloads === 'string' ? policy.workloads : new Set(policy.workloads),
  }
}

interface Gathered {
  readonly checks: readonly CompiledCheck[]
  readonly unchecked: readonly string[]
  /** Paths whose value says which code it wants. */
  readonly identifying: readonly string[]
}

const NOTHING: Gathered = { checks: [], unchecked: [], identifying: [] }

function together(parts: readonly Gathered[]): Gathered {
  return {
    checks: parts.flatMap(part => part.checks),
    unchecked: parts.flatMap(part => part.unchecked),
    identifying: parts.flatMap(part => part.identifying),
  }
}

function compileEnclave({ enclave, debug }: AppraisalPolicy): CompiledEnclave {
  const node = POLICY.fields.enclave
  const { checks, unchecked, identifying } = gather(node, enclave, 'enclave')
  const covered = debug === false ? compileExpectation(node.fields.debug, false, 'enclave.debug') : null
  return {
    checks,
    debug: covered,
    unchecked: Object.freeze(unchecked.filter(path => path !== covered?.path)),
    identifying: new Set(identifying),
  }
}

function compileKind(parts: readonly Gathered[], collateral: CollateralLimits): CompiledKind {
  const { checks, unchecked, identifying } = together(parts)
  return {
    checks,
    collateral: collateral.limits,
    unchecked: Object.freeze([...unchecked, ...collateral.unchecked]),
    identifying: new Set(identifying),
    statesConfiguration: checks.some(check => check.facet === 'configuration' && check.path !== 'debug'),
  }
}

/** Intel's evaluation; how old what was used may be differs by kind, and is compared with the time. */
function gatherTcb({ tcb }: AppraisalPolicy): Gathered {
  const { maxCollateralAge: _by, ...fields } = POLICY.fields.tcb.fields
  return gather({ ...POLICY.fields.tcb, fields }, tcb, 'tcb')
}

/**
 * Every expectation below a node, the paths of those that say which code is wanted, and every 'any'. Fields that are no
 * plain expectation have checks of their own.
 */
function gather(node: Node, value: unknown, path: string): Gathered {
  if (value === 'any') return { ...NOTHING, unchecked: [path] }
  if (node.is === 'choice') return typeof value === 'string' ? NOTHING : gather(node.block, value, path)
  if (node.is === 'block') {
    const members = value as Readonly<Record<string, unknown>>
    const parts = Object.entries(node.fields).map(([name, child]) =>
      gather(child, members[name], `${path}.${name}`),
    )
    return together(parts)
  }
  if (!isExpectation(node)) return NOTHING
  const identifying = isIdentifying(path, value) ? [path] : []
  return { checks: [compileExpectation(node, value, path)], unchecked: [], identifying }
}

const BREACH: Readonly<Record<Facet, number>> = {
  'instance-identity': TRUST.unrecognised,
  configuration: TRUST.contraindicated,
  executables: TRUST.unrecognisedExecutables,
  'file-system': TRUST.contraindicated,
  hardware: TRUST.contraindicated,
  'runtime-opaque': TRUST.contraindicated,
  'storage-opaque': TRUST.contraindicated,
  'sourced-data': TRUST.contraindicated,
}

/** Not recognised at all, rather than recognised and unwanted. */
const UNRECOGNISED = new Set(['kinds', 'simulated'])

function compileExpectation(node: Expectation<unknown>, value: unknown, path: string): CompiledCheck {
  return {
    path,
    expected: node.leaf.show(value),
    facet: node.facet,
    breach: UNRECOGNISED.has(path) ? TRUST.unrecognised : BREACH[node.facet],
    read: claimReader(node.claim),
    met: node.leaf.comparison(value),
    hint: (claim, claims) => {
      const isNone = claim === null || claim === undefined
      const remedy = (isNone ? node.remedyIfNone : undefined) ?? node.remedy
      const reason = node.reason?.(claims, value) ?? ''
      return reason === '' ? remedy : `${reason}; ${remedy}`
    },
  }
}

type MinimumTcb = AppraisalPolicy['snp']['minimumTcb'][SnpProduct]

/** The TCBs that must reach the minimum: what signs the report, and what the guest was launched under. */
const TCBS = ['reportedTcb', 'launchTcb'] as const
const COMPONENTS = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const

function minimumTcbChecks(product: SnpProduct, minimum: MinimumTcb): readonly CompiledCheck[] {
  if (minimum === 'any') return []
  const path = `snp.minimumTcb.${product}`
  if (minimum === 'unstated') return [unstatedMinimum(product, path)]
  const wanted: { readonly [C in keyof SnpTcb]?: number | 'any' } = minimum
  return COMPONENTS.flatMap(component => {
    const value = wanted[component]
    if (value === undefined || value === 'any') return []
    return TCBS.map(tcb => ({
      path: `${path}.${component}`,
      expected: `${tcb}.${component} at least ${value}`,
      facet: 'hardware' as const,
      breach: TRUST.contraindicated,
      read: claimReader(`snp.${tcb}.${component}`),
      met: (claim: unknown) => typeof claim === 'number' && claim >= value,
      hint: () =>
        tcb === 'launchTcb'
          ? 'the guest was launched under older firmware; start it again'
          : "update the host's firmware and microcode",
    }))
  })
}

/** AMD publishes no TCB status: without a stated minimum there is nothing to go by. */
function unstatedMinimum(product: SnpProduct, path: string): CompiledCheck {
  const read = claimReader('snp.reportedTcb.bootloader')
  return {
    path,
    expected: `a minimum TCB for ${product}, stated by the policy`,
    facet: 'hardware',
    breach: TRUST.contraindicated,
    read: claims => (claims.kind === 'snp' ? claims.snp.reportedTcb : read(claims)),
    met: () => false,
    hint: claim =>
      `AMD publishes no TCB status; state the minimum, e.g. ${product}: ${pasteable(claim, product)}`,
  }
}

function pasteable(claim: unknown, product: SnpProduct): string {
  const tcb: object = typeof claim === 'object' && claim !== null ? claim : {}
  const svns = new Map<string, unknown>(Object.entries(tcb))
  const names = product === 'Turin' ? COMPONENTS : COMPONENTS.slice(1)
  const shown = names.map(name => {
    const svn = svns.get(name)
    return `${name}: ${typeof svn === 'number' ? svn : 'any'}`
  })
  return `{ ${shown.join(', ')} }`
}

/** Whether evidence of a kind is accepted only where its code is known: by reference values, or what the policy itself names. */
export function comparesCode(policy: AppraisalPolicy, kind: Kind): boolean {
  const { identifying } = compiledPolicy(policy).kinds[kind]
  return policy.workloads !== 'any' || isCodeKnown(codeKnownBy(kind, identifying))
}
