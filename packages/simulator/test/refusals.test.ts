// Simulated evidence and the verifier: what is intact is accepted as simulated, what has one fault is refused for it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse, REFUSALS, readEndorsements, VENDOR_ANCHORS, verify } from '@casemate/evidence'
import { type Case, type EvidenceRefusalCode, INTACT, NOW, RECIPES } from './recipes.ts'

async function verifyCase({ evidence, endorsements, anchors, minTcbEvaluationDataNumber }: Case) {
  const read = readEndorsements(endorsements)
  return await verify(parse(evidence), read, { now: NOW, anchors, minTcbEvaluationDataNumber })
}

for (const { broken: intact, make } of INTACT) {
  test(`${intact} is accepted, and is simulated`, async () => {
    const { claims, validUntil } = await verifyCase(await make())
    assert.equal(claims.simulated, true)
    assert.equal(claims.reportData, '5a'.repeat(64))
    assert.ok(validUntil > NOW)
  })

  test(`${intact} is refused under the vendors’ roots`, async () => {
    const simulated = await make()
    await assert.rejects(verifyCase({ ...simulated, anchors: VENDOR_ANCHORS }), { code: 'chain-untrusted' })
  })
}

test('every refusal code has a recipe', () => {
  const codes = Object.keys(REFUSALS).filter(code => !code.startsWith('enclave-'))
  assert.deepEqual(Object.keys(RECIPES).toSorted(), codes.toSorted())
  for (const [code, recipes] of Object.entries(RECIPES)) assert.ok(recipes.length > 0, code)
})

for (const [code, recipes] of Object.entries(RECIPES) as [
  EvidenceRefusalCode,
  (typeof RECIPES)[EvidenceRefusalCode],
][]) {
  for (const { broken, make } of recipes) {
    test(`${code}: ${broken}`, async () => {
      const broken = await make()
      await assert.rejects(async () => await verifyCase(broken), { name: 'Refusal', code })
    })
  }
}
