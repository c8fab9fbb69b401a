// The members of a result that release rules may name, with the type of each: a table that the compiler holds to the type
// of a result. The others explain it to people.

import type { FieldsOf } from '@casemate/evidence'
import type { AppraisalResult } from './result.ts'
import { FACETS } from './trust-vector.ts'

type NamedResult = Omit<
  AppraisalResult,
  'violations' | 'checks' | 'unchecked' | 'codeKnownBy' | 'closestReference' | 'kind' | 'freshUntil' | 'bound'
>

export const RESULT_FIELDS = {
  status: 'string',
  accepted: 'bool',
  trustVector: Object.fromEntries(FACETS.map(facet => [facet, 'int'])) as FieldsOf<
    AppraisalResult['trustVector']
  >,
  workload: 'string?',
  policyId: 'string',
  policyVersion: 'int',
  simulated: 'bool',
} as const satisfies FieldsOf<NamedResult>
