// What one client wins by two desks: two connections behind a trusted proxy, which go to two of them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { temporaryDirectory } from '../../broker.ts'
import { Guest, type GuestOptions } from '../../kbs/guest.ts'
import { GUEST_KEYS, type GuestKey } from '../../kbs/guest-jwe.ts'
import { LENIENT } from '../../kbs/harness.ts'
import { startServing } from '../serving.ts'

interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload?: string
}

/** One connection that stays open, asked as an app is in a test. */
function connection(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const inject = async ({ method, url: path, headers, payload }: Sent) => {
    const all = { ...headers, 'x-forwarded-for': '192.0.2.1' }
    const sent = request(`${url}${path}`, { method, agent, headers: all })
    sent.end(payload)
    const [answer] = await once(sent, 'response')
    let text = ''
    for await (const part of answer) text += String(part)
    return { statusCode: answer.statusCode, headers: answer.headers, payload: text }
  }
  return { app: { inject } as unknown as GuestOptions['app'], end: () => agent.destroy() }
}

async function start(dataDir: string, limit: string) {
  const broker = await startServing({
    'data-dir': dataDir,
    'server-processes': '2',
    'trusted-proxies': '127.0.0.1',
    'auth-limit': limit,
  })
  const headers = { authorization: `Bearer ${broker.firstAdminToken}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ ...LENIENT, kinds: ['sample'] })
  const put = await fetch(`${broker.url}/v1/policies/default`, { method: 'PUT', headers, body })
  assert.ok(put.ok, await put.text())
  return broker
}

/** Of the key that a token is for. */
function attestedKey(token: string): unknown {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  return claims.submods.cpu0['ear.veraison.annotated-evidence'].runtime_data_claims['tee-pubkey']
}

test('a challenge that comes to two desks at once is answered by one of them, for the key that came there', async t => {
  const directory = temporaryDirectory()
  const broker = await start(directory, '100')
  const [first, second] = [connection(broker.url), connection(broker.url)]
  t.after(async () => {
    first.end()
    second.end()
    await broker.close()
    rmSync(directory, { recursive: true })
  })
  const guest = ({ app }: typeof first, key: GuestKey) =>
    new Guest({
      app,
      key,
      tee: 'sample',
      evidence: (_, digest) => ({ svn: '1', report_data: digest.toString('base64') }),
    })
  // The proxy's second connection comes while the first is open, and goes to the desk that has none.
  for (let n = 0; n < 4; n++) {
    const [one, other] = [guest(first, GUEST_KEYS['P-256']()), guest(second, GUEST_KEYS['P-256']())]
    assert.equal((await one.auth()).status, 200)
    assert.equal((await other.auth()).status, 200)
    // Who has read the cookie has evidence of its own for it.
    const { cookie } = one
    Object.assign(other, { cookie, nonce: one.nonce, hash: one.hash })
    const answers = await Promise.all([one.attest(), other.attest()])
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b)
    assert.deepEqual(statuses, [200, 401])
    const [winner, loser] = answers[0].status === 200 ? [one, other] : [other, one]
    const lost = answers.find(({ status }) => status === 401)
    // By the record: a desk that had seen the challenge itself would say less.
    assert.match(lost?.body.detail ?? '', /^session-invalid: .*, or ended long ago/)
    assert.deepEqual([loser.token, loser.cookie], ['', cookie])
    assert.deepEqual(attestedKey(winner.token), winner.options.key.jwk)
    // Nor afterwards, at either.
    const attested = winner.cookie
    for (const again of [one, other]) {
      for (const replayed of [cookie, attested]) {
        again.cookie = replayed
        assert.match((await again.attest()).body.detail, /^session-invalid: /)
      }
    }
  }
})

test('a client behind a proxy may do at each desk what it may, and no more', async t => {
  const directory = temporaryDirectory()
  const broker = await start(directory, '3')
  const connections = [connection(broker.url), connection(broker.url)]
  t.after(async () => {
    for (const { end } of connections) end()
    await broker.close()
    rmSync(directory, { recursive: true })
  })
  const guests = connections.map(
    ({ app }) => new Guest({ app, key: GUEST_KEYS['P-256'](), tee: 'sample', evidence: () => ({}) }),
  )
  const statuses: number[] = []
  for (let n = 0; n < 4; n++) for (const guest of guests) statuses.push((await guest.auth()).status)
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 429, 429])
})
