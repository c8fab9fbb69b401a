// What strangers may cost: connections, requests that do not wait, refusals, bodies in crumbs. What is asserted is what
// was looked at, answered or closed, never how long it took.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { Duplex } from 'node:stream'
import { after, before, describe, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { RawServerDefault } from 'fastify'
import { ClientLimit } from '../../src/client-limit.ts'
import { BrokerError } from '../../src/errors.ts'
import { chargeSilence } from '../../src/http/stranger-allowance.ts'
import { boundUnanswered } from '../../src/http/unanswered.ts'
import { openTestBroker, type TestBroker, temporaryDirectory } from '../broker.ts'
import { makeCertificate } from '../lifecycle/certificates.ts'

const AUTH = '{"version":"0.4.0","tee":"sample","extra-params":""}'

describe('a site of many IPv6 clients', () => {
  const client = (n: number) => `2001:db8:1:${n.toString(16)}::1`
  const newLimit = () => new ClientLimit({ count: 2, windowMs: 60_000, elapsedMs: () => 0 })

  test('may what thirty-two clients may, and leaves others their own', () => {
    const limit = newLimit()
    const taken = Array.from({ length: 100 }, (_, n) => limit.take(client(n))).filter(waitMs => waitMs === 0)
    assert.equal(taken.length, 64)
    for (const other of ['2001:db8:2:1::1', '192.0.2.1']) assert.equal(limit.take(other), 0)
  })

  test('is charged as one', () => {
    const limit = newLimit()
    const within = Array.from({ length: 100 }, (_, n) => limit.charge(client(n), 1)).filter(Boolean)
    assert.equal(within.length, 64)
    assert.equal(limit.charge('2001:db8:2:1::1', 1), true)
  })

  test('has no client that may more than any other', () => {
    const limit = newLimit()
    const taken = Array.from({ length: 5 }, () => limit.take(client(1))).filter(waitMs => waitMs === 0)
    assert.equal(taken.length, 2)
  })
})

describe('requests that do not wait for their answers', () => {
  /** A server of this handler and a connection to it, both gone when the test is over. */
  async function connected(t: TestContext, handler: Parameters<typeof boundUnanswered>[0]) {
    const server = createServer(handler)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => undefined)
    t.after(() => {
      socket.destroy()
      server.close()
      server.closeAllConnections()
    })
    return socket
  }

  test('are handled up to a bound, and beyond it counted and the connection closed', async t => {
    let handled = 0
    const beyond: string[] = []
    const all = Promise.withResolvers<unknown>()
    const bounded = boundUnanswered(
      () => {
        if (++handled === 20) all.resolve(null)
      },
      address => void beyond.push(address),
    )
    const socket = await connected(t, bounded)
    socket.resume().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20))
    await Promise.race([once(socket, 'close'), all.promise])
    assert.deepEqual([handled, beyond], [8, Array.from({ length: 12 }, () => '127.0.0.1')])
  })

  test('are as many as one likes where each waits', async t => {
    const bounded = boundUnanswered(
      (_request, response) => void response.end('x'),
      () => assert.fail('none is beyond'),
    )
    const socket = await connected(t, bounded)
    for (let n = 0; n < 20; n++) {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      await once(socket, 'data')
    }
  })
})

describe('a connection over TLS that asks nothing', () => {
  /** What is charged for connections of one client, of which some have the same port, and all have sent something. */
  function counted() {
    const server = new EventEmitter()
    const charged: string[] = []
    chargeSilence(server as unknown as RawServerDefault, {
      charge: address => charged.push(address) > 0,
    })
    const connected = (localAddress: string) => {
      const ends = {
        remoteAddress: '192.0.2.1',
        remotePort: 1234,
        localAddress,
        localPort: 443,
        bytesRead: 1,
      }
      const socket = Object.assign(new EventEmitter(), ends)
      server.emit('connection', socket)
      return { asks: () => server.emit('request', { socket: ends }), ends: () => socket.emit('close') }
    }
    return { charged, connected }
  }

  test('is told from one at another address of ours', () => {
    const { charged, connected } = counted()
    const [asking, silent] = [connected('10.0.0.1'), connected('10.0.0.2')]
    asking.asks()
    silent.ends()
    asking.ends()
    assert.deepEqual(charged, ['192.0.2.1'])
  })

  test('is charged also where its port comes again before its end is heard of', () => {
    const { charged, connected } = counted()
    const [first, second] = [connected('10.0.0.1'), connected('10.0.0.1')]
    first.ends()
    second.ends()
    assert.equal(charged.length, 2)
  })

  test('is not what its port was before, nor what it is afterwards', () => {
    const { charged, connected } = counted()
    const first = connected('10.0.0.1')
    first.asks()
    const second = connected('10.0.0.1')
    first.ends()
    second.asks()
    second.ends()
    assert.deepEqual(charged, [])
  })
})

describe('an allowance that is used up', () => {
  let broker: TestBroker
  // Twenty units.
  before(async () => {
    broker = await openTestBroker({ flags: { 'auth-limit': '5' } })
    const config = { access: 'public' } as const
    broker.app.get('/fault', { config }, () => Promise.reject(new Error('a fault')))
    broker.app.get('/cut', { config }, () => Promise.reject(new BrokerError('overloaded', 'cut')))
  })
  after(() => broker.close())

  const isClosed = async (method: string, url: string, how: Parameters<TestBroker['send']>[2] = {}) =>
    (await broker.send(method, url, { token: null, ...how })).headers['connection'] === 'close'

  test('ends connections at each refusal and public answer, and not those of administrators', async () => {
    for (let n = 0; n < 20; n++) assert.equal(await isClosed('GET', '/nothing'), false, String(n))
    assert.equal(await isClosed('GET', '/v1/secrets'), true)
    assert.equal(await isClosed('GET', '/healthz'), true)
    assert.equal(await isClosed('GET', '/v1/secrets', { token: broker.admin }), false)
    assert.equal(await isClosed('POST', '/kbs/v0/auth', { payload: AUTH }), false)
    broker.clock = new Date(broker.clock.getTime() + 120_000)
    assert.equal(await isClosed('GET', '/nothing'), false)
  })

  const after2Minutes = () => {
    broker.clock = new Date(broker.clock.getTime() + 120_000)
  }

  test('is used up by as many bytes of refused bodies', async () => {
    after2Minutes()
    const payload = Buffer.alloc(512 * 1024)
    // Seventeen units.
    assert.equal(await isClosed('POST', '/nothing', { payload }), false)
    for (let n = 0; n < 3; n++) assert.equal(await isClosed('GET', '/nothing'), false, String(n))
    assert.equal(await isClosed('GET', '/nothing'), true)
  })

  test('counts as much for a length that nobody would read as for the longest body', async t => {
    // Two hundred units, of which sixty-five are taken, and one by each refusal.
    const other = await openTestBroker({ flags: { 'auth-limit': '50' } })
    t.after(() => other.close())
    const isOver = async (headers: Record<string, string>) =>
      (await other.send('POST', '/nothing', { token: null, headers })).headers['connection'] === 'close'
    await isOver({ 'content-length': '9007199254740991' })
    for (let n = 0; n < 135; n++) assert.equal(await isOver({}), false, String(n))
    assert.equal(await isOver({}), true)
  })

  test('is used up by bodies that were cut, and not by faults of the broker', async () => {
    after2Minutes()
    for (let n = 0; n < 30; n++) assert.equal(await isClosed('GET', '/fault'), false, String(n))
    for (let n = 0; n < 20; n++) assert.equal(await isClosed('GET', '/cut'), false, String(n))
    assert.equal(await isClosed('GET', '/cut'), true)
  })

  test('is used up by a few refused bodies in chunks, by two hundred public answers, and not by attested guests', async () => {
    after2Minutes()
    for (let n = 0; n < 199; n++) assert.equal(await isClosed('GET', '/healthz'), false, String(n))
    for (let n = 0; n < 3; n++) await isClosed('GET', '/healthz')
    assert.equal(await isClosed('GET', '/healthz'), true)
    after2Minutes()
    const chunked = { headers: { 'transfer-encoding': 'chunked' }, payload: '' }
    assert.equal(await isClosed('POST', '/nothing', chunked), true)
    // And all that comes after it: one refusal alone would have left nineteen.
    assert.equal(await isClosed('GET', '/nothing'), true)
  })
})

describe('over TLS, a client that asks nothing', () => {
  const directory = temporaryDirectory()
  after(() => rmSync(directory, { recursive: true }))
  const { cert, key } = makeCertificate(directory, 'silent')

  /** A broker that takes forty units of a client. */
  async function listening(t: TestContext) {
    const flags = { 'auth-limit': '10', 'tls-cert-file': cert, 'tls-key-file': key }
    const broker = await openTestBroker({ flags })
    t.after(() => broker.close())
    await broker.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = broker.app.server.address() as AddressInfo
    const at = { port, host: '127.0.0.1' }
    const taken: Promise<unknown>[] = []
    broker.app.server.on('connection', (socket: Socket) =>
      taken.push(new Promise(resolve => socket.once('close', resolve))),
    )
    return {
      at,
      /** Of so many connections, one after another, how many were taken. */
      ofEight: async (connection: () => Promise<unknown>): Promise<number> => {
        for (let n = 0; n < 8; n++) {
          await connection()
          await Promise.all(taken)
        }
        return taken.length
      },
    }
  }

  const overTls = (at: TcpNetConnectOpts, request: string) => () => {
    const socket = connectTls({ ...at, rejectUnauthorized: false }).on('error', () => undefined)
    socket.once('secureConnect', () => socket.end(request)).resume()
    return new Promise(resolve => socket.on('close', resolve))
  }

  /** Goes as soon as the broker has answered its first message. */
  const brokenOff = (at: TcpNetConnectOpts, hello: Buffer) => () => {
    const socket = connect(at).on('error', () => undefined)
    socket.on('data', () => socket.resetAndDestroy())
    socket.write(hello)
    return new Promise(resolve => socket.on('close', resolve))
  }

  test('counts as twenty that ask', async t => {
    const asks = await listening(t)
    assert.equal(await asks.ofEight(overTls(asks.at, '')), 2)
    const get = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
    for (const expected of ['', 'Expect: 100-continue\r\n', 'Expect: something\r\n']) {
      const { at, ofEight } = await listening(t)
      assert.equal(await ofEight(overTls(at, `${get}${expected}\r\n`)), 8, expected)
    }
  })

  test('counts as many where it breaks the handshake off, and as one where it sends nothing, as balancers do', async t => {
    const { at, ofEight } = await listening(t)
    const silent = () => new Promise(resolve => connect(at).resume().on('close', resolve).end())
    assert.equal(await ofEight(silent), 8)
    assert.equal(await ofEight(brokenOff(at, await firstMessage())), 8 + 2)
  })

  /** Of a TLS client. */
  function firstMessage(): Promise<Buffer> {
    return new Promise(resolve => {
      const below = new Duplex({ read: () => undefined, write: (chunk: Buffer) => resolve(chunk) })
      connectTls({ socket: below })
    })
  }
})

describe('on the wire', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
    await broker.app.listen({ port: 0, host: '127.0.0.1' })
  })
  after(() => broker.close())

  /** All that comes back until the connection is closed, or until `enough` of it is there. */
  async function exchange(request: string | Buffer, enough: RegExp = /\r\n\r\n\{.*\}$/s): Promise<string> {
    const socket = connect((broker.app.server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(request)
    let text = ''
    for await (const data of socket) {
      text += String(data)
      if (enough.test(text)) break
    }
    socket.destroy()
    return text
  }

  const expecting = (path: string, length: number) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`

  test('a body is not asked for where its head is refused', async () => {
    const asked = /^HTTP\/1\.1 100 /
    assert.match(await exchange(expecting('/kbs/v0/auth', AUTH.length), asked), asked)
    for (const [path, length, status] of [
      ['/nothing', 10, 404],
      ['/kbs/v0/attest', 10, 401],
      ['/v1/verify', 10, 401],
      ['/kbs/v0/auth', 1025, 413],
    ] as const) {
      assert.match(await exchange(expecting(path, length)), new RegExp(`^HTTP/1\\.1 ${status} `), path)
    }
  })

  test('a body is not asked for by HTTP/1.0, nor by what else is expected, which is answered as any request', async () => {
    const body = `Content-Type: application/json\r\nContent-Length: ${AUTH.length}\r\n\r\n${AUTH}`
    const expecting = `Host: x\r\nExpect: something\r\n${body}`
    assert.match(await exchange(`POST /kbs/v0/auth HTTP/1.1\r\n${expecting}`), /^HTTP\/1\.1 200 /)
    assert.match(
      await exchange(`POST /nothing HTTP/1.1\r\n${expecting}`),
      /^HTTP\/1\.1 404 [^]*route-missing/,
    )
    const old = `POST /kbs/v0/auth HTTP/1.0\r\nExpect: 100-continue\r\n${body}`
    assert.match(await exchange(old), /^HTTP\/1\.1 200 /)
  })

  const inPieces = (pieces: number) =>
    `POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(pieces)}` +
    `${AUTH.length.toString(16)}\r\n${AUTH}\r\n0\r\n\r\n`

  test('a body in crumbs is cut, and one in a few pieces is read', async () => {
    assert.match(await exchange(inPieces(60)), /^HTTP\/1\.1 200 /)
    const cut = await exchange(inPieces(70))
    assert.match(cut, /^HTTP\/1\.1 413 /)
    assert.match(cut, /"detail":"request-too-complex: the body comes in too many pieces/)
    assert.match(cut, /\r\nconnection: close\r\n/)
  })

  test('a refused body is dropped up to a bound, beyond which the connection ends', async () => {
    const head = (length: number) => `POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`
    assert.match(await exchange(head(524_288)), /\r\nConnection: keep-alive\r\n/)
    assert.match(await exchange(head(524_289)), /\r\nconnection: close\r\n/)
  })

  test('what is packed is not unpacked, whichever route it is for', async () => {
    for (const [method, url] of [
      ['POST', '/kbs/v0/auth'],
      ['PUT', '/v1/secrets/a/b/c'],
      ['POST', '/v1/verify'],
    ] as const) {
      const headers = { 'content-encoding': 'gzip', 'content-type': 'application/json' }
      const { status, text } = await broker.send(method, url, { headers, payload: AUTH })
      assert.equal(status, 415, text)
      const plain = await broker.send(method, url, {
        headers: { ...headers, 'content-encoding': 'identity' },
        payload: AUTH,
      })
      assert.notEqual(plain.status, 415)
    }
  })

  test('an attestation has 1.75 MiB, and less where the broker takes less', async () => {
    const session = async () => {
      const { headers } = await broker.send('POST', '/kbs/v0/auth', { token: null, payload: AUTH })
      return { cookie: String(headers['set-cookie']).split(';')[0] ?? '' }
    }
    for (const [length, code] of [
      [1_835_008, 'request-malformed'],
      [1_835_009, 'request-too-large'],
    ] as const) {
      const how = { token: null, headers: await session(), payload: `"${'A'.repeat(length - 2)}"` }
      const { body } = await broker.send('POST', '/kbs/v0/attest', how)
      assert.match(body.detail, new RegExp(`^${code}: `))
    }
  })

  test('attestations without a session that can be answered are counted', async () => {
    await broker.context.counted.flush()
    const { length } = await broker.entries('attestation.refused')
    const { headers } = await broker.send('POST', '/kbs/v0/auth', { token: null, payload: AUTH })
    const cookie = String(headers['set-cookie']).split(';')[0] ?? ''
    for (const headers of [{ cookie }, { cookie }, { cookie }, {}]) {
      await broker.send('POST', '/kbs/v0/attest', { token: null, headers, payload: '{}' })
    }
    await broker.context.counted.flush()
    const counted = (await broker.entries('attestation.refused'))
      .slice(length)
      .filter(({ count }) => count !== undefined)
      .map(({ code, client, count }) => [code, client, count])
    assert.deepEqual(counted, [
      ['session-invalid', '127.0.0.1', 2],
      ['session-missing', '127.0.0.1', 1],
    ])
  })
})
