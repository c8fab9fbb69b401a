// Tiers of AR4SI: where each begins and ends, and that the worst one counts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FACETS, tierOf } from '../src/index.ts'
import { statusOf, type TrustVector, worse } from '../src/trust-vector.ts'

const TIERS = [
  ['none', -1, 0, 1],
  ['affirming', -32, -2, 2, 31],
  ['warning', -96, -33, 32, 95],
  ['contraindicated', -128, -97, 96, 127],
] as const

for (const [tier, ...values] of TIERS) {
  test(`${values.join(', ')} are ${tier}`, () => {
    for (const value of values) assert.equal(tierOf(value), tier)
  })
}

const nothing = Object.fromEntries(FACETS.map(facet => [facet, 0])) as Record<string, number> as TrustVector

test('the status is the worst tier of the vector, wherever it stands', () => {
  assert.equal(statusOf(nothing), 'none')
  for (const facet of FACETS) {
    assert.equal(statusOf({ ...nothing, hardware: 2, [facet]: 96 }), 'contraindicated')
    assert.equal(statusOf({ ...nothing, [facet]: 32 }), 'warning')
    assert.equal(statusOf({ ...nothing, [facet]: 3 }), 'affirming')
  }
})

test('a claim only gets worse, and within a tier the first stays', () => {
  assert.equal(worse(2, 96), 96)
  assert.equal(worse(96, 2), 96)
  assert.equal(worse(97, 96), 97)
})
