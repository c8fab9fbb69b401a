// What expectations on code and on configuration have in common.

import type { ExpectationDetail } from './expectation.ts'

export const executables = (claim: ExpectationDetail['claim'], meaning: string): ExpectationDetail => ({
  claim,
  facet: 'executables',
  meaning,
  remedy: 'this is other code than the policy names; add the value if it is yours',
})

export const configuration = (
  claim: ExpectationDetail['claim'],
  meaning: string,
  remedy = 'start the workload with the configuration that the policy states',
): ExpectationDetail => ({ claim, facet: 'configuration', meaning, remedy })
