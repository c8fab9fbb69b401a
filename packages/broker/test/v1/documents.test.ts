import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Rule } from '../../src/v1/rules.ts'
import { openTestBroker, type TestBroker } from '../broker.ts'

const POLICY = { extends: 'strict', name: 'default', version: 1 }
const workload = (name: string, digit: string) => ({
  name,
  kind: 'tdx',
  mrTd: digit.padStart(96, digit),
  rtmr0: 'any',
  rtmr1: 'any',
  rtmr2: 'any',
  rtmr3: 'any',
})

const REFERENCES = { workloads: [workload('app', 'a')] }
const RULE = { secrets: 'default/*/*', expression: 'result.accepted', message: 'not accepted', enabled: true }

const KINDS = [
  {
    plural: 'policies',
    type: 'policy',
    good: POLICY,
    other: { ...POLICY, version: 2 },
    invalid: 'policy-invalid',
  },
  {
    plural: 'references',
    type: 'reference',
    good: REFERENCES,
    other: { workloads: [workload('other', 'b')] },
    invalid: 'reference-invalid',
  },
  { plural: 'rules', type: 'rule', good: RULE, other: { ...RULE, enabled: false }, invalid: 'rule-invalid' },
] as const

for (const { plural, type, good, other, invalid } of KINDS) {
  describe(`/v1/${plural}`, () => {
    let broker: TestBroker
    const url = `/v1/${plural}/one`

    before(async () => {
      broker = await openTestBroker()
    })

    after(() => broker.close())

    test('a document that was put is read as it was', async () => {
      const put = await broker.send('PUT', url, { payload: good })
      assert.equal(put.status, 201, put.text)
      const found = await broker.send('GET', url)
      assert.deepEqual(found.body.document, good)
      assert.equal(found.headers['etag'], put.headers['etag'])
      assert.equal((await broker.send('PUT', url, { payload: other })).status, 200)
    })

    test('a change is made only from what was read, and an ETag never comes back', async () => {
      const first = (await broker.send('GET', url)).headers['etag'] as string
      const headers = { 'if-match': first }
      assert.equal((await broker.send('PUT', url, { payload: good, headers })).status, 200)
      assert.equal(
        (await broker.send('PUT', url, { payload: good, headers })).body.error.code,
        'precondition-failed',
      )
      assert.equal((await broker.send('DELETE', url, { headers })).body.error.code, 'precondition-failed')
      assert.equal((await broker.send('DELETE', url)).status, 200)
      assert.equal((await broker.send('GET', url)).body.error.code, `${type}-missing`)
      assert.equal((await broker.send('DELETE', url)).body.error.code, `${type}-missing`)
      const again = await broker.send('PUT', url, { payload: good, headers: { 'if-none-match': '*' } })
      assert.equal(again.status, 201)
      assert.notEqual(again.headers['etag'], first)
    })

    test('a change that wants something there, and nothing, is not made', async () => {
      for (const name of ['one', 'nothing-there']) {
        const headers = { 'if-match': '*', 'if-none-match': '*' }
        const answer = await broker.send('PUT', `/v1/${plural}/${name}`, { payload: good, headers })
        assert.equal(answer.body.error.code, 'precondition-failed', name)
      }
    })

    test('what changed, and to what, is in the ledger', async () => {
      const entries = await broker.entries(`${type}.put`)
      assert.deepEqual(entries[0]?.['document'], good)
      assert.match(entries[0]?.['sha256'] as string, /^[0-9a-f]{64}$/)
      assert.equal((await broker.entries(`${type}.deleted`)).length, 1)
    })

    test('a document that says something unknown is refused, with every problem', async () => {
      for (const payload of [{}, [], null, 'text', 5, { ...good, unknown: 1 }]) {
        const refused = await broker.send('PUT', url, {
          payload: JSON.stringify(payload),
          headers: { 'content-type': 'application/json' },
        })
        assert.deepEqual([refused.status, refused.body.error.code], [422, invalid], JSON.stringify(payload))
        assert.ok(refused.body.error.violations.length > 0)
      }
    })

    test('a name that could be a path is refused', async () => {
      for (const name of ['..', '.x', '%2e%2e%2fx', 'a%2fb', 'a b']) {
        const refused = await broker.send('PUT', `/v1/${plural}/${name.replace(' ', '%20')}`, {
          payload: good,
        })
        assert.ok([400, 404].includes(refused.status), name)
      }
    })

    test('the list has pages by name', async () => {
      for (const name of ['p1', 'p2', 'p3'])
        await broker.send('PUT', `/v1/${plural}/${name}`, { payload: good })
      const first = await broker.send('GET', `/v1/${plural}?limit=2`)
      const second = await broker.send('GET', `/v1/${plural}?limit=2&cursor=${first.body.next}`)
      const names = [...first.body.items, ...second.body.items].map(({ name }) => name)
      assert.deepEqual(names, ['one', 'p1', 'p2', 'p3'])
      assert.equal(second.body.next, null)
    })
  })
}

describe('documents', () => {
  test('that are too large for the ledger are there by their digest', async () => {
    const broker = await openTestBroker()
    const workloads = Array.from({ length: 400 }, (_, n) => ({
      ...workload(`w${n}`, 'a'),
      mrTd: n.toString(16).padStart(96, '0'),
    }))
    const put = await broker.send('PUT', '/v1/references/large', { payload: { workloads } })
    assert.equal(put.status, 201, put.text)
    const [entry] = await broker.entries('reference.put')
    assert.deepEqual(Object.keys(entry ?? {}).toSorted(), ['actor', 'at', 'name', 'sha256', 'type'])
    await broker.close()
  })

  test('references that come at the same time are counted together, and all are taken that there is room for', async () => {
    const broker = await openTestBroker({ flags: { 'body-limit': '4MiB' } })
    const put = (name: string, count: number) => {
      const workloads = Array.from({ length: count }, (_, n) => workload(`${name}${n}`, 'a'))
      return broker.send('PUT', `/v1/references/${name}`, { payload: { workloads } })
    }
    const large = (await Promise.all(['a', 'b'].map(name => put(name, 3000)))).map(({ status }) => status)
    assert.deepEqual(large, [201, 422])
    const small = await Promise.all(['c', 'd', 'e', 'f', 'g', 'h'].map(name => put(name, 1)))
    assert.ok(small.every(({ status }) => status === 201))
    await broker.close()
  })

  test('references that could not be used together are refused by whoever brings the last, over either way', async () => {
    const broker = await openTestBroker({ flags: { 'body-limit': '4MiB' } })
    const of = (name: string, count: number) => ({
      workloads: Array.from({ length: count }, (_, n) => workload(`${name}${n}`, 'a')),
    })
    const put = (name: string, count: number) =>
      broker.send('PUT', `/v1/references/${name}`, { payload: of(name, count) })
    for (const name of ['a', 'b']) assert.equal((await put(name, 2048)).status, 201)
    const { status, body } = await put('c', 1)
    assert.deepEqual([status, body.error.code, body.error.got], [422, 'reference-invalid', '4097'])
    const payload = Buffer.from(JSON.stringify({ mr_td: 'ab'.repeat(48) })).toString('base64')
    const kbs = await broker.send('POST', '/kbs/v0/reference-value', {
      payload: { version: '0.1.0', type: 'sample', payload },
    })
    assert.match(kbs.text, /reference-invalid: .*4097/)
    // What is replaced counts no more.
    assert.equal((await put('b', 2047)).status, 200)
    assert.equal((await put('c', 1)).status, 201)
    await broker.close()
  })

  test('a rule is typechecked when it is saved', async () => {
    const broker = await openTestBroker()
    for (const expression of ['result.', '1 + 1', '"text"', 'unknown == 1', 'secret.version == "one"']) {
      const refused = await broker.send('PUT', '/v1/rules/bad', { payload: { ...RULE, expression } })
      assert.equal(refused.body.error.code, 'rule-invalid', expression)
    }
    await broker.close()
  })

  test('a rule of another shape is refused with the field, what it may be, and the one that was meant', async () => {
    const broker = await openTestBroker()
    const payload = { secrets: [RULE.secrets], expresion: RULE.expression }
    const { body } = await broker.send('PUT', '/v1/rules/bad', { payload })
    assert.equal(body.error.code, 'rule-invalid')
    assert.deepEqual(body.error.violations, [
      { path: 'expression', expected: 'must be there', got: 'nothing' },
      {
        path: 'expresion',
        expected: 'one of secrets, expression, message, enabled',
        got: 'an unknown field',
        hint: 'did you mean expression?',
      },
      { path: 'secrets', expected: 'must be string', got: JSON.stringify([RULE.secrets]) },
    ])
    await broker.close()
  })

  test('a pattern that something does not match is said in words', async () => {
    const broker = await openTestBroker()
    const shape = await broker.send('PUT', '/v1/rules/bad', {
      payload: { ...RULE, secrets: 'default/db/**' },
    })
    const [violation] = shape.body.error.violations
    assert.deepEqual(violation, {
      path: 'secrets',
      expected: 'repository/type/tag, each a name or * for any one segment',
      got: '"default/db/**"',
    })
    const named = await broker.send('PUT', '/v1/rules/Foo%20Bar', { payload: RULE })
    assert.deepEqual([named.body.error.code, named.body.error.got], ['request-malformed', '"Foo Bar"'])
    assert.match(named.body.error.expected, /letters, digits/)
    await broker.close()
  })

  test('no policy takes the name of a preset, at its path or in itself', async () => {
    const broker = await openTestBroker()
    for (const [path, name] of [
      ['strict', 'strict'],
      ['standard', 'standard'],
      ['strict', 'mine'],
      ['default', 'standard'],
    ]) {
      const refused = await broker.send('PUT', `/v1/policies/${path}`, { payload: { ...POLICY, name } })
      assert.deepEqual([refused.status, refused.body.error.code], [422, 'policy-invalid'])
      assert.match(refused.body.error.hint, /extends: (?:strict|standard)/)
    }
    assert.deepEqual((await broker.send('GET', '/v1/policies')).body.items, [])
    await broker.close()
  })

  test('a rule is tried without being saved', async () => {
    const broker = await openTestBroker()
    const tried = await broker.send('POST', '/v1/rules/none/dry-run', { payload: { rule: RULE } })
    assert.deepEqual([tried.status, tried.body.evaluated], [200, 0])
    const missing = await broker.send('POST', '/v1/rules/none/dry-run', { payload: {} })
    assert.equal(missing.body.error.code, 'rule-missing')
    await broker.close()
  })

  test('evidence that is none is explained, by a policy that exists', async () => {
    const broker = await openTestBroker()
    const evidence = Buffer.from('no evidence at all').toString('base64')
    const explained = await broker.send('POST', '/v1/verify', { payload: { evidence } })
    assert.equal(explained.status, 200, explained.text)
    const missing = await broker.send('POST', '/v1/verify', { payload: { evidence, policy: 'none' } })
    assert.equal(missing.body.error.code, 'policy-missing')
    for (const payload of [
      {},
      { evidence: 5 },
      { evidence: '!!' },
      { evidence, at: 'now' },
      { evidence, x: 1 },
    ]) {
      const refused = await broker.send('POST', '/v1/verify', { payload })
      assert.equal(refused.body.error.code, 'request-malformed', JSON.stringify(payload))
    }
    await broker.send('PUT', '/v1/policies/mine', { payload: { ...POLICY, name: 'mine' } })
    const tested = await broker.send('POST', '/v1/policies/mine/test', { payload: { evidence } })
    assert.equal(tested.status, 200, tested.text)
    const nothing = await broker.send('POST', '/v1/policies/mine/test', {
      payload: { attestationId: 'none' },
    })
    assert.equal(nothing.body.error.code, 'attestation-missing')
    await broker.close()
  })
})

describe('what a document may leave out', () => {
  let broker: TestBroker

  before(async () => {
    broker = await openTestBroker()
  })

  after(() => broker.close())

  const stored = async (path: string) => (await broker.send('GET', path)).body.document

  test('a policy is named after its place, and its version counts up', async () => {
    for (const version of [1, 2]) {
      const { status } = await broker.send('PUT', '/v1/policies/own', { payload: { extends: 'strict' } })
      assert.equal(status, version === 1 ? 201 : 200)
      assert.deepEqual(await stored('/v1/policies/own'), { extends: 'strict', name: 'own', version })
    }
    const stated = { extends: 'strict', name: 'other', version: 9 }
    await broker.send('PUT', '/v1/policies/own', { payload: stated })
    assert.deepEqual(await stored('/v1/policies/own'), stated)
  })

  test('policies that are put at once get a version each', async () => {
    const put = () => broker.send('PUT', '/v1/policies/raced', { payload: { extends: 'strict' } })
    const statuses = (await Promise.all([put(), put(), put()])).map(({ status }) => status)
    assert.deepEqual(
      statuses.toSorted((one, other) => one - other),
      [200, 200, 201],
    )
    assert.equal((await stored('/v1/policies/raced')).version, 3)
    const change = () =>
      broker.send('PUT', '/v1/policies/raced', {
        payload: { extends: 'strict' },
        headers: { 'if-match': '*' },
      })
    const changed = await Promise.all([change(), change()])
    assert.deepEqual(
      changed.map(({ status }) => status),
      [200, 200],
    )
    assert.equal((await stored('/v1/policies/raced')).version, 5)
  })

  test('what is not an object is not filled in', async () => {
    const { status, body } = await broker.send('PUT', '/v1/policies/own', {
      payload: '[]',
      headers: JSON_TYPE,
    })
    assert.deepEqual([status, body.error.code], [422, 'policy-invalid'])
  })

  test('a rule is switched on, and says what it wants', async () => {
    const expression = `claims.kind == "tdx" || claims.kind == "${'x'.repeat(600)}"`
    const rule = { secrets: 'default/db/*', expression }
    assert.equal((await broker.send('PUT', '/v1/rules/own', { payload: rule })).status, 201)
    const { enabled, message } = await stored('/v1/rules/own')
    assert.deepEqual([enabled, message.length], [true, 512])
    assert.match(message, /^rule wants claims\.kind == "tdx"/)
    const tried = await broker.send('POST', '/v1/rules/own/dry-run', { payload: { rule } })
    assert.equal(tried.status, 200)
  })

  test('an expression may be as long as the description says, and no longer', async () => {
    const { maxLength } = Rule.properties.expression as unknown as { maxLength: number }
    for (const [length, wanted] of [
      [maxLength, 201],
      [maxLength + 1, 422],
    ] as const) {
      const payload = { secrets: 'default/long/*', expression: 'true'.padEnd(length) }
      const { status } = await broker.send('PUT', `/v1/rules/long-${length}`, { payload })
      assert.equal(status, wanted, `${length}`)
    }
  })
})

const JSON_TYPE = { 'content-type': 'application/json' }
