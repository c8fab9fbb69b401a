// The list of TCB evaluation data numbers: its window is held like that of every signed document.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEndorsements } from '../../src/read-endorsements.ts'
import { utf8 } from '../forms/written.ts'

const NUMBERS = {
  id: 'TDX',
  version: 1,
  issueDate: '2025-06-19T10:16:03Z',
  nextUpdate: '2025-07-19T10:16:03Z',
  tcbEvalNumbers: [
    {
      tcbEvaluationDataNumber: 18,
      tcbRecoveryEventDate: '2024-11-12T00:00:00Z',
      tcbDate: '2024-11-13T00:00:00Z',
    },
  ],
}

const read = (changed: object) => {
  const document = { tcbEvaluationDataNumbers: { ...NUMBERS, ...changed }, signature: '00'.repeat(64) }
  return readEndorsements([{ name: 'numbers', bytes: utf8(JSON.stringify(document)) }])
}

test('a list of evaluation numbers is read', () => {
  const [numbers] = read({}).tcbEvaluationNumbers
  assert.equal(numbers?.tee, 'tdx')
  assert.equal(numbers?.nextUpdate, Date.parse(NUMBERS.nextUpdate))
  assert.deepEqual(
    numbers?.numbers.map(it => it.evaluationNumber),
    [18],
  )
  assert.equal(read({ nextUpdate: NUMBERS.issueDate }).tcbEvaluationNumbers.length, 1)
})

test('one that is to be issued again before it was issued is refused', () => {
  assert.throws(() => read({ nextUpdate: '2025-06-19T10:16:02Z' }), {
    code: 'endorsement-malformed',
    message: /nextUpdate/,
  })
})
