// What an attestation is shown with: every path that a rule can write, and how the evidence differs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Explanation } from '@casemate/client'
import { claimLines, differenceLines } from '../../src/verify/claim-lines.ts'

const NOTHING: Explanation = {
  verdict: 'accepted',
  code: null,
  steps: [],
  claims: null,
  result: null,
  refusal: null,
  validUntil: null,
}

test('claims are shown by the paths and as the values that a rule writes', () => {
  const claims = {
    kind: 'tdx',
    debug: false,
    advisoryIds: ['INTEL-SA-00001'],
    tdx: { rtmr0: 'ab', 'td-attributes': 3 },
    components: [{ svn: 4 }, { svn: 5 }],
    name: 'a\u001b[2J',
  }
  assert.deepEqual(
    claimLines({ ...NOTHING, claims }).map(line => line.trim().replace(/ {2,}/, ' = ')),
    [
      '',
      'what a rule can name',
      'claims.kind = "tdx"',
      'claims.debug = false',
      'claims.advisoryIds = ["INTEL-SA-00001"]',
      'claims.tdx.rtmr0 = "ab"',
      'claims.tdx["td-attributes"] = 3',
      'claims.components[0].svn = 4',
      'claims.components[1].svn = 5',
      String.raw`claims.name = "a\u001b[2J"`,
      'result = null',
    ],
  )
})

test('of a result only what a rule can name is shown, and of evidence that did not verify nothing', () => {
  const result = { workload: 'db', violations: [], closestReference: null }
  const lines = claimLines({ ...NOTHING, claims: { kind: 'tdx' }, result })
  assert.deepEqual(lines.slice(3), ['  result.workload  "db"'])
  assert.deepEqual(claimLines({ ...NOTHING, result }), [])
})

test('each register that differs is shown with what was expected and got, if a workload came close', () => {
  const differs = [{ field: 'rtmr1', expected: 'aa', got: 'bb' }]
  assert.deepEqual(differenceLines({ closestReference: { workload: 'db', differs } }), [
    '',
    'where it differs from db, the workload that comes closest',
    '  rtmr1',
    '      expected  aa',
    '      got       bb',
  ])
  for (const none of [null, {}, { closestReference: null }]) assert.deepEqual(differenceLines(none), [])
})
