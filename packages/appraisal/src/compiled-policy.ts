// A policy as a list of checks per kind of evidence: sets, numbers and messages are made once, when the policy is
// parsed, so that an appraisal only looks up. What a policy leaves open is listed too, so that results can show it.

import type { Claims, Kind } from '@casemate/evidence'
import type { Node } from './block.ts'
import { codeKnownBy, isCodeKnown, isIdentifying } from './code-identity.ts'
import { type CollateralLimit, type CollateralLimits, collateralLimits } from './collateral-age.ts'
import type { CompiledCheck } from './compiled-check.ts'
import { claimReader, type Expectation, isExpectation } from './expectation.ts'
import type { AppraisedKind, DependentChecks } from './kinds/kind.ts'
import { eachAppraisedKind } from './kinds/kinds.ts'
import { type AppraisalPolicy, POLICY } from './policy-fields.ts'
import { type Facet, TRUST } from './trust-vector.ts'

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
  /** Whether the advisories of Intel are about it. */
  readonly hasAdvisories: boolean
  readonly firmwareBy: AppraisedKind<Claims>['firmwareBy']
  readonly dependent: (claims: Claims) => DependentChecks
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

export interface CompiledPolicy {
  readonly kinds: { readonly [K in Kind]: CompiledKind }
  readonly enclave: CompiledEnclave
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
  const intel = [gatherTcb(policy), gather(POLICY.fields.platform, policy.platform, 'platform')]
  const { advisories } = policy.tcb
  return {
    kinds: compiledKinds(policy, { common, intel }),
    enclave: compileEnclave(policy),
    advisories: typeof advisories === 'string' ? advisories : new Set(advisories),
    workloads: typeof policy.workloads === 'string' ? policy.workloads : new Set(policy.workloads),
  }
}

function compiledKinds(policy: AppraisalPolicy, parts: Parts): CompiledPolicy['kinds'] {
  const kinds = new Map<Kind, CompiledKind>()
  for (const [kind, row] of eachAppraisedKind()) {
    const own: unknown = Reflect.get(policy, kind)
    const block = row.policy === null ? [] : [gather(row.policy, own, kind)]
    const gathered = [...parts.common, ...(row.isIntel ? parts.intel : []), ...block]
    kinds.set(kind, {
      ...compileChecks(gathered, collateralLimits(policy, kind)),
      hasAdvisories: row.isIntel,
      firmwareBy: row.firmwareBy,
      dependent: row.dependent(own),
    })
  }
  return Object.fromEntries(kinds) as CompiledPolicy['kinds']
}

interface Parts {
  readonly common: readonly Gathered[]
  /** Those that are about Intel's platforms. */
  readonly intel: readonly Gathered[]
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

function compileChecks(
  parts: readonly Gathered[],
  collateral: CollateralLimits,
): Omit<CompiledKind, 'hasAdvisories' | 'firmwareBy' | 'dependent'> {
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

/** Whether evidence of a kind is accepted only where its code is known: by reference values, or what the policy itself names. */
export function comparesCode(policy: AppraisalPolicy, kind: Kind): boolean {
  const { identifying } = compiledPolicy(policy).kinds[kind]
  return policy.workloads !== 'any' || isCodeKnown(codeKnownBy(kind, identifying))
}
