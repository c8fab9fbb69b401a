import assert from 'node:assert/strict'
import test from 'node:test'
import { array, assert as assertProperty, constantFrom, property } from 'fast-check'
import { BrokerError } from '../../src/errors.ts'
import { type CompiledRule, decideRelease } from '../../src/release/decision.ts'
import { compileExpression, toCel } from '../../src/release/expression.ts'
import { parseSecretPattern, patternMatches } from '../../src/release/pattern.ts'

const subject = { claims: toCel({ kind: 'snp', debug: false }), result: toCel({ status: 'affirming' }) }
const request = { secret: { repository: 'default', type: 'key', tag: 'disk', version: 1 }, now: new Date(0) }

const rule = (name: string, secrets: string, expression: string): CompiledRule => ({
  name,
  pattern: parseSecretPattern(secrets),
  message: `${name} says no`,
  expression: compileExpression(expression),
})
const yes = rule('yes', 'default/key/*', 'true')
const no = rule('no', 'default/key/disk', 'claims.debug')
const broken = rule('broken', '*/*/disk', 'claims.tdx.mrTd == "ab"')
const elsewhere = rule('elsewhere', 'other/key/*', 'false')

test('without a rule nothing is released', () => {
  assert.deepEqual(decideRelease([], subject, request), { granted: false, reason: 'no-rule', rules: [] })
  assert.equal(decideRelease([elsewhere], subject, request).reason, 'no-rule')
})

test('a matching rule that is true releases', () => {
  const decision = decideRelease([yes, elsewhere], subject, request)
  assert.deepEqual(decision, {
    granted: true,
    reason: 'granted',
    rules: [{ rule: 'yes', outcome: 'true', message: '' }],
  })
})

test('every matching rule must be true, and all are evaluated', () => {
  const decision = decideRelease([no, yes], subject, request)
  assert.equal(decision.granted, false)
  assert.equal(decision.reason, 'rule-false')
  assert.deepEqual(decision.rules, [
    { rule: 'no', outcome: 'false', message: 'no says no' },
    { rule: 'yes', outcome: 'true', message: '' },
  ])
})

test('a rule that errors denies, whatever the others say', () => {
  const decision = decideRelease([yes, broken], subject, request)
  assert.equal(decision.granted, false)
  assert.equal(decision.reason, 'rule-error')
  assert.equal(decision.rules[1]?.outcome, 'error')
})

test('a stored rule that no longer compiles denies', () => {
  const stale: CompiledRule = { ...yes, expression: new Error('calls matches') }
  assert.equal(decideRelease([stale], subject, request).reason, 'rule-error')
})

test('a star stands for one whole segment and for nothing else', () => {
  const path = { repository: 'a', type: 'b', tag: 'c' }
  for (const text of ['a/b/c', '*/b/c', 'a/*/c', 'a/b/*', '*/*/*']) {
    assert.equal(patternMatches(parseSecretPattern(text), path), true, text)
  }
  for (const text of ['a/b/d', '*/c/c', 'A/b/c']) {
    assert.equal(patternMatches(parseSecretPattern(text), path), false, text)
  }
})

test('what is no pattern is refused', () => {
  for (const text of ['', '*', 'a/b', 'a/b/c/d', 'a/b/', 'a/b/c*', '../b/c', 'a/b/**', 'a//c', 'a/b/ü']) {
    assert.throws(
      () => parseSecretPattern(text),
      (error: unknown) => error instanceof BrokerError && error.code === 'rule-invalid',
      text,
    )
  }
})

test('a release is granted exactly when a rule matches and every matching one is true', () => {
  const pool = [yes, no, broken, elsewhere]
  assertProperty(
    property(array(constantFrom(...pool), { maxLength: 6 }), rules => {
      const matching = rules.filter(({ pattern }) => patternMatches(pattern, request.secret))
      assert.equal(
        decideRelease(rules, subject, request).granted,
        matching.length > 0 && matching.every(one => one === yes),
      )
    }),
  )
})
