// Release rules: checked when saved, compiled once per change of any of them, decided on every fetch.

import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Store, StoredDocument } from '../store/store.ts'
import {
  type CompiledRule,
  decideRelease,
  type ReleaseDecision,
  type ReleaseSubject,
  type RequestedSecret,
} from './decision.ts'
import { type DryRunContext, dryRunRule } from './dry-run.ts'
import { compileExpression } from './expression.ts'
import { parseSecretPattern } from './pattern.ts'

/** A release rule as /v1 stores it (document kind `rule`). */
export interface ReleaseRule extends JsonObject {
  /** Pattern of `repository/type/tag`; `*` stands for one whole segment. */
  readonly secrets: string
  /** CEL over `claims`, `result`, `secret` and `now`; must be a boolean. */
  readonly expression: string
  /** For auditors, when the expression is false. */
  readonly message: string
  readonly enabled: boolean
}

export interface ReleaseRules {
  /** Parses and typechecks. @throws {BrokerError} `rule-invalid` with what the checker said */
  check(rule: ReleaseRule): void
  /** What the newest `limit` accepted attestations would now get from this rule. */
  dryRun(rule: ReleaseRule, limit: number): Promise<JsonObject>
  /** By the rules that are stored now. */
  decide(subject: ReleaseSubject, secret: RequestedSecret): Promise<RulesDecision>
}

/** With the generation of the rules that it was made by. */
export interface RulesDecision extends ReleaseDecision {
  readonly ruleGeneration: number
}

interface CompiledRules {
  readonly generation: number
  readonly rules: readonly CompiledRule[]
}

const MEMBERS: readonly string[] = ['secrets', 'expression', 'message', 'enabled']

/** Longest message, in characters: it is repeated in every denial's ledger entry. */
export const MAX_MESSAGE_CHARS = 512

/** Where rules are, and what they are tried on. */
export interface RulesContext extends DryRunContext {
  readonly store: DryRunContext['store'] & Pick<Store, 'documents'>
}

export function createReleaseRules(context: RulesContext): ReleaseRules {
  let compiled: CompiledRules | undefined

  const enabledRules = async (): Promise<CompiledRules> => {
    // Before the rules: where one changes meanwhile, a release is not recorded, and is decided anew.
    const generation = await context.store.documents.generation('rule')
    if (compiled?.generation !== generation) {
      const documents = await context.store.documents.all('rule')
      compiled = { generation, rules: documents.flatMap(compileStored) }
    }
    return compiled
  }

  return {
    check: rule => void compileRule('', rule),
    dryRun: (rule, limit) => dryRunRule(context, compileRule('', rule), limit),
    decide: async (subject, secret) => {
      const { generation, rules } = await enabledRules()
      const decision = decideRelease(rules, subject, { secret, now: context.now() })
      return { ...decision, ruleGeneration: generation }
    },
  }
}

/** @throws {BrokerError} `rule-invalid` */
function compileRule(name: string, rule: ReleaseRule): CompiledRule {
  checkShape(rule)
  return {
    name,
    pattern: parseSecretPattern(rule.secrets),
    message: rule.message,
    expression: compileExpression(rule.expression),
  }
}

/** A stored rule that a newer broker no longer compiles goes on matching, and denies. */
function compileStored({ name, document }: StoredDocument): readonly CompiledRule[] {
  const rule = document as ReleaseRule
  if (!rule.enabled) return []
  try {
    return [compileRule(name, rule)]
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return [{ name, pattern: patternOrAll(rule.secrets), message: rule.message, expression: error }]
  }
}

function patternOrAll(text: unknown): CompiledRule['pattern'] {
  try {
    return parseSecretPattern(String(text))
  } catch {
    return { repository: null, type: null, tag: null }
  }
}

function checkShape(rule: JsonObject): void {
  const { secrets, expression, message, enabled } = rule
  for (const name of Object.keys(rule)) {
    if (!MEMBERS.includes(name)) throw invalid(`unknown member ${name.slice(0, 64)}`, MEMBERS.join(', '))
  }
  for (const [name, value] of Object.entries({ secrets, expression, message })) {
    if (typeof value !== 'string' || value === '') throw invalid(`${name} is missing or empty`, 'a text')
  }
  if (typeof message === 'string' && message.length > MAX_MESSAGE_CHARS) {
    throw invalid('message is too long', `at most ${MAX_MESSAGE_CHARS} characters`)
  }
  if (typeof enabled !== 'boolean') throw invalid('enabled is missing', 'true or false')
}

function invalid(message: string, expected: string): BrokerError {
  return new BrokerError('rule-invalid', message, { expected })
}
