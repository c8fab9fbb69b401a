// The evidence of a sample attester: what it says is its report data, and that it proves nothing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeKbsEvidence, kindOf, NO_ENDORSEMENTS, parseKbsEvidence, verify } from '../../src/index.ts'

test('sample evidence is its report data, and its claims are simulated', async () => {
  const reportData = new Uint8Array(64).fill(5)
  const evidence = parseKbsEvidence('sample', encodeKbsEvidence('sample', reportData, null))
  assert.equal(evidence.kind, 'sample')
  assert.deepEqual(kindOf(evidence).reportData(evidence), reportData)
  const options = { now: new Date(0), anchors: [], minTcbEvaluationDataNumber: 'any' } as const
  const { claims, steps } = await verify(evidence, NO_ENDORSEMENTS, options)
  assert.equal(claims.simulated, true)
  assert.match(steps.map(step => step.looked).join(), /nothing/)
})
