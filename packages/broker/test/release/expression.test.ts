import assert from 'node:assert/strict'
import test from 'node:test'
import { SAMPLE, SGX, SNP, SNP_TURIN, TDX } from '../../../appraisal/test/claims.ts'
import { BrokerError } from '../../src/errors.ts'
import type { JsonObject } from '../../src/json.ts'
import { compileExpression, type ExpressionInput, subjectOf, toCel } from '../../src/release/expression.ts'

const input: ExpressionInput = {
  claims: toCel({
    kind: 'snp',
    measurement: 'ab',
    signer: null,
    debug: false,
    tcbStatus: null,
    advisoryIds: ['INTEL-SA-1'],
    simulated: true,
    snp: { vmpl: 0, reportedTcb: { bootloader: 3 } },
  }),
  result: toCel({ status: 'affirming', trustVector: { hardware: 2 }, policyId: 'default' }),
  secret: toCel({ repository: 'default', type: 'key', tag: 'disk', version: 2 }),
  now: new Date('2026-11-22T12:00:00Z'),
}

function refused(expression: string, message: RegExp): void {
  assert.throws(
    () => compileExpression(expression),
    (error: unknown) =>
      error instanceof BrokerError && error.code === 'rule-invalid' && message.test(error.message),
    expression,
  )
}

const truths = [
  'claims.kind == "snp"',
  'claims.snp.vmpl == 0 && claims.snp.reportedTcb.bootloader >= 3',
  'claims.signer == null',
  'claims.measurement in ["ab", "cd"]',
  'claims.advisoryIds.all(id, id in ["INTEL-SA-1"])',
  'result.status == "affirming" && result.trustVector.hardware <= 32',
  'secret.version >= 2 && secret.tag.startsWith("di")',
  'now < timestamp("2027-01-01T00:00:00Z") && now - duration("1h") < now',
  'has(claims.snp) && !has(claims.tdx)',
]

for (const expression of truths) {
  test(`an expression over the declared variables is true: ${expression}`, () => {
    assert.equal(compileExpression(expression).evaluate(input), true)
  })
}

test('rules see the declared members of a result, and none that is not', () => {
  const { result } = subjectOf({ claims: {}, result: { status: 'warning', workload: 'web', checks: [1] } })
  assert.deepEqual(result, { status: 'warning', workload: 'web' })
  assert.equal(compileExpression('result.workload == "web"').evaluate({ ...input, result }), true)
  refused('result.checks.size() == 0', /there is no result\.checks/)
})

test('numbers are CEL’s wherever they stand, and what they are read from stays as it is', () => {
  const claims = {
    kind: 'tdx',
    quoteVersion: 4,
    share: 0.5,
    none: null,
    tdx: { names: ['a'], svns: [1, 2.5, { deep: [3] }] },
  }
  const given = structuredClone(claims)
  assert.deepEqual(toCel(claims), {
    ...given,
    quoteVersion: 4n,
    tdx: { names: ['a'], svns: [1n, 2.5, { deep: [3n] }] },
  })
  assert.deepEqual(claims, given)
  // As JSON.parse gives it: a member, and no prototype.
  const named = toCel(JSON.parse('{"__proto__":{"n":1}}') as JsonObject) as object
  assert.deepEqual([Object.keys(named), Object.getPrototypeOf(named)], [['__proto__'], Object.prototype])
})

test('a rule looks into a list of objects, whose members are checked as well', () => {
  const short = {
    part: 'qe',
    index: null,
    name: null,
    got: 6,
    wanted: 8,
    status: 'UpToDate',
    date: '',
  } as const
  const platform = { ...TDX.platform, tcbShortfalls: [short] }
  const explanation = { claims: { ...TDX, platform } as unknown as JsonObject, result: {} }
  const evaluate = (expression: string) =>
    compileExpression(expression).evaluate({ ...input, ...subjectOf(explanation) })
  assert.equal(evaluate('claims.platform.tcbShortfalls.all(it, it.part == "qe" && it.got >= 6)'), true)
  assert.equal(evaluate('claims.platform.tcbShortfalls.exists(it, it.part == "pce")'), false)
  assert.equal(evaluate('claims.platform.tcbShortfalls[0].wanted == 8'), true)
  refused('claims.platform.tcbShortfalls.exists(it, it.got == "6")', /overload/)
  refused('claims.platform.tcbShortfalls.exists(it, it.gott == 6)', /gott/)
  refused('claims.platform.tcbShortfalls == 6', /overload/)
})

test('a false expression is false', () => {
  assert.equal(compileExpression('claims.debug').evaluate(input), false)
})

test('an expression that reads what this kind of TEE does not have throws', () => {
  assert.throws(() => compileExpression('claims.tdx.mrTd == "ab"').evaluate(input))
  assert.throws(() => compileExpression('claims.snp.guestSvn == 1').evaluate(input))
})

test('a misspelled variable or claim is refused when it is saved', () => {
  refused('claim.kind == "snp"', /Unknown variable/)
  refused('claims.mesurement == "ab"', /there is no claims\.mesurement/)
  refused('secret.name == "a"', /there is no secret\.name/)
})

test('what does not compare is refused when it is saved', () => {
  refused('claims.debug == "false"', /no such overload/i)
  refused('secret.version == "2"', /no such overload/i)
})

test('what is never null is not compared with null: it would fail on every fetch', () => {
  for (const name of ['claims.kind', 'claims.debug', 'claims.quoteVersion', 'secret.tag', 'secret.version']) {
    refused(`${name} == null`, /no such overload/)
    refused(`null != ${name}`, /no such overload/)
  }
})

test('a quantifier that is written as a function is refused like any other that there is not', () => {
  refused('exists(claims)', /no matching overload/)
  refused('all(claims.advisoryIds, id, true)', /Unknown variable/)
})

/** A path that is no name, and the name that is suggested. */
const MISSPELT = [
  ['claims.tdx.rtmr9 == ""', 'claims.tdx.rtmr0'],
  ['claims["tdx"].rtmr9 == ""', 'claims.tdx.rtmr0'],
  ['claims.snp.reportedTcb.microcod > 1', 'claims.snp.reportedTcb.microcode'],
  ['!has(claims.tdxx)', 'claims.tdx'],
  ['claims.enclave != null && claims.enclave.mrEnclav == ""', 'claims.enclave.mrEnclave'],
  ['claims.mrTd == ""', 'claims.tdx.mrTd'],
  ['["a"].exists(id, claims.sgx.isvSvnn == 1)', 'claims.sgx.isvSvn'],
  ['result.trustVector.hardwear == 2', 'result.trustVector.hardware'],
  ['result.trustVector.instance_identity == 2', 'result.trustVector["instance-identity"]'],
  ['!claims.platform.tcbShortfalls.exists(it, has(it.gott))', 'it.got'],
  ['claims.platform.tcbShortfalls.exists(it, it.wantd == 6)', 'it.wanted'],
] as const

for (const [expression, near] of [
  ...MISSPELT,
  ['claims.kind.startWith("t")', 'startsWith'],
  ['timestmap(claims.tcbDate) < now', 'timestamp'],
] as const) {
  test(`a misspelt name is refused with the nearest: ${expression}`, () => {
    assert.throws(
      () => compileExpression(expression),
      (error: unknown) =>
        error instanceof BrokerError &&
        error.code === 'rule-invalid' &&
        error.detail.hint === `did you mean: ${near}`,
    )
  })
}

const MISTYPED = [
  'claims.snp.vmpl == "0"',
  'claims.tcbEvaluationDataNumber == "17"',
  'claims.signer == 5',
  'claims.platform.cpuSvn == "00"',
  'claims.tdx.attributes.debug == "false"',
  'claims.snp.reportedTcb.microcode in ["219"]',
  'claims.enclave == "ab"',
  'result.workload == 1',
  'result.trustVector.hardware == "2"',
  'claims.sgx',
]

for (const expression of MISTYPED) {
  test(`what does not compare is refused when it is saved, however deep: ${expression}`, () => {
    refused(expression, /overload|of type claims\.sgx/)
  })
}

/** Of each kind of TEE, claims as verification gives them. */
const EVERY_KIND = { SGX, TDX, SNP, SNP_TURIN, SAMPLE }

for (const [name, claims] of Object.entries(EVERY_KIND)) {
  test(`every claim of ${name} can be named, and compared with what it is`, () => {
    const explanation = { claims: claims as unknown as JsonObject, result: {} }
    for (const [path, value] of leaves('claims', claims)) {
      const literal = value === null ? 'null' : JSON.stringify(value)
      const { evaluate } = compileExpression(`${path} == ${literal}`)
      assert.equal(evaluate({ ...input, ...subjectOf(explanation) }), true, path)
    }
  })
}

/** Every claim that is no object, by its path. */
function leaves(path: string, value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return Array.isArray(value) && value.length === 0 ? [] : [[path, value]]
  }
  return Object.entries(value).flatMap(([name, member]) => leaves(`${path}.${name}`, member))
}

/** Asked of what is no name, `has` would be false for ever, and its negation true for everybody. */
const HAS_OF_NO_NAME = [
  '!has(claims.kind.tdx)',
  '!has(claims.advisoryIds.first)',
  '!has(claims.platform.tcbShortfalls.part)',
  '![claims].exists(it, has(it.tdxx))',
  '!claims.advisoryIds.exists(id, has(id.number))',
]

for (const expression of HAS_OF_NO_NAME) {
  test(`has is asked of declared names alone: ${expression}`, () => {
    refused(expression, /asks has of what is no name/)
  })
}

test('a name that is computed is refused when it is saved, as nobody could say whether it is one', () => {
  refused('claims["t" + "dx"].mrTd == "ab"', /computes the name of a claim/)
  refused('claims[claims.kind] != 1', /computes the name of a claim/)
  refused('result.trustVector[secret.tag] == 2', /computes the name of a claim/)
  assert.equal(
    compileExpression('claims.advisoryIds[secret.version - 2] == "INTEL-SA-1"').evaluate(input),
    true,
  )
})

const ALWAYS_FAIL = [
  'now - timestamp(claims.collateral.tcbInfo) < duration("30d")',
  'claims.debug || now < timestamp("2027-12-01")',
  'now.getHours("Middle/Earth") < 18',
  'claims.quoteVersion == 4 / 0',
  'claims.kind == ["sgx", "tdx"][2]',
]

for (const expression of ALWAYS_FAIL) {
  test(`a part that would fail on every fetch is refused when it is saved: ${expression}`, () => {
    refused(expression, /always fails: \S/)
  })
}

test('a part that depends on nothing is let be where it does not fail, however it is written', () => {
  const expression = `now.getHours("Europe/Berlin") >= 0 && 1e300 > 1.0 && claims.kind != "\\u{e9}\\n\\"" + '😀'`
  for (const text of [expression.replace('\\u{e9}', '\\u00e9'), 'true || 1 / 0 == 1', 'b"\\x00" != b"a"']) {
    assert.equal(compileExpression(text).evaluate(input), true, text)
  }
})

test('claims of one type are compared with each other, whether or not one of them may be null', () => {
  const explanation = { claims: SNP as unknown as JsonObject, result: {} }
  const evaluate = (expression: string) =>
    compileExpression(expression).evaluate({ ...input, ...subjectOf(explanation) })
  assert.equal(evaluate('claims.snp.currentTcb == claims.snp.launchTcb'), true)
  assert.equal(evaluate('claims.measurement in [claims.signer, claims.snp.measurement, "ab"]'), true)
  refused('claims.snp.currentTcb == claims.snp.platformInfo', /overload/)
  refused('claims.snp.vmpl in [claims.signer, "ab"]', /overload/)
})

for (const [expression, hint] of [
  ['claims.collateral.tcbInfo > now - duration("168h")', /timestamp\(claims/],
  ['now > claims.tcbDate', /timestamp\(claims/],
  ['claims.tcbEvaluationDataNumber == "18"', /without quotes/],
  ['claims.kind == 3', /texts with/],
  ['claims.debug == "false"', /without quotes/],
  ['claims.kind = "tdx"', /==/],
  ['claims.debug & claims.simulated', /&&/],
] as const) {
  test(`what was probably meant is told: ${expression}`, () => {
    assert.throws(
      () => compileExpression(expression),
      (error: unknown) => error instanceof BrokerError && hint.test(error.detail.hint ?? ''),
    )
  })
}

test('an expression that is no boolean is refused when it is saved', () => {
  refused('claims.kind', /of type string/)
  refused('1 + 1', /of type int/)
  refused('claims.snp.vmpl', /of type int/)
  refused('dyn(claims.debug)', /of type dyn/)
})

test('what is no CEL is refused', () => {
  for (const expression of ['', 'claims.kind ==', '"open', 'claims.kind = "snp"'])
    refused(expression, /expression: /)
})

test('what has no bounded cost is refused', () => {
  refused('claims.kind.matches("^(a+)+$")', /calls matches/)
  refused('["a"].map(a, a + a).size() == 1', /calls map/)
  refused('claims.advisoryIds.filter(a, true).size() == 1', /calls filter/)
  refused('cel.bind(a, "a", a + a) == "aa"', /calls bind/)
  refused('["a"].all(a, ["b"].all(b, ["c"].all(c, a == b)))', /nests/)
  refused(`${'(true && '.repeat(600)}true${')'.repeat(600)}`, /expression: /)
  refused(`[${Array.from({ length: 200 }, (_, i) => i).join(',')}].size() == 200`, /expression: /)
  refused(`true${' '.repeat(5000)}`, /characters long/)
})

const written = (count: number, what: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => what(index)).join(',')

test('what could take seconds is refused before any part of it is evaluated', () => {
  refused(`duration("${'1'.repeat(300)}") > duration("1s")`, /calls duration with something else/)
  refused('duration(claims.measurement) > duration("1s")', /calls duration with something else/)
  refused(`duration("${'1'.repeat(40)}" + "${'1'.repeat(40)}") > duration("1s")`, /calls duration/)
  refused('now.getHours(claims.kind) > 1', /calls getHours with something else/)
  refused(`now.getMinutes("${'x'.repeat(65)}") > 1`, /calls getMinutes with something else/)
  const numbers = `[${written(60, String)}]`
  const nested = (body: string): string => `${numbers}.all(x, ${numbers}.all(y, ${body}))`
  refused(nested('now.getHours("UTC") > x + y'), /can take \d+ steps/)
  refused(nested('duration("1h") > duration("1m") && duration("1h") > duration("2m")'), /can take/)
  refused(
    `claims.advisoryIds.all(x, claims.advisoryIds.all(y, ${Array(10).fill('x in claims.advisoryIds').join(' || ')}))`,
    /can take/,
  )
})

test('what a rule may need is far from the limit of its cost', () => {
  for (const expression of [
    `[${written(60, String)}].all(x, [${written(60, String)}].all(y, x + y >= 0))`,
    'claims.advisoryIds.all(x, claims.advisoryIds.exists(y, x == y))',
    `claims.advisoryIds.all(x, x in [${written(100, i => `"INTEL-SA-${i}"`)}])`,
    'now.getHours("America/Argentina/ComodRivadavia") < 24 && now.getDayOfWeek("Europe/Berlin") < 7',
    'claims.advisoryIds.all(x, now - duration("720h") < now)',
  ]) {
    assert.equal(compileExpression(expression).evaluate(input), true, expression)
  }
})

test('quantifiers may nest twice and stand side by side', () => {
  assert.equal(
    compileExpression('["a"].all(a, ["a"].exists(b, a == b)) && ["c"].exists(c, true)').evaluate(input),
    true,
  )
})

test('whether an expression speaks about the secret is known, however deep', () => {
  assert.equal(compileExpression('claims.kind == "secret"').mentionsSecret, false)
  assert.equal(compileExpression('!(true || [secret.tag].exists(t, t == "a"))').mentionsSecret, true)
})
