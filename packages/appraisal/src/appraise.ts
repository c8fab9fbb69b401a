// Whether verified evidence is what was wanted: claims, reference values and policy to a result that explains itself.
// Every expectation is looked at, so that all violations are found at once. Pure: no clock, no I/O; it never throws on
// claims, and what a claim lacks meets no expectation.

import type { Claims, Kind } from '@casemate/evidence'
import { affirmations } from './affirmations.ts'
import { type Binding, type Finding, initDataFindings, reportDataFinding, statesEnclave } from './binding.ts'
import { isCodeKnown, codeKnownBy as knownBy, lackOfCode } from './code-identity.ts'
import { collateralFindings, collateralUntil } from './collateral-age.ts'
import type { CompiledCheck } from './compiled-check.ts'
import {
  type CompiledEnclave,
  type CompiledKind,
  type CompiledPolicy,
  compiledPolicy,
} from './compiled-policy.ts'
import { showClaim } from './expectation.ts'
import type { CodeKnownBy } from './kinds/kind.ts'
import { UNKNOWN_KIND } from './kinds/kinds.ts'
import type { AppraisalPolicy } from './policy-fields.ts'
import { type ReferenceValues, workloadIndex } from './reference-values.ts'
import type { AppraisalResult, CheckedExpectation, Violation } from './result.ts'
import { type Facet, statusOf, TRUST, type TrustVector, worse } from './trust-vector.ts'
import type { ClosestReference, FoundWorkload, PartialMatch } from './workload-index.ts'

/** Everything that an appraisal depends on. */
export interface AppraisalInput {
  /** Claims of evidence that `verify` accepted. */
  readonly claims: Claims
  readonly references: ReferenceValues
  readonly policy: AppraisalPolicy
  readonly binding: Binding
  /** When the evidence was verified: the age of collateral is as of then. */
  readonly now: Date
}

/**
 * Appraises verified claims.
 * @throws {TypeError} when policy or reference values were not made by their parsers, or `now` is no time
 */
export function appraise({ claims, references, policy, binding, now }: AppraisalInput): AppraisalResult {
  if (Number.isNaN(now.getTime())) throw new TypeError('now is not a time')
  const compiled = compiledPolicy(policy)
  const book = new Findings()
  const kind = Object.hasOwn(compiled.kinds, claims.kind)
    ? compiled.kinds[claims.kind]
    : compiled.kinds[UNKNOWN_KIND]
  for (const check of kind.checks) book.compare(check, claims)
  if (kind.hasAdvisories) checkAdvisories(book, compiled, claims)
  for (const finding of collateralFindings(kind.collateral, claims, now)) {
    book.record(finding, 'hardware', TRUST.contraindicated)
  }
  const { checks, isFirmwareKnown } = kind.dependent(claims)
  for (const check of checks) book.compare(check, claims)
  const identifying = identifyingOf(compiled, kind, claims)
  const { workload, closestReference, codeKnownBy } = checkWorkload(book, {
    compiled,
    claims,
    references,
    identifying,
  })
  checkEnclave(book, compiled.enclave, claims)
  checkVouching(book, compiled, claims, codeKnownBy)
  const bound = checkBinding(book, policy, claims, binding)
  const trustVector = book.vector(
    affirmations({
      claims,
      kind,
      codeKnownBy,
      knownFirmware: isFirmwareKnown,
      knownMachine: policy.hardwareIds !== 'any',
    }),
  )
  return {
    accepted: book.violations.length === 0,
    status: statusOf(trustVector),
    trustVector,
    violations: book.violations,
    checks: book.checks,
    unchecked: [...kind.unchecked, ...(statesEnclave(claims) ? compiled.enclave.unchecked : [])],
    workload,
    codeKnownBy,
    closestReference,
    kind: claims.kind,
    policyId: policy.name,
    policyVersion: policy.version,
    simulated: claims.simulated,
    freshUntil: collateralUntil(kind.collateral, claims),
    bound,
  }
}

/** What was found so far: each finding is listed, and a violation makes its aspect of trust worse. */
class Findings {
  readonly checks: CheckedExpectation[] = []
  readonly violations: Violation[] = []
  readonly #worst = new Map<Facet, number>()

  compare(check: CompiledCheck, claims: Claims): void {
    const claim = check.read(claims)
    const { path, expected } = check
    const got = showClaim(claim)
    if (check.met(claim)) this.checks.push({ path, expected, got, outcome: 'met' })
    else this.violated({ path, expected, got, hint: check.hint(claim, claims) }, check.facet, check.breach)
  }

  record({ hint, ...checked }: Finding, facet: Facet, breach: number): void {
    if (checked.outcome !== 'violated') this.checks.push(checked)
    else
      this.violated({ path: checked.path, expected: checked.expected, got: checked.got, hint }, facet, breach)
  }

  violated(violation: Violation, facet: Facet, breach: number): void {
    const { path, expected, got } = violation
    this.checks.push({ path, expected, got, outcome: 'violated' })
    this.violations.push(violation)
    this.#worst.set(facet, worse(this.#worst.get(facet) ?? TRUST.noClaim, breach))
  }

  /** The affirmed vector, worsened by what was violated. */
  vector(affirmed: TrustVector): TrustVector {
    const vector: Record<Facet, number> = { ...affirmed }
    for (const [facet, breach] of this.#worst) vector[facet] = worse(affirmed[facet], breach)
    return vector
  }
}

/** Every advisory of the TCB level has to be listed. */
function checkAdvisories(book: Findings, { advisories }: CompiledPolicy, claims: Claims): void {
  if (advisories === 'any') return
  const path = 'tcb.advisories'
  const carried: readonly unknown[] | null = Array.isArray(claims.advisoryIds) ? claims.advisoryIds : null
  const unlisted = carried?.filter(id => advisories === 'none' || !advisories.has(String(id)))
  const expected = advisories === 'none' ? 'no advisory' : `only ${[...advisories].join(', ')}`
  const got = showClaim(claims.advisoryIds)
  if (unlisted?.length === 0) {
    book.record({ path, expected, got, outcome: 'met', hint: '' }, 'hardware', TRUST.noClaim)
    return
  }
  const hint = `read ${unlisted?.join(', ') || 'the advisories'}, then update the platform, or list them`
  book.violated({ path, expected, got, hint }, 'hardware', TRUST.contraindicated)
}

/** An enclave says which code runs only where the processor measured it: elsewhere it is the word of the platform. */
function identifyingOf(compiled: CompiledPolicy, kind: CompiledKind, claims: Claims): ReadonlySet<string> {
  if (claims.enclave?.measuredBy !== 'processor') return kind.identifying
  return new Set([...kind.identifying, ...compiled.enclave.identifying])
}

interface WorkloadQuestion {
  readonly compiled: CompiledPolicy
  readonly claims: Claims
  readonly references: ReferenceValues
  readonly identifying: ReadonlySet<string>
}

function checkWorkload(book: Findings, question: WorkloadQuestion): FoundWorkload {
  const { claims, identifying } = question
  const index = workloadIndex(question.references)
  const allowed = question.compiled.workloads
  if (allowed === 'any') {
    const codeKnownBy = knownBy(claims.kind, identifying)
    return { workload: null, codeKnownBy, closestReference: null, partial: null }
  }
  const path = 'workloads'
  const found = index.find(claims, allowed, identifying)
  const { workload, partial } = found
  const named = allowed === 'known' ? '' : ` named ${[...allowed].join(' or ')}`
  const expected = `a known ${claims.kind} workload${named}`
  if (workload !== null) {
    book.record({ path, expected, got: workload, outcome: 'met', hint: '' }, 'executables', TRUST.noClaim)
    return found
  }
  const violation =
    partial === null
      ? {
          got: `measurement ${showClaim(claims.measurement)}`,
          hint: workloadHint(claims.kind, index.count(claims.kind, allowed), found.closestReference),
        }
      : partialMatch(claims.kind, partial)
  book.violated({ path, expected, ...violation }, 'executables', TRUST.unrecognisedExecutables)
  return found
}

/** What matches and says too little is no known workload. */
function partialMatch(kind: Kind, { workload, compared }: PartialMatch): { got: string; hint: string } {
  const { open, hint } = lackOfCode(kind, compared)
  return { got: `${workload}, which leaves open ${open}`, hint }
}

function workloadHint(kind: string, count: number, closest: ClosestReference | null): string {
  if (closest === null) return `there is no reference value for it (${kind}); add one for this workload`
  const fields = closest.differs.map(({ field }) => field).join(', ')
  return `of ${count} known, ${closest.workload} is closest and differs in ${fields}; add a reference value if this is yours`
}

/** What the policy wants of an enclave is violated where none is stated; `debug` is about every enclave that is. */
function checkEnclave(book: Findings, { checks, debug }: CompiledEnclave, claims: Claims): void {
  if (statesEnclave(claims)) {
    for (const check of checks) book.compare(check, claims)
    if (debug !== null) book.compare(debug, claims)
    return
  }
  if (checks.length === 0) return
  const violation = {
    path: 'enclave',
    expected: checks.map(({ path, expected }) => `${path.slice('enclave.'.length)} ${expected}`).join('; '),
    got: 'none',
    hint: 'no enclave is stated with the evidence; run the code as an enclave image, and state it',
  }
  book.violated(violation, 'executables', TRUST.unrecognisedExecutables)
}

/** A platform that nobody knows vouches for nothing: a policy may leave that open by name, and the result says so. */
function checkVouching(book: Findings, compiled: CompiledPolicy, claims: Claims, by: CodeKnownBy): void {
  if (compiled.enclave.checks.length === 0 || claims.enclave?.measuredBy !== 'host') return
  if (compiled.workloads !== 'any' || isCodeKnown(by)) return
  const expected = 'known code of the platform, whose word the enclave is'
  const got = `measurement ${showClaim(claims.measurement)}`
  book.record(
    { path: 'workloads', expected, got, outcome: 'not-checked', hint: '' },
    'executables',
    TRUST.noClaim,
  )
}

/** True when the evidence is tied to the session as far as the policy asks. */
function checkBinding(book: Findings, policy: AppraisalPolicy, claims: Claims, binding: Binding): boolean {
  const reportData = reportDataFinding(policy, claims, binding)
  if (reportData !== null) book.record(reportData, 'instance-identity', TRUST.unbound)
  const initData = initDataFindings(policy, claims, binding)
  for (const finding of initData) book.record(finding, 'configuration', TRUST.contraindicated)
  return [reportData, ...initData].every(finding => finding === null || finding.outcome === 'met')
}
