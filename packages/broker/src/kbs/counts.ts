// Counts attestations and release decisions, around the functions that make them.

import type { Kind } from '@casemate/evidence'
import { RecordedRefusal } from '../attestation/record.ts'
import type { Metrics } from '../http/metrics.ts'
import type { ReleaseRules } from '../release/rules.ts'

/** By how the attempt ends: accepted, refused on record, or broken off. */
export async function countAttestation<T>(
  metrics: Metrics,
  tee: Kind,
  attempt: () => Promise<T>,
): Promise<T> {
  metrics.attestationRequests.inc()
  try {
    const value = await attempt()
    metrics.attestationSuccesses.inc({ tee_type: tee })
    return value
  } catch (error) {
    if (error instanceof RecordedRefusal) metrics.attestationFailures.inc({ tee_type: tee })
    else metrics.attestationErrors.inc()
    throw error
  }
}

/** The same rules; every decision is counted. */
export function countDecisions(
  metrics: Metrics,
  rules: Pick<ReleaseRules, 'decide'>,
): Pick<ReleaseRules, 'decide'> {
  return {
    decide: async (subject, secret) => {
      metrics.policyEvaluations.inc()
      const decision = await rules.decide(subject, secret)
      if (decision.reason === 'rule-error') metrics.policyErrors.inc()
      if (decision.granted) metrics.policyApprovals.inc()
      else metrics.policyViolations.inc()
      return decision
    },
  }
}
