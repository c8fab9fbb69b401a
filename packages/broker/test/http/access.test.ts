// Who may call what, over every route that the broker has: a route without a row here fails the test.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ROLES } from '../../src/roles.ts'
import { later, MINUTE, openTestBroker, START, type TestBroker } from '../broker.ts'

const KBS = '/kbs/v0'
const ANY = '/v1/secrets/:repository/:type/:tag'

/** Method and pattern → the least role, or who else may. */
const MATRIX: Readonly<Record<string, 'public' | 'guest' | 'auditor' | 'writer' | 'admin'>> = {
  'GET /healthz': 'public',
  'GET /readyz': 'public',
  'HEAD /healthz': 'public',
  'HEAD /readyz': 'public',
  'GET /.well-known/jwks.json': 'public',
  'GET /log/checkpoint': 'public',
  'GET /log/tile/*': 'public',
  'GET /v1/info': 'public',
  'GET /v1/openapi.json': 'public',
  'GET /v1/openapi-kbs.json': 'public',
  'GET /v1/ledger/key': 'public',
  [`POST ${KBS}/auth`]: 'public',
  [`POST ${KBS}/attest`]: 'guest',
  [`GET ${KBS}/resource/:repository/:type/:tag`]: 'guest',
  [`GET ${KBS}/resource//:repository/:type/:tag`]: 'guest',
  [`GET ${KBS}/resource/*`]: 'guest',
  [`POST ${KBS}/resource/:repository/:type/:tag`]: 'writer',
  [`DELETE ${KBS}/resource/:repository/:type/:tag`]: 'writer',
  [`POST ${KBS}/attestation-policy`]: 'writer',
  [`POST ${KBS}/resource-policy`]: 'writer',
  [`GET ${KBS}/resource-policy`]: 'auditor',
  [`POST ${KBS}/reference-value`]: 'writer',
  [`GET ${KBS}/reference-value/*`]: 'auditor',
  'GET /v1/secrets': 'auditor',
  [`GET ${ANY}`]: 'auditor',
  [`PUT ${ANY}`]: 'writer',
  [`DELETE ${ANY}`]: 'writer',
  'GET /v1/policies': 'auditor',
  'GET /v1/policies/:name': 'auditor',
  'PUT /v1/policies/:name': 'writer',
  'DELETE /v1/policies/:name': 'writer',
  'POST /v1/policies/:name/test': 'auditor',
  'GET /v1/references': 'auditor',
  'GET /v1/references/:name': 'auditor',
  'PUT /v1/references/:name': 'writer',
  'DELETE /v1/references/:name': 'writer',
  'GET /v1/rules': 'auditor',
  'GET /v1/rules/:name': 'auditor',
  'PUT /v1/rules/:name': 'writer',
  'DELETE /v1/rules/:name': 'writer',
  'POST /v1/rules/:name/dry-run': 'auditor',
  'GET /v1/attestations': 'auditor',
  'GET /v1/attestations/:id': 'auditor',
  'GET /v1/attestations/:id/evidence': 'auditor',
  'POST /v1/verify': 'auditor',
  'GET /v1/ledger/entries': 'auditor',
  'GET /v1/ledger/entries/:index': 'auditor',
  'DELETE /v1/ledger/entries/:index': 'admin',
  'GET /v1/ledger/receipts/:index': 'auditor',
  'GET /v1/ledger/consistency': 'auditor',
  'GET /v1/tokens': 'admin',
  'POST /v1/tokens': 'admin',
  'DELETE /v1/tokens/:id': 'admin',
  'GET /v1/keys': 'admin',
  'POST /v1/keys/rotate': 'admin',
  'POST /v1/keys/retire': 'admin',
}

function urlOf(pattern: string): string {
  return pattern.replaceAll(/:\w+/g, '1').replace('*', '0/000')
}

describe('access', () => {
  let broker: TestBroker
  const tokens = new Map<string, string>()

  before(async () => {
    broker = await openTestBroker()
    for (const role of ROLES) tokens.set(role, await broker.token(role))
  })

  after(() => broker.close())

  test('every route of the broker has a row in the matrix, and every row a route', () => {
    assert.deepEqual([...broker.routes].toSorted(), Object.keys(MATRIX).toSorted())
  })

  for (const [route, access] of Object.entries(MATRIX)) {
    const [method = '', pattern = ''] = route.split(' ')
    const needed = ROLES.findIndex(role => role === access)
    if (needed === -1) {
      test(`${route} asks for no administrator’s token`, async () => {
        const { status, body } = await broker.send(method, urlOf(pattern), { token: null, payload: {} })
        const code = body?.error?.code ?? ''
        assert.ok(!code.startsWith('token-') && !code.startsWith('role-'), `${status} ${code}`)
      })
      continue
    }
    test(`${route} needs at least the role ${access}`, async () => {
      const url = urlOf(pattern)
      const nobody = await broker.send(method, url, { token: null })
      assert.equal(nobody.status, 401)
      const stranger = await broker.send(method, url, { token: `cmt_${'0'.repeat(16)}_${'A'.repeat(43)}` })
      assert.equal(stranger.status, 401)
      for (const [index, role] of ROLES.entries()) {
        const { status } = await broker.send(method, url, { token: tokens.get(role)! })
        if (index < needed) assert.equal(status, 403, role)
        else assert.ok(status !== 401 && status !== 403, `${role}: ${status}`)
      }
    })
  }

  test('a refused role is told which one is needed', async () => {
    const { body } = await broker.send('GET', '/v1/tokens', { token: tokens.get('writer')! })
    assert.deepEqual(
      [body.error.code, body.error.expected, body.error.got],
      ['role-insufficient', 'admin', 'writer'],
    )
  })

  test('every use of a token is in the ledger: reading, failing, being refused', async () => {
    const own = await broker.token('auditor')
    const id = own.split('_')[1]
    await broker.send('GET', '/v1/secrets', { token: own })
    await broker.send('GET', '/v1/secrets/a/b/missing', { token: own })
    await broker.send('PUT', '/v1/secrets/a/b/c', { token: own, payload: 'x' })
    await broker.send('GET', '/v1/secrets?limit=nonsense', { token: own })
    const uses = (await broker.entries('admin.used')).filter(
      ({ actor }) => (actor as { token: string }).token === id,
    )
    assert.deepEqual(
      uses.map(({ route, status }) => [route, status]),
      [
        ['GET /v1/secrets', 200],
        [`GET ${ANY}`, 404],
        [`PUT ${ANY}`, 403],
        ['GET /v1/secrets', 400],
      ],
    )
  })

  test('a change is in the ledger once, as the change', async () => {
    const before = (await broker.entries()).length
    await broker.send('PUT', '/v1/secrets/a/b/once', { payload: 'x' })
    const added = (await broker.entries()).slice(before)
    assert.deepEqual(
      added.map(({ type }) => type),
      ['secret.put'],
    )
  })

  test('an unknown path or method with a token is none', async () => {
    assert.equal((await broker.send('GET', '/v1/nothing')).body.error.code, 'route-missing')
    assert.equal((await broker.send('PATCH', '/v1/secrets')).body.error.code, 'method-not-allowed')
  })
})

describe('tokens', () => {
  let broker: TestBroker

  before(async () => {
    broker = await openTestBroker()
  })

  after(() => broker.close())

  const code = async (authorization: string) =>
    (await broker.send('GET', '/v1/tokens', { token: null, headers: { authorization } })).body.error?.code

  test('only an exact bearer token is accepted', async () => {
    const { admin } = broker
    assert.equal(await code(`Bearer ${admin}`), undefined)
    assert.equal(await code(`bearer ${admin}`), undefined)
    assert.equal(await code(admin), 'token-missing')
    assert.equal(await code(`Basic ${admin}`), 'token-missing')
    assert.equal(await code(`Bearer ${admin}x`), 'token-invalid')
    assert.equal(await code(`Bearer ${admin.slice(0, -1)}`), 'token-invalid')
    assert.equal(
      await code(`Bearer ${admin.slice(0, -1)}${admin.endsWith('A') ? 'B' : 'A'}`),
      'token-invalid',
    )
    assert.equal(await code('Bearer cmt_'), 'token-invalid')
  })

  test('a token is shown once, and only its hash is kept', async () => {
    const { body } = await broker.send('POST', '/v1/tokens', {
      payload: { name: 'ci', role: 'writer', expiresAt: '2026-12-01T00:00:00Z' },
    })
    const secret = body.token.split('_').slice(2).join('_')
    const list = await broker.send('GET', '/v1/tokens')
    assert.ok(list.text.includes(body.id) && !list.text.includes(secret))
    assert.ok(!JSON.stringify(await broker.entries()).includes(secret))
    assert.ok(!broker.log.join('').includes(secret))
  })

  test('a token ends with its expiry, and its last use is in the ledger by its id', async () => {
    const { body } = await broker.send('POST', '/v1/tokens', {
      payload: { name: 'short', role: 'auditor', expiresAt: '2026-11-22T12:05:00Z' },
    })
    assert.equal((await broker.send('GET', '/v1/secrets', { token: body.token })).status, 200)
    broker.clock = later(START, 5 * MINUTE)
    const refused = await broker.send('GET', '/v1/secrets', { token: body.token })
    assert.equal(refused.body.error.code, 'token-expired')
    assert.equal(await broker.administrators.endOf(body.token), null)
    assert.ok((await broker.entries('admin.refused')).some(({ token }) => token === body.id))
    broker.clock = START
  })

  test('a deleted token is refused at once', async () => {
    const token = await broker.token('auditor')
    await broker.send('DELETE', `/v1/tokens/${token.split('_')[1]}`)
    assert.equal((await broker.send('GET', '/v1/secrets', { token })).body.error.code, 'token-invalid')
    assert.equal((await broker.send('DELETE', '/v1/tokens/nobody')).body.error.code, 'token-unknown')
  })

  test('the last valid admin cannot be deleted', async () => {
    const id = broker.admin.split('_')[1]
    assert.equal((await broker.send('DELETE', `/v1/tokens/${id}`)).body.error.code, 'last-admin')
    await broker.token('admin')
    assert.equal((await broker.send('DELETE', `/v1/tokens/${id}`)).status, 200)
  })

  test('an expiry that is past, or no time, is refused', async () => {
    const other = await openTestBroker()
    const refusal = async (expiresAt: string) => {
      const payload = { name: 'x', role: 'admin', expiresAt }
      return (await other.send('POST', '/v1/tokens', { payload })).body.error.code
    }
    for (const past of ['2026-11-22T11:59:59Z', '2026-13-01T00:00:00Z']) {
      assert.equal(await refusal(past), 'time-invalid', past)
    }
    for (const none of ['2026-11-23', 'tomorrow', '']) {
      assert.equal(await refusal(none), 'request-malformed', none)
    }
    await other.close()
  })

  test('the first start makes an admin’s token, the second does not', async () => {
    const first = await openTestBroker()
    assert.match(first.firstAdminToken ?? '', /^cmt_[0-9a-v]{16}_[\w-]{43}$/)
    const second = await first.reopen()
    assert.equal(second.firstAdminToken, null)
    assert.equal((await second.send('GET', '/v1/tokens')).status, 200)
    await second.close()
  })

  test('where every admin’s token has expired, a start makes a new one', async () => {
    const first = await openTestBroker()
    first.clock = later(START, 91 * 24 * 60 * MINUTE)
    const second = await first.reopen()
    assert.notEqual(second.firstAdminToken, null)
    await second.close()
  })
})

describe('attempts without a valid token', () => {
  test('are recorded, the first at once and the rest of a minute as one count', async () => {
    const broker = await openTestBroker()
    for (let n = 0; n < 20; n++) await broker.send('GET', '/v1/secrets', { token: null })
    assert.deepEqual(
      (await broker.entries('admin.refused')).map(({ code, count }) => [code, count]),
      [['token-missing', 1]],
    )
    broker.clock = later(START, 2 * MINUTE)
    await broker.housekeeping.run()
    assert.deepEqual(
      (await broker.entries('admin.refused')).map(({ count }) => count),
      [1, 19],
    )
    await broker.close()
  })

  test('of many clients are counted together beyond a bound', async () => {
    const broker = await openTestBroker({ flags: { 'trusted-proxies': '127.0.0.1' } })
    for (let n = 0; n < 400; n++) {
      const headers = { 'x-forwarded-for': `10.0.${n >> 8}.${n & 255}` }
      await broker.send('GET', '/v1/secrets', { token: null, headers })
    }
    const entries = await broker.entries('admin.refused')
    assert.equal(entries.length, 257)
    assert.equal(entries.at(-1)?.['client'], 'others')
    await broker.close()
  })
})
