// What every answer has, what is limited, what is logged and measured.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { LedgerError } from '@casemate/ledger'
import { fastify } from 'fastify'
import { clientOf } from '../../src/client-address.ts'
import { BROKER_ERRORS } from '../../src/errors.ts'
import { enforceAccess } from '../../src/http/access.ts'
import { ADMINISTRATOR_JSON, checkJson } from '../../src/http/strict-json.ts'
import { later, MINUTE, openTestBroker, START, type TestBroker } from '../broker.ts'

describe('answers', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  test('each has an id of ours, and cannot be cached, framed or sniffed', async () => {
    const { headers } = await broker.send('GET', '/v1/info', { headers: { 'x-request-id': 'mine\n' } })
    assert.match(String(headers['x-request-id']), /^[0-9a-f-]{36}$/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['cache-control'], 'no-store')
    assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/)
    assert.equal(headers['strict-transport-security'], undefined)
  })

  test('bodies that are not the JSON that the route describes are refused with what is wrong', async () => {
    const post = (payload: string | object, type = 'application/json') =>
      broker.send('POST', '/v1/tokens', { payload, headers: { 'content-type': type } })
    for (const payload of ['', '{', 'null', '[]', '"x"', '1', '{}']) {
      assert.equal((await post(payload)).body.error.code, 'request-malformed', payload)
    }
    const { error } = (await post('<a/>', 'text/xml')).body
    assert.equal(error.code, 'media-type-unsupported')
    assert.match(error.hint, /application\/json .*application\/octet-stream/)
    for (const member of ['__proto__', 'constructor']) {
      const { body } = await post(
        `{"${member}":{"prototype":{}},"name":"x","role":"admin","expiresAt":"2027-01-01T00:00:00Z"}`,
      )
      assert.equal(body.error.code, 'request-malformed', member)
    }
    const { body } = await post({ name: '', role: 'god', expiresAt: 5, extra: true })
    assert.deepEqual(body.error.violations.map(({ path }: { path: string }) => path).toSorted(), [
      'body/expiresAt',
      'body/extra',
      'body/name',
      'body/name',
      'body/role',
    ])
  })

  test('a document may be as deep, and as full, as an administrator’s may, and no more', async () => {
    const put = async (payload: string) => {
      const headers = { 'content-type': 'application/json' }
      return (await broker.send('PUT', '/v1/policies/deep', { headers, payload })).body.error.code
    }
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const names = (count: number) => `{${Array.from({ length: count }, (_, n) => `"${n}":0`).join(',')}}`
    assert.equal(await put(nested(64)), 'policy-invalid')
    assert.equal(await put(nested(65)), 'request-too-complex')
    assert.equal(await put(names(131_072)), 'request-too-complex')
    assert.equal(await put(`[${'1,'.repeat(262_143)}1]`), 'policy-invalid')
    assert.equal(await put(`[${'1,'.repeat(262_145)}1]`), 'request-too-complex')
  })

  test('a member that an object names twice is refused, not taken once', async () => {
    const twice: readonly string[] = [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '{"x":[{"b":"a"},{"a":{},"c":",","a":"}"}]}',
      '{"x":{"a":[1,2]},"y":"\\"","x":null}',
      '{"y":"\\\\","x":1,"x":2}',
      '{"y":"\\\\\\"","x":1,"x":2}',
    ]
    const check = (text: string) => checkJson(text, ADMINISTRATOR_JSON, 'it')
    for (const text of twice) assert.throws(() => check(text), { code: 'request-malformed' }, text)
    const once: readonly string[] = [
      '{"a":{"a":{"a":["a","a",{"a":"a"}]}},"b":{"a":"a"}}',
      '["a","a",{"a":1},{"a":1}]',
      '{"a":"\\"a\\":","b":"{\\"a\\":1,"}',
      '{"a":"\\\\\\",\\"a","b":"\\\\"}',
      '"a"',
      '{}',
    ]
    for (const text of once) check(text)
    for (const kind of ['policies', 'references', 'rules']) {
      const { status, body } = await broker.send('PUT', `/v1/${kind}/x`, {
        payload: '{"name":"x","simulated":false,"simulated":"any"}',
        headers: { 'content-type': 'application/json' },
      })
      assert.deepEqual([status, body.error.code, body.error.got], [400, 'request-malformed', 'simulated'])
    }
    const kbs = await broker.send('POST', '/kbs/v0/auth', {
      payload: '{"version":"0.4.0","tee":"sample","tee":"tdx","extra-params":""}',
    })
    assert.equal(kbs.status, 400)
  })

  test('whatever is worth another try says when', async t => {
    t.mock.method(broker.context.ledger, 'append', async () => {
      throw new LedgerError('ledger-busy', 'busy', { retryAfterMs: 1500 })
    })
    for (const [method, url] of [
      ['PUT', '/v1/secrets/a/b/c'],
      ['POST', '/kbs/v0/resource/a/b/c'],
      ['GET', '/v1/secrets'],
    ] as const) {
      const headers = { 'content-type': 'application/octet-stream' }
      const answer = await broker.send(method, url, method === 'GET' ? {} : { payload: 'x', headers })
      assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '2'], url)
    }
  })

  test('every error is of the table, with its status', async () => {
    const answers = await Promise.all([
      broker.send('GET', '/v1/secrets', { token: null }),
      broker.send('GET', '/nothing'),
      broker.send('GET', '/v1/rules/none'),
      broker.send('GET', '/v1/attestations/none'),
      broker.send('GET', '/v1/attestations/none/evidence'),
      broker.send('GET', '/v1/ledger/entries/999999'),
      broker.send('GET', '/v1/ledger/entries/-1'),
      broker.send('GET', '/v1/ledger/consistency?from=5&to=2'),
      broker.send('GET', '/log/tile/0/999'),
      broker.send('GET', '/log/tile/../../etc/passwd'),
      broker.send('GET', '/%'),
      broker.send('GET', `/v1/rules/${'x'.repeat(600)}`),
    ])
    for (const { status, body } of answers) {
      assert.equal(status, BROKER_ERRORS[body.error.code as keyof typeof BROKER_ERRORS], JSON.stringify(body))
      assert.ok(status >= 400 && status < 500)
    }
  })

  test('a challenge asks for bearer tokens', async () => {
    const { headers } = await broker.send('GET', '/v1/secrets', { token: null })
    assert.equal(headers['www-authenticate'], 'Bearer')
  })

  test('an error that nobody foresaw shows nothing of itself', async t => {
    const { secrets } = broker.context.store
    t.mock.method(secrets, 'find', async () => {
      throw new Error('disk of s3cr3t on fire')
    })
    const { status, body, text } = await broker.send('GET', '/v1/secrets/a/b/c')
    assert.deepEqual([status, body.error.code], [500, 'internal'])
    assert.ok(!text.includes('s3cr3t'))
    assert.ok(!broker.log.join('').includes('s3cr3t'))
    assert.ok(broker.log.some(line => line.includes('"code":"internal"') && line.includes('answers.test.ts')))
  })

  test('where the ledger cannot record a use, nothing is answered', async () => {
    const other = await openTestBroker()
    await other.context.ledger.close()
    const { status, body } = await other.send('GET', '/v1/secrets')
    assert.deepEqual([status, body.error.code], [503, 'unavailable'])
    const told = other.log.map(line => JSON.parse(line)).findLast(({ msg }) => msg === 'answered')
    assert.deepEqual([told.status, told.code], [503, 'unavailable'])
    const put = await other.send('PUT', '/v1/secrets/a/b/c', { payload: 'x' })
    assert.deepEqual([put.status, put.body.error.code], [503, 'unavailable'])
    await other.close().catch(() => undefined)
  })

  test('a route that does not say who may call it cannot be registered', () => {
    const app = fastify()
    const nothing = {} as Parameters<typeof enforceAccess>[1]
    enforceAccess(app, nothing)
    assert.throws(() => app.get('/open', () => ''), /does not declare who may call it/)
    app.get('/closed', { config: { access: 'admin' } }, () => '')
  })

  test('health is for everyone, and readiness ends with the store', async t => {
    assert.equal((await broker.send('GET', '/healthz', { token: null })).status, 200)
    assert.equal((await broker.send('GET', '/readyz', { token: null })).status, 200)
    const { store } = broker.context
    t.mock.method(store, 'check', async () => {
      throw new Error('gone')
    })
    const { status, body } = await broker.send('GET', '/readyz', { token: null })
    assert.deepEqual([status, body.error.code], [503, 'unavailable'])
  })
})

describe('limits', () => {
  const auth = { payload: { version: '0.4.0', tee: 'tdx', 'extra-params': '' }, token: null }

  test('a client may begin so many handshakes a minute, and then some more as time goes by', async () => {
    const broker = await openTestBroker({ flags: { 'auth-limit': '3', 'trusted-proxies': '127.0.0.1' } })
    const from = (client: string) =>
      broker.send('POST', '/kbs/v0/auth', { ...auth, headers: { 'x-forwarded-for': client } })
    const statuses = []
    for (let n = 0; n < 4; n++) statuses.push((await from('192.0.2.1')).status)
    assert.deepEqual(statuses, [200, 200, 200, 429])
    const refused = await from('192.0.2.1')
    assert.equal(refused.headers['retry-after'], '20')
    assert.match(refused.text, /"type":/, 'the KBS protocol’s error body')
    assert.equal((await from('192.0.2.2')).status, 200)
    broker.clock = later(START, 21_000)
    assert.deepEqual([(await from('192.0.2.1')).status, (await from('192.0.2.1')).status], [200, 429])
    await broker.close()
  })

  test('attestations have a budget of their own, as large', async () => {
    const broker = await openTestBroker({ flags: { 'auth-limit': '3' } })
    const attest = () => broker.send('POST', '/kbs/v0/attest', { payload: {}, token: null })
    const statuses = []
    for (let n = 0; n < 4; n++) statuses.push((await attest()).status)
    assert.deepEqual(statuses, [401, 401, 401, 429])
    assert.equal((await attest()).headers['retry-after'], '20')
    assert.equal((await broker.send('POST', '/kbs/v0/auth', auth)).status, 200)
    await broker.close()
  })

  test('an address that no trusted proxy vouches for is not believed', async () => {
    const broker = await openTestBroker({ flags: { 'auth-limit': '1' } })
    const from = (client: string) =>
      broker.send('POST', '/kbs/v0/auth', { ...auth, headers: { 'x-forwarded-for': client } })
    assert.deepEqual([(await from('192.0.2.1')).status, (await from('192.0.2.2')).status], [200, 429])
    await broker.close()
  })

  test('an IPv6 client is its /64, an IPv4 one the same however it is written', () => {
    const same: readonly (readonly [string, string])[] = [
      ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
      ['2001:DB8:1:2::1', '2001:0db8:0001:0002:ffff:ffff:ffff:ffff'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['fe80::1%eth0', 'fe80::2'],
      ['::1', '::2'],
      ['::ffff:c000:201', '192.0.2.1'],
      ['64:ff9b::c000:201', '192.0.2.1'],
      ['192.0.2.1:40001', '192.0.2.1'],
      ['[2001:db8:1:2::9]:40001', '2001:db8:1:2::'],
      ['no address', 'another one'],
    ]
    for (const [a, b] of same) assert.equal(clientOf(a), clientOf(b))
    assert.notEqual(clientOf('2001:db8:1:2::'), clientOf('2001:db8:1:3::'))
    assert.notEqual(clientOf('192.0.2.1'), clientOf('192.0.2.2'))
    assert.notEqual(clientOf('::ffff:c000:201'), clientOf('::ffff:c000:202'))
  })
})

describe('logs and metrics', () => {
  test('name routes and never a path, a token, a secret or what was sent', async () => {
    const broker = await openTestBroker()
    const needle = 'needlename'
    await broker.send('PUT', `/v1/secrets/${needle}/key/one`, { payload: 'needlecontent' })
    await broker.send('GET', `/v1/secrets/${needle}/key/two`)
    await broker.send('GET', `/v1/secrets?cursor=${needle}`)
    await broker.send('POST', '/v1/verify', { payload: { evidence: Buffer.from(needle).toString('base64') } })
    await broker.send('PUT', `/v1/rules/${needle}`, { payload: { secrets: needle } })
    await broker.send('GET', `/${needle}`)
    await broker.send('GET', '/v1/tokens', { token: `cmt_${needle}` })
    const scrape = async () => (await broker.metricsApp!.inject({ url: '/metrics' })).payload
    const seen = `${broker.log.join('\n')}\n${await scrape()}`
    const secret = broker.admin.split('_').slice(2).join('_')
    for (const hidden of [needle, 'needlecontent', secret, Buffer.from(needle).toString('base64')]) {
      assert.ok(!seen.includes(hidden), hidden)
    }
    assert.match(seen, /"route":"PUT \/v1\/secrets\/:repository\/:type\/:tag","status":201/)
    assert.match(seen, /"reqId":"[0-9a-f-]{36}"/)
    const metrics = await scrape()
    assert.match(
      metrics,
      /kbs_http_requests_total\{method="PUT",route="\/v1\/secrets\/:repository\/:type\/:tag",status="201"\} 1/,
    )
    assert.match(metrics, /kbs_http_requests_total\{method="GET",route="\(none\)",status="404"\} 1/)
    assert.match(metrics, /^kbs_resource_writes_total 1$/m)
    assert.match(metrics, /^casemate_admin_failures_total\{code="token-invalid"\} 1$/m)
    assert.match(metrics, /^kbs_build_info\{version="[\d.]+"\} 1$/m)
    assert.match(metrics, /kbs_http_request_size_bytes_sum\{[^}]*status="201"\} 13$/m)
    assert.ok(Number(/kbs_http_response_size_bytes_sum\{[^}]*status="201"\} (\d+)$/m.exec(metrics)?.[1]) > 20)
    const [, entries] = /^casemate_ledger_entries (\d+)$/m.exec(metrics) ?? []
    assert.equal(Number(entries), broker.context.ledger.size)
    await broker.close()
  })

  test('requests for what does not exist add no label', async () => {
    const broker = await openTestBroker()
    for (let n = 0; n < 20; n++) await broker.send('GET', `/random/${n}`)
    for (const method of ['PURGE', 'PROPFIND', 'MKCOL']) await broker.send(method, '/v1/info')
    const { payload } = await broker.metricsApp!.inject({ url: '/metrics' })
    assert.equal(
      payload.split('\n').filter(line => line.startsWith('kbs_http_requests_total{method="GET"')).length,
      1,
    )
    await broker.close()
  })
})

describe('kept evidence', () => {
  test('is purged after its time, the explanation stays, and the ledger says so', async () => {
    const broker = await openTestBroker({ flags: { 'evidence-retention': '1h' } })
    const { attestations } = broker.context.store
    const insert = async (id: string) => {
      const row = {
        id,
        at: broker.clock,
        verdict: 'refused',
        kind: 'tdx',
        code: 'x',
        explanation: { why: id },
      } as const
      const record = {
        type: 'attestation.refused',
        at: broker.clock.toISOString(),
        actor: { attestation: id },
      } as const
      const basis = { challenge: null, generations: null }
      await attestations.insert({ ...row, evidence: Buffer.from(`evidence of ${id}`) }, record, basis)
    }
    await insert('old')
    broker.clock = later(START, 59 * MINUTE)
    await insert('new')
    await broker.housekeeping.run()
    assert.equal((await broker.send('GET', '/v1/attestations/old/evidence')).text, 'evidence of old')
    broker.clock = later(START, 61 * MINUTE)
    await broker.housekeeping.run()
    assert.equal(
      (await broker.send('GET', '/v1/attestations/old/evidence')).body.error.code,
      'evidence-missing',
    )
    const { body } = await broker.send('GET', '/v1/attestations/old')
    assert.deepEqual([body.evidenceKept, body.explanation.why], [false, 'old'])
    const kept = await broker.send('GET', '/v1/attestations/new/evidence')
    assert.equal(kept.headers['content-type'], 'application/octet-stream')
    assert.equal(kept.text, 'evidence of new')
    assert.equal((await broker.entries('evidence.purged'))[0]?.['count'], 1)
    const list = await broker.send('GET', '/v1/attestations?verdict=refused&limit=1')
    assert.deepEqual([list.body.items[0].id, list.body.items[0].explanation], ['new', undefined])
    const rest = await broker.send('GET', `/v1/attestations?verdict=refused&limit=1&cursor=${list.body.next}`)
    assert.deepEqual([rest.body.items[0].id, rest.body.next], ['old', null])
    assert.equal((await broker.send('GET', '/v1/attestations?verdict=accepted')).body.items.length, 0)
    const { ledgerIndex } = body
    const entry = await broker.send('GET', `/v1/ledger/entries/${ledgerIndex}`)
    assert.equal(entry.body.entry.actor.attestation, 'old')
    await broker.close()
  })
})
