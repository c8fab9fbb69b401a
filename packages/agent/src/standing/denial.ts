// Tells a broker's decision about this workload from its other answers. Everything else - a proxy's 404, an answer that is
// not believed, a session that expired on the way - says nothing about it, and is asked again until the lease ends.

import { BrokerRefusal } from '@casemate/client'

const DECISIONS: ReadonlySet<string> = new Set([
  'evidence-refused',
  'appraisal-refused',
  'tee-unsupported',
  'release-denied',
  // What was deleted is no longer meant to be used.
  'secret-missing',
  // Another KBS's word for it.
  'policy-deny',
])

/** True where the broker itself has said no. */
export function isDenial(error: unknown): error is BrokerRefusal {
  return error instanceof BrokerRefusal && error.status !== null && DECISIONS.has(error.code)
}
