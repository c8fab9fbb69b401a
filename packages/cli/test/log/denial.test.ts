// A denial in words: whoever reads a row of the log learns which rule it was.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { denialInWords, denialLines } from '../../src/log/denial.ts'

const denied = (reason: string, rules: readonly object[]) => ({
  type: 'release.denied',
  secret: 'default/db/password',
  reason,
  rules,
})
const db = { rule: 'db', outcome: 'false', message: 'only db' }
const ops = { rule: 'ops', outcome: 'error', message: 'No such key: sgx' }
const fine = { rule: 'fine', outcome: 'true', message: '' }

test('a row names the one rule that denied, with its message', () => {
  assert.equal(
    denialInWords(denied('rule-false', [fine, db])),
    'default/db/password: the rule db says no: only db',
  )
  assert.equal(
    denialInWords(denied('rule-error', [ops])),
    'default/db/password: the rule ops does not evaluate: No such key: sgx',
  )
})

test('of several rules a row has the names, and the entry what each said', () => {
  const entry = denied('rule-error', [db, fine, ops])
  assert.equal(denialInWords(entry), 'default/db/password: the rules db, ops fail or say no')
  assert.deepEqual(denialLines(entry).slice(2), ['  db: only db', '  ops: No such key: sgx'])
})

test('an entry without rules is told in the words of its reason', () => {
  assert.equal(denialInWords(denied('rule-false', [])), 'default/db/password: a rule says no')
  assert.equal(denialInWords(denied('no-rule', [])), 'default/db/password: no enabled rule is for it')
  assert.equal(denialInWords({ type: 'release.granted' }), null)
})
