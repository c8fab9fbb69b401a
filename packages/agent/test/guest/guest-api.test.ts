// The guest API's server with an agent that is none: who is answered, and what.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { BrokerRefusal, Unavailable } from '@casemate/client'
import { type GuestApi, serveGuestApi } from '../../src/guest/guest-api.ts'
import type { GuestRoutes } from '../../src/guest/guest-routes.ts'

const SECRETS: Readonly<Record<string, Uint8Array | Error>> = {
  'default/key/1': new Uint8Array([0, 255, 10]),
  'default/key/denied': new BrokerRefusal('release-denied', 'not released', { status: 403 }),
  'default/key/away': new Unavailable('unreachable', 'no broker answers'),
}

const ROUTES: GuestRoutes = {
  agent: {
    attester: {
      tee: 'tdx',
      evidence: async reportData => ({ reportData: Buffer.from(reportData).toString('hex') }),
      additionalEvidence: '{"x":1}',
    },
    getSecret: async path => {
      asked.push(path)
      const secret = SECRETS[path]
      if (secret instanceof Uint8Array) return secret
      throw secret ?? new Error('unexpected')
    },
  },
  tokens: { get: async () => ({ token: 'a.b.c', pem: '-----BEGIN PRIVATE KEY-----\n' }) },
  feature: 'all',
  allowed: path => path !== 'default/key/other',
  version: '0.1.0',
  simulated: false,
}

const asked: string[] = []
const apis: GuestApi[] = []

const OWN = { routes: ROUTES, port: 0, clients: 'own', note: () => undefined } as const

async function open(routes: Partial<GuestRoutes> = {}, clients: 'own' | 'any' = 'own'): Promise<GuestApi> {
  const api = await serveGuestApi({ ...OWN, routes: { ...ROUTES, ...routes }, clients })
  apis.push(api)
  return api
}

after(async () => {
  for (const api of apis) await api.close()
})

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

const OTHER_USER = 65_534

/** Runs a script as another user, and gives what it prints. */
function asUser(uid: number, script: string): Promise<string> {
  return new Promise(resolve => {
    execFile(process.execPath, ['-e', script], { uid, cwd: '/', env: {} }, (_error, stdout, stderr) =>
      resolve((stdout + stderr).trim()),
    )
  })
}

interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** `fetch` sets headers of its own. */
function ask(api: GuestApi, path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
  const { port } = new URL(api.url)
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          type: response.headers['content-type'],
          text: Buffer.concat(chunks).toString('latin1'),
          headers: response.headers,
        }),
      )
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

describe('what Confidential Containers’ API answers', () => {
  let api: GuestApi
  before(async () => {
    api = await open()
  })

  const answers: readonly (readonly [string, string, number, string | RegExp])[] = [
    ['GET', '/cdh/resource/default/key/1', 200, '\u0000\u00ff\n'],
    ['GET', '/cdh/resource/default/key/denied', 500, 'release-denied: not released'],
    ['GET', '/cdh/resource/default/key/away', 503, 'unreachable: no broker answers'],
    ['GET', '/cdh/resource/default/key/other', 403, 'Forbidden'],
    ['GET', '/cdh/resource/default/key', 400, 'BAD REQUEST'],
    ['GET', '/cdh/resource/default/key/1/2', 400, 'BAD REQUEST'],
    ['GET', '/cdh/resource/default/../1', 400, 'BAD REQUEST'],
    ['GET', '/cdh/resource/default/key/%31', 400, 'BAD REQUEST'],
    ['GET', '/cdh/resource//default/key', 400, 'BAD REQUEST'],
    ['POST', '/cdh/resource/default/key/1', 405, 'Method Not Allowed'],
    ['DELETE', '/cdh/resource/default/key/1', 405, 'Method Not Allowed'],
    ['GET', '/cdh/other/default/key/1', 404, 'URL NOT FOUND'],
    ['GET', '/', 404, 'URL NOT FOUND'],
    [
      'GET',
      '/aa/token?token_type=kbs',
      200,
      '{"token":"a.b.c","tee_keypair":"-----BEGIN PRIVATE KEY-----\\n"}',
    ],
    ['GET', '/aa/token?token_type=coco_as', 200, 'a.b.c'],
    ['GET', '/aa/token?token_type=other', 400, 'BAD REQUEST'],
    ['GET', '/aa/token', 400, 'BAD REQUEST'],
    ['POST', '/aa/token?token_type=kbs', 405, 'Method Not Allowed'],
    ['GET', '/aa/evidence?runtime_data=xxxx', 200, `{"reportData":"78787878${'00'.repeat(60)}"}`],
    [
      'GET',
      '/aa/evidence?runtime_data=cmVwb3J0&encoding=base64',
      200,
      `{"reportData":"7265706f7274${'00'.repeat(58)}"}`,
    ],
    ['GET', '/aa/evidence?runtime_data=a%2Bb+c', 200, `{"reportData":"612b622063${'00'.repeat(59)}"}`],
    ['GET', `/aa/evidence?runtime_data=${'x'.repeat(64)}`, 200, `{"reportData":"${'78'.repeat(64)}"}`],
    ['GET', `/aa/evidence?runtime_data=${'x'.repeat(65)}`, 400, 'BAD REQUEST'],
    ['GET', '/aa/evidence?runtime_data=data&encoding=hex', 400, 'BAD REQUEST'],
    ['GET', '/aa/evidence?runtime_data=!!!&encoding=base64', 400, 'BAD REQUEST'],
    ['GET', '/aa/evidence', 400, 'BAD REQUEST'],
    ['GET', '/aa/additional-evidence?runtime_data=x', 200, '{"x":1}'],
    ['GET', '/aa/aael', 405, 'Method Not Allowed'],
    ['POST', '/aa/aael', 400, 'BAD REQUEST'],
    ['GET', '/aa/nothing', 404, 'URL NOT FOUND'],
    ['GET', '/info', 200, '{"version":"casemate 0.1.0","tee":"tdx","additional_tees":[],"feature":"all"}'],
    ['POST', '/info', 405, 'Method Not Allowed'],
    ['OPTIONS', '/info', 405, 'Method Not Allowed'],
  ]

  for (const [method, path, status, text] of answers) {
    test(`${method} ${path.slice(0, 60)} is ${status}`, async () => {
      const answer = await ask(api, path, { method })
      assert.equal(answer.text, text)
      assert.equal(answer.status, status)
      if (status === 200)
        assert.equal(answer.type, path === '/info' ? 'application/json' : 'application/octet-stream')
    })
  }

  test('a secret that is not allowed is not even asked for', async () => {
    asked.length = 0
    await ask(api, '/cdh/resource/default/key/other')
    await ask(api, '/cdh/resource/default/key/1')
    assert.deepEqual(asked, ['default/key/1'])
  })

  test('an event for a register that cannot be extended is told so', async () => {
    const event = { domain: 'd', operation: 'o', content: 'c' }
    const told = await ask(api, '/aa/aael', { method: 'POST', body: JSON.stringify(event) })
    assert.deepEqual([told.status, JSON.parse(told.text).success], [200, 'false'])
    for (const body of [
      '{',
      '[]',
      'null',
      '{"domain":"d","operation":"o"}',
      '{"domain":1,"operation":"o","content":"c"}',
    ]) {
      assert.equal((await ask(api, '/aa/aael', { method: 'POST', body })).status, 400, body)
    }
    const large = JSON.stringify({ ...event, content: 'x'.repeat(70_000) })
    assert.equal((await ask(api, '/aa/aael', { method: 'POST', body: large })).status, 413)
  })
})

describe('who is answered', () => {
  test('no web page: not under another name, nor from another origin', async () => {
    const api = await open()
    const { port } = new URL(api.url)
    const status = async (headers: Record<string, string>): Promise<unknown> =>
      (await ask(api, '/info', { headers })).status
    assert.equal(await status({ host: `LocalHost:${port}` }), 200)
    for (const host of [
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${Number(port) + 1}`,
      `[::1]:${port}`,
    ]) {
      assert.equal(await status({ host }), 403, host)
    }
    assert.equal(await status({ origin: 'http://evil.example' }), 403)
    assert.equal(await status({ origin: 'null' }), 403)
    assert.equal(await status({ 'sec-fetch-site': 'cross-site' }), 403)
    // Node's own fetch says this of itself.
    assert.equal(await status({ 'sec-fetch-mode': 'cors' }), 200)
    assert.equal((await fetch(`${api.url}/info`)).status, 200)
  })

  test('nothing that a browser may show to a page, or keep', async () => {
    const { headers } = await ask(await open(), '/info')
    assert.equal(headers['access-control-allow-origin'], undefined)
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
    assert.equal(headers['cache-control'], 'no-store')
  })

  test('another user of this machine is refused, unless all are welcome', async t => {
    if (process.getuid?.() !== 0) return t.skip('only root can be somebody else')
    const [own, any] = [await open(), await open({}, 'any')]
    const run = (api: GuestApi, uid: number): Promise<string> =>
      asUser(uid, `fetch('${api.url}/cdh/resource/default/key/1').then(answer => console.log(answer.status))`)
    assert.deepEqual(await Promise.all([run(own, 0), run(own, OTHER_USER), run(any, OTHER_USER)]), [
      '200',
      '403',
      '200',
    ])
  })

  test('not more at a time than can be served; the next is told so at once', async () => {
    const answers = Promise.withResolvers<Uint8Array>()
    const full = Promise.withResolvers<undefined>()
    let waiting = 0
    const agent = {
      ...ROUTES.agent,
      getSecret: () => {
        waiting += 1
        if (waiting === 32) full.resolve(undefined)
        return answers.promise
      },
    }
    const api = await open({ agent })
    const asking = Array.from({ length: 32 }, () => ask(api, '/cdh/resource/default/key/1'))
    await full.promise
    assert.equal((await ask(api, '/cdh/resource/default/key/1')).status, 503)
    answers.resolve(new Uint8Array(1))
    for (const one of asking) assert.equal((await one).status, 200)
    assert.equal((await ask(api, '/cdh/resource/default/key/1')).status, 200)
  })

  test('another user’s connections keep nobody out', async t => {
    if (process.getuid?.() !== 0) return t.skip('only root can be somebody else')
    // So long that they are not ended because their request takes too long.
    const api = await serveGuestApi({ ...OWN, headTimeoutMs: 3_600_000 })
    apis.push(api)
    const { port } = new URL(api.url)
    const holding = asUser(
      OTHER_USER,
      `let open = 200
      for (let index = 0; index < 200; index += 1) {
        const socket = require('node:net').connect(${port}, '127.0.0.1')
        socket.on('error', () => undefined)
        socket.on('close', () => (open -= 1) === 0 && console.log('closed'))
      }`,
    )
    assert.equal(await holding, 'closed')
    assert.equal((await ask(api, '/info')).status, 200)
  })

  test('it listens on this machine alone', async t => {
    const api = await open()
    const { port } = new URL(api.url)
    const { status, stdout } = spawnSync('hostname', ['-I'], { encoding: 'utf8' })
    const address = stdout?.split(' ').find(one => /^\d+\.\d+\.\d+\.\d+$/.test(one))
    if (status !== 0 || address === undefined) return t.skip('no other address is known')
    const reached = await new Promise<boolean>(resolve => {
      const socket = connect(Number(port), address)
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    assert.equal(reached, false)
  })

  test('a port that is in use is named', async () => {
    const { port } = new URL((await open()).url)
    const taken = serveGuestApi({ ...OWN, port: Number(port) })
    // `run` has no --port, and `agent` no other flag for it: the hint is for both.
    await assert.rejects(taken, { code: 'address-in-use', hint: 'another port; 0 lets the system choose' })
  })
})

test('that all connections are taken is told, and not again before many are free', async () => {
  const notes: string[] = []
  const api = await serveGuestApi({ ...OWN, clients: 'any', note: line => notes.push(line) })
  apis.push(api)
  const fill = async (): Promise<readonly Socket[]> => {
    const sockets = Array.from({ length: 130 }, () => connect(Number(new URL(api.url).port), '127.0.0.1'))
    await Promise.all(
      sockets.slice(128).map(socket => once(socket.on('error', () => undefined).resume(), 'close')),
    )
    return sockets
  }
  const sockets = await fill()
  assert.deepEqual(notes, ['connections-full: all 128 connections of the guest API are taken'])
  await Promise.all(sockets.slice(0, 128).map(socket => once(socket.destroy(), 'close')))
  // The server hears of each end in a turn of its own.
  for (let turn = 0; turn < 1_000; turn++) await setImmediate()
  for (const socket of await fill()) socket.destroy()
  assert.equal(notes.length, 2)
})

test('what is not served is said in the API’s words', async () => {
  const resource = await open({ feature: 'resource', simulated: true })
  assert.equal((await ask(resource, '/aa/token?token_type=kbs')).text, 'Attestation Feature Not Enabled')
  assert.equal((await ask(resource, '/aa/evidence?runtime_data=x')).status, 404)
  assert.deepEqual(JSON.parse((await ask(resource, '/info')).text), {
    version: 'casemate 0.1.0',
    additional_tees: [],
    feature: 'resource',
    simulated: true,
  })
  const attestation = await open({ feature: 'attestation' })
  const refused = await ask(attestation, '/cdh/resource/default/key/1')
  assert.deepEqual([refused.status, refused.text], [404, 'Resource Feature Not Enabled'])
})

test('a request that never ends, or is too large, costs a bounded time and no memory', async () => {
  const api = await open()
  const long = await ask(api, `/aa/evidence?runtime_data=${'x'.repeat(20_000)}`)
  assert.equal(long.status, 431)
})
