// Documents as an attacker, or a tired author, would write them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppraisalConfigError, parsePolicy, parseReferenceValues } from '../src/index.ts'
import { hex } from './claims.ts'

function refused(document: unknown): AppraisalConfigError {
  try {
    parsePolicy(document)
  } catch (error) {
    assert.ok(error instanceof AppraisalConfigError, String(error))
    return error
  }
  return assert.fail('the document was accepted')
}

const HEAD = 'name: mine\nversion: 1\nextends: strict\n'

test('YAML and JSON say the same', () => {
  const yaml = parsePolicy(`${HEAD}tdx:\n  mrTd: [${hex('ab', 48)}]\n`)
  const json = parsePolicy(
    JSON.stringify({ name: 'mine', version: 1, extends: 'strict', tdx: { mrTd: hex('ab', 48) } }),
  )
  assert.deepEqual(yaml, json)
})

test('hex that looks like a number stays what was written', () => {
  for (const digits of [
    hex('00', 48),
    hex('12', 48),
    `1e${hex('11', 47)}`,
    `0e${hex('00', 47)}`,
    `12e4${hex('00', 46)}`,
  ]) {
    assert.deepEqual(parsePolicy(`${HEAD}tdx: { mrTd: ${digits} }`).tdx.mrTd, [digits])
  }
  assert.equal(parsePolicy(`${HEAD}sgx: { minIsvSvn: 12 }`).sgx.minIsvSvn, 12)
  assert.equal(parsePolicy(`${HEAD}tcb: { minDate: 2025-05-01 }`).tcb.minDate, '2025-05-01')
})

test('a key that is written twice is refused, in YAML and in JSON', () => {
  assert.match(refused(`${HEAD}debug: false\ndebug: any\n`).message, /debug again/)
  assert.match(
    refused('{"name":"mine","version":1,"extends":"strict","debug":false,"debug":"any"}').message,
    /debug again/,
  )
})

test('aliases, tags, merge keys and several documents are refused', () => {
  refused(`${HEAD}tdx: { mrTd: &a any, rtmr0: *a }`)
  refused('a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]')
  for (const tagged of ['!!set { mrTd }', '!!omap [ mrTd: any ]']) refused(`${HEAD}tdx: ${tagged}`)
  refused(`${HEAD}name2: !custom x`)
  assert.deepEqual(
    refused(`${HEAD}<<: { debug: any }`).problems.map(({ path }) => path),
    ['<<'],
  )
  refused(`${HEAD}---\n${HEAD}`)
})

test('prototypes are out of reach', () => {
  const attacks = [
    '{"name":"mine","version":1,"extends":"strict","__proto__":{"debug":"any"}}',
    `${HEAD}__proto__: { debug: any }`,
    JSON.parse('{"name":"mine","version":1,"extends":"strict","__proto__":{"debug":"any"}}'),
    { name: 'mine', version: 1, extends: 'strict', constructor: { prototype: { debug: 'any' } } },
  ]
  for (const attack of attacks) refused(attack)
  assert.equal(({} as Record<string, unknown>)['debug'], undefined)
  const inherited = Object.create(
    { debug: 'any', simulated: 'any' },
    {
      name: { value: 'mine', enumerable: true },
      version: { value: 1, enumerable: true },
      extends: { value: 'strict', enumerable: true },
    },
  ) as object
  refused(inherited)
})

test('objects that are no plain data are refused, not read as empty', () => {
  for (const tdx of [
    new Map([['mrTd', 'any']]),
    new Set(),
    new Date(0),
    Object.create({ mrTd: 'any' }),
  ] as object[]) {
    assert.deepEqual(
      refused({ name: 'mine', version: 1, extends: 'strict', tdx }).problems.map(({ path }) => path),
      ['tdx'],
    )
  }
})

test('documents are bounded in size and in depth', () => {
  assert.match(refused(`${HEAD}#${'x'.repeat(262_145)}`).message, /262144 characters/)
  for (const deep of ['['.repeat(50_000), '{a: '.repeat(50_000), '- '.repeat(50_000), '? '.repeat(50_000)]) {
    assert.match(refused(deep).message, /32 levels/)
  }
  const stairs = Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')
  assert.match(refused(stairs).message, /32 levels/)
})

test('text that is wrong throughout is reported by its first faults', () => {
  for (const wrong of ['a:\n', '? a\n', '"', '!a ']) {
    assert.ok(refused(wrong.repeat(10_000)).problems.length <= 10)
  }
})

test('text that is no YAML is refused with its place', () => {
  assert.match(refused('name: [').message, /line 1/)
  assert.match(refused('name: mine\n\tversion: 1').message, /line 2/)
  assert.throws(() => parseReferenceValues('workloads: }'), { code: 'reference-values-invalid' })
})

test('lists are bounded, and long values are shortened in messages', () => {
  const mrTd = Array.from({ length: 1025 }, () => hex('ab', 48))
  const error = refused({
    name: 'mine',
    version: 1,
    extends: 'strict',
    tdx: { mrTd, rtmr0: 'x'.repeat(10_000) },
  })
  assert.deepEqual(
    error.problems.map(({ path }) => path),
    ['tdx.mrTd', 'tdx.rtmr0'],
  )
  assert.ok(error.message.length < 1000)
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, 1]))
  assert.ok(refused({ name: 'mine', version: 1, extends: 'strict', ...many }).problems.length <= 20)
})
