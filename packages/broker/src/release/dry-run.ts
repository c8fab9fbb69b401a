// A rule tried on the past before it is switched on: what would the newest accepted attestations get from it now?

import type { JsonObject } from '../json.ts'
import type { SecretPath } from '../secret-path.ts'
import type { Store } from '../store/store.ts'
import { type CompiledRule, evaluateRule, type RequestedSecret, type RuleOutcome } from './decision.ts'
import { subjectOf } from './expression.ts'
import { patternMatches } from './pattern.ts'

/** Most attestations that one dry run looks at. */
export const MAX_DRY_RUN = 500

const PAGE = 100

/** Secrets that an expression about `secret` is tried with, out of at most {@link MAX_SECRETS_SEEN} looked at. */
const MAX_SECRETS = 10
const MAX_SECRETS_SEEN = 500

/** Where attestations and secrets are, and the time. */
export interface DryRunContext {
  readonly store: Pick<Store, 'attestations' | 'secrets'>
  readonly now: () => Date
}

/**
 * Counts and one row per attestation. An expression about `secret` is tried with the secrets that match, and a row
 * gives the worst outcome; others are tried once.
 */
export async function dryRunRule(
  context: DryRunContext,
  rule: CompiledRule,
  limit: number,
): Promise<JsonObject> {
  const secrets = await secretsToTry(context, rule)
  const totals = { true: 0, false: 0, error: 0 }
  const items: JsonObject[] = []
  let after: string | null = null
  const wanted = Math.min(limit, MAX_DRY_RUN)
  do {
    const page = await context.store.attestations.list('accepted', {
      limit: Math.min(PAGE, wanted - items.length),
      after,
    })
    for (const { id, at, kind, explanation } of page.items) {
      const subject = subjectOf(explanation)
      const outcomes = secrets.map(secret => evaluateRule(rule, subject, { secret, now: context.now() }))
      const { outcome, message } = worst(outcomes)
      totals[outcome] += 1
      items.push({ attestationId: id, at: at.toISOString(), kind, outcome, message })
    }
    after = page.next
  } while (after !== null && items.length < wanted)
  return { evaluated: items.length, outcomes: totals, secretsTried: secrets.map(pathOf), items }
}

async function secretsToTry(context: DryRunContext, rule: CompiledRule): Promise<readonly RequestedSecret[]> {
  const { repository, type, tag } = rule.pattern
  const standIn = { repository: repository ?? 'any', type: type ?? 'any', tag: tag ?? 'any', version: 1 }
  if (rule.expression instanceof Error || !rule.expression.mentionsSecret) return [standIn]
  const matching: RequestedSecret[] = []
  let after: string | null = null
  let seen = 0
  do {
    const page = await context.store.secrets.list({ limit: PAGE, after })
    seen += page.items.length
    matching.push(...page.items.filter(secret => patternMatches(rule.pattern, secret)))
    after = page.next
  } while (after !== null && matching.length < MAX_SECRETS && seen < MAX_SECRETS_SEEN)
  return matching.length === 0 ? [standIn] : matching.slice(0, MAX_SECRETS)
}

function worst(outcomes: readonly RuleOutcome[]): Pick<RuleOutcome, 'outcome' | 'message'> {
  const found =
    outcomes.find(({ outcome }) => outcome === 'error') ?? outcomes.find(({ outcome }) => outcome === 'false')
  return found ?? { outcome: 'true', message: '' }
}

function pathOf({ repository, type, tag }: SecretPath): string {
  return `${repository}/${type}/${tag}`
}
