// What the log says of each request and connection: who, what, how it ended and why; and what it never says.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { tdxKbsEvidence } from '@casemate/evidence'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { addressOf } from '../../src/client-address.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { createLogger } from '../../src/http/logging.ts'
import { type RunningBroker, startBroker } from '../../src/lifecycle/broker.ts'
import { openTestBroker, temporaryDirectory } from '../broker.ts'
import { Guest } from '../kbs/guest.ts'
import { GUEST_KEYS } from '../kbs/guest-jwe.ts'
import { type Harness, openHarness, START } from '../kbs/harness.ts'
import { makeCertificate } from '../lifecycle/certificates.ts'

type Line = Readonly<Record<string, unknown>>

const PROXY = '192.0.2.10'
const CLIENT = '198.51.100.7'
const [INFO, DEBUG] = [30, 20]

function parsed(lines: readonly string[]): readonly Line[] {
  return lines.map(line => JSON.parse(line) as Line)
}

/** Of the last request that was answered. */
function lastOf(lines: readonly string[]): Line {
  return parsed(lines).findLast(({ msg }) => msg === 'answered') ?? {}
}

describe('a line for each request', () => {
  let intel: IntelPlatform
  let broker: Harness

  before(async () => {
    intel = await createIntelPlatform({ now: START })
    broker = await openHarness({ platforms: [intel], flags: { 'trusted-proxies': PROXY } })
    await broker.putSecret('needle-repo/type/granted', 'needle-plaintext')
    await broker.putDocument('rule', 'all', {
      secrets: 'needle-repo/type/granted',
      expression: 'true',
      message: 'm',
      enabled: true,
    })
  })
  after(() => broker.close())

  interface Asking {
    readonly token?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly payload?: string
    readonly from?: string
  }

  async function logged(method: 'GET' | 'PUT' | 'POST', url: string, asking: Asking = {}): Promise<Line> {
    const { token, headers = {}, payload, from = CLIENT } = asking
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
    await broker.app.inject({
      method,
      url,
      remoteAddress: from,
      headers: { ...authorization, ...headers },
      ...(payload === undefined ? {} : { payload }),
    })
    const { reqId, ms, time: _time, service: _service, msg: _msg, ...line } = lastOf(broker.log)
    assert.match(String(reqId), /^[\da-f-]{36}$/)
    assert.equal(typeof ms, 'number')
    return line
  }

  const guest = (code = 0): Guest =>
    new Guest({
      app: broker.app,
      key: GUEST_KEYS['P-256'](),
      tee: 'tdx',
      evidence: reportData => {
        const quote = intel.tdxQuote({ reportData })
        quote[quote.length - 1]! ^= code
        return tdxKbsEvidence(code === 0 ? quote : quote.subarray(0, 700))
      },
    })

  test('says who the administrator was, also of a refusal, by id, name and role', async () => {
    const token = await broker.admin('auditor')
    const actor = { id: token.split('_')[1], name: 'auditor', role: 'auditor' }
    const base = { level: INFO, client: CLIENT, actor }
    const list = 'GET /v1/secrets'
    assert.deepEqual(await logged('GET', '/v1/secrets', { token }), { ...base, route: list, status: 200 })
    const route = 'PUT /v1/secrets/:repository/:type/:tag'
    const refused = await logged('PUT', '/v1/secrets/needle-repo/type/tag', {
      token,
      payload: 'needle-plaintext',
    })
    assert.deepEqual(refused, { ...base, route, status: 403, code: 'role-insufficient' })
    const malformed = await logged('POST', '/v1/verify', {
      token,
      headers: { 'content-type': 'application/json' },
      payload: '{"needle-evidence',
    })
    assert.deepEqual(malformed, { ...base, route: 'POST /v1/verify', status: 400, code: 'request-malformed' })
    broker.clock = new Date(START.getTime() + 2 * 86_400_000)
    const expired = await logged('GET', '/v1/secrets', { token })
    broker.clock = START
    assert.deepEqual(expired, {
      ...base,
      actor: { id: actor.id },
      route: list,
      status: 401,
      code: 'token-expired',
    })
  })

  test('says why a stranger was refused, and no more of it than the route', async () => {
    const cases: readonly (readonly [string, Asking, string, number, string])[] = [
      ['/v1/secrets', {}, 'GET /v1/secrets', 401, 'token-missing'],
      [
        '/v1/secrets?q=needle-query',
        { token: `cmt_${'a'.repeat(16)}_needle-token` },
        'GET /v1/secrets',
        401,
        'token-invalid',
      ],
      ['/needle-path', {}, 'GET (none)', 404, 'route-missing'],
      ['/kbs/v0/needle-path', {}, 'GET (none)', 404, 'route-missing'],
      ['/needle-%ZZ', {}, 'GET (none)', 400, 'request-malformed'],
      ['/kbs/v0/needle-%ZZ', {}, 'GET (none)', 400, 'request-malformed'],
      [
        '/kbs/v0/resource/needle-repo/type/tag',
        { headers: { cookie: 'kbs-session-id=needle-cookie' } },
        'GET /kbs/v0/resource/:repository/:type/:tag',
        401,
        'attestation-token-missing',
      ],
      [
        '/kbs/v0/resource/needle-repo/type/tag',
        { token: 'needle.attestation.token' },
        'GET /kbs/v0/resource/:repository/:type/:tag',
        401,
        'attestation-token-invalid',
      ],
    ]
    for (const [url, asking, route, status, code] of cases) {
      const line = await logged('GET', url, asking)
      assert.deepEqual(line, { level: INFO, client: CLIENT, route, status, code }, url)
    }
  })

  test('names the attestation of a guest, whether it is served or refused', async () => {
    const good = guest()
    const { status } = await good.handshake()
    assert.equal(status, 200)
    const { attestation, ...attested } = lastOf(broker.log)
    assert.equal(attested['code'], undefined)
    assert.match(String(attestation), /^[\da-f-]{30,}$/)
    await good.fetch('needle-repo/type/granted')
    assert.equal(lastOf(broker.log)['attestation'], attestation)
    await good.fetch('needle-repo/type/denied')
    const denied = lastOf(broker.log)
    assert.deepEqual([denied['code'], denied['attestation']], ['release-denied', attestation])
    const refused = await guest(1).handshake()
    const line = lastOf(broker.log)
    assert.deepEqual([line['code'], line['status']], ['evidence-refused', 401])
    assert.ok(refused.body.detail.includes(String(line['attestation'])), refused.body.detail)
  })

  test('names the client that a trusted proxy names, and nothing that is no address', async () => {
    const client = async (from: string, forwarded: string): Promise<unknown> =>
      (await logged('GET', '/v1/info', { from, headers: { 'x-forwarded-for': forwarded } }))['client']
    assert.equal(await client(PROXY, CLIENT), CLIENT)
    assert.equal(await client(PROXY, `needle-forged, ${CLIENT}`), CLIENT)
    assert.equal(await client(PROXY, 'needle-address'), 'unknown')
    assert.equal(await client('192.0.2.11', CLIENT), '192.0.2.11')
    assert.equal(await client(PROXY, '[2001:db8::1]:443'), '2001:db8::1')
    assert.equal(addressOf('::ffff:192.0.2.1'), '192.0.2.1')
    assert.equal(addressOf(undefined), 'unknown')
  })

  test('nothing that was sent or is secret is in the log, at any level', async () => {
    const bearer = guest()
    await bearer.handshake()
    await broker.app.inject('/healthz')
    const text = broker.log.join('\n')
    const { cookie, nonce, token } = bearer
    const key = bearer.options.key.jwk as { x: string }
    assert.ok(text.includes('"code":"evidence-refused"') && text.includes('"level":20'))
    for (const secret of ['needle', cookie?.split('=')[1] ?? '', nonce, token, key.x]) {
      assert.ok(secret !== '' && !text.includes(secret), secret.slice(0, 30))
    }
  })
})

test('probes that find all well are told at debug, and one that does not with its reason', async t => {
  const broker = await openTestBroker({ flags: { 'metrics-listen': '127.0.0.1:0' } })
  t.after(() => broker.close())
  const level = async (app: typeof broker.app, url: string): Promise<unknown> => {
    await app.inject(url)
    return lastOf(broker.log)['level']
  }
  for (const url of ['/healthz', '/readyz']) assert.equal(await level(broker.app, url), DEBUG)
  assert.ok(broker.metricsApp !== null)
  assert.equal(await level(broker.metricsApp, '/metrics'), DEBUG)
  assert.equal(await level(broker.app, '/v1/info'), INFO)
  rmSync(join(broker.dataDir, 'lock'))
  broker.clock = new Date(broker.clock.getTime() + 2000)
  assert.equal(await level(broker.app, '/readyz'), INFO)
  const { code, reason, status } = lastOf(broker.log)
  assert.deepEqual([code, status], ['unavailable', 503])
  assert.match(String(reason), /^[a-z]+(-[a-z]+)+$/)
})

describe('over sockets', () => {
  const directory = temporaryDirectory()
  after(() => rmSync(directory, { recursive: true }))

  /** Where it listens, and what it logs. */
  async function start(
    t: TestContext,
    name: string,
    flags: Readonly<Record<string, string>>,
  ): Promise<{ readonly broker: RunningBroker; readonly log: readonly string[]; readonly port: number }> {
    const listens = { listen: '127.0.0.1:0', 'metrics-listen': '127.0.0.1:0', offline: 'true' }
    const all = { ...listens, 'data-dir': join(directory, name), ...flags }
    const log: string[] = []
    const broker = await startBroker(resolveConfig({ flags: all, env: {}, file: null }).values, {
      now: () => new Date(),
      elapsedMs: () => performance.now(),
      anchors: [],
      endorsements: [],
      logger: createLogger('info', { write: line => void log.push(line) }),
    })
    t.after(() => broker.close())
    return { broker, log, port: Number(new URL(broker.url).port) }
  }

  async function sent(port: number, bytes: string): Promise<void> {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end(bytes)
    socket.resume()
    await once(socket, 'close')
  }

  test('the line about listening has the scheme, and what is no request is told with its client', async t => {
    const { cert, key } = makeCertificate(directory, 'server')
    const tls = { 'tls-cert-file': cert, 'tls-key-file': key }
    for (const [scheme, flags, line] of [
      ['http', {}, { code: 'request-malformed', status: 400, msg: 'answered what did not become a request' }],
      ['https', tls, { code: 'ERR_SSL_WRONG_VERSION_NUMBER', status: undefined, msg: 'no TLS handshake' }],
    ] as const) {
      const { broker, log, port } = await start(t, scheme, flags)
      const heard = parsed(log).map(({ msg }) => msg)
      assert.ok(heard.includes(`listen is ${broker.url}`), heard.join('\n'))
      assert.ok(
        heard.includes(`metricsListen is ${new URL(broker.metricsUrl ?? '').origin}`),
        heard.join('\n'),
      )
      assert.ok(broker.url.startsWith(`${scheme}:`))
      await sent(port, 'needle needle needle\r\n\r\n')
      await broker.close()
      const { client, code, status, msg } = parsed(log).at(-1) ?? {}
      assert.deepEqual({ code, status, msg }, line)
      assert.equal(client, '127.0.0.1')
      assert.ok(!log.join('').includes('needle'))
    }
  })

  test('who speaks HTTP to TLS, or TLS to HTTP, is told to', async t => {
    const { cert, key } = makeCertificate(directory, 'spoken')
    const hello = Buffer.from('16030100050100000100', 'hex').toString('latin1')
    for (const [name, flags, bytes, told] of [
      ['to plain', {}, hello, 'answered TLS, where plain HTTP is served'],
      [
        'to TLS',
        { 'tls-cert-file': cert, 'tls-key-file': key },
        'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
        'plain HTTP, where TLS is served',
      ],
    ] as const) {
      const { broker, log, port } = await start(t, name, flags)
      await sent(port, bytes)
      await broker.close()
      assert.equal(parsed(log).at(-1)?.['msg'], told)
    }
  })

  test('connections that are closed are told once a minute, with the limit', async t => {
    const get = 'GET /readyz HTTP/1.1\r\nHost: x\r\n'
    for (const [limit, flags, request] of [
      ['authLimit', { 'auth-limit': '1' }, `${get}Connection: close\r\n\r\n`],
      ['unanswered', {}, `${get}\r\n`.repeat(20)],
    ] as const) {
      const { broker, log, port } = await start(t, limit, flags)
      for (let n = 0; n < 15; n++) await sent(port, request)
      await broker.close()
      const told = parsed(log).filter(({ msg }) => msg === 'connections are closed')
      assert.deepEqual(
        told.map(each => [each['client'], each['limit']]),
        [['127.0.0.1', limit]],
      )
    }
  })
})
