// The release decision: may this attested guest have this secret? Every enabled rule whose pattern matches must be
// true, as in Kubernetes' ValidatingAdmissionPolicy. No rule: no release. A rule that errors denies. All matching
// rules are evaluated, also after one was false, so that an auditor reads the whole reason.

import type { JsonObject } from '../json.ts'
import type { SecretPath } from '../secret-path.ts'
import type { CelValue, Expression } from './expression.ts'
import { patternMatches, type SecretPattern } from './pattern.ts'

/** An enabled rule, parsed and checked; `expression` is the error where a stored rule no longer compiles. */
export interface CompiledRule {
  readonly name: string
  readonly pattern: SecretPattern
  readonly message: string
  readonly expression: Expression | Error
}

/** Who asks: an accepted attestation, as CEL values. */
export interface ReleaseSubject {
  readonly claims: CelValue
  readonly result: CelValue
}

/** What is asked for; version 0 where there is no such secret, which is decided like one that exists. */
export interface RequestedSecret extends SecretPath {
  readonly version: number
}

/** What one rule said. */
export interface RuleOutcome extends JsonObject {
  readonly rule: string
  readonly outcome: 'true' | 'false' | 'error'
  /** The rule's message where it was false, the error where it failed, empty where it was true. */
  readonly message: string
}

/** For the ledger; the guest learns only whether. */
export interface ReleaseDecision {
  readonly granted: boolean
  readonly reason: 'granted' | 'no-rule' | 'rule-false' | 'rule-error'
  readonly rules: readonly RuleOutcome[]
}

export function decideRelease(
  rules: readonly CompiledRule[],
  subject: ReleaseSubject,
  request: { readonly secret: RequestedSecret; readonly now: Date },
): ReleaseDecision {
  const matching = rules.filter(rule => patternMatches(rule.pattern, request.secret))
  const outcomes = matching.map(rule => evaluateRule(rule, subject, request))
  const reason = reasonOf(outcomes)
  return { granted: reason === 'granted', reason, rules: outcomes }
}

export function evaluateRule(
  rule: CompiledRule,
  subject: ReleaseSubject,
  request: { readonly secret: RequestedSecret; readonly now: Date },
): RuleOutcome {
  const { name, expression, message } = rule
  if (expression instanceof Error) return { rule: name, outcome: 'error', message: expression.message }
  const { repository, type, tag, version } = request.secret
  const secret = { repository, type, tag, version: BigInt(version) }
  try {
    return expression.evaluate({ ...subject, secret, now: request.now })
      ? { rule: name, outcome: 'true', message: '' }
      : { rule: name, outcome: 'false', message }
  } catch (error) {
    // Whatever a rule throws denies: an error is never an answer in the guest's favour.
    const [line = ''] = error instanceof Error ? error.message.split('\n', 1) : []
    return { rule: name, outcome: 'error', message: line }
  }
}

function reasonOf(outcomes: readonly RuleOutcome[]): ReleaseDecision['reason'] {
  if (outcomes.length === 0) return 'no-rule'
  if (outcomes.some(({ outcome }) => outcome === 'error')) return 'rule-error'
  return outcomes.every(({ outcome }) => outcome === 'true') ? 'granted' : 'rule-false'
}
