// Over real sockets: TLS and its renewal, limits, shutdown, and what a killed process leaves.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fastify } from 'fastify'
import { resolveConfig } from '../../src/config/resolve.ts'
import type { RunningBroker } from '../../src/lifecycle/broker.ts'
import { listen } from '../../src/lifecycle/listening.ts'
import { temporaryDirectory } from '../broker.ts'
import { commonName, makeCertificate } from './certificates.ts'
import { startServing } from './serving.ts'

/** What clients meet is the same, whichever processes serve them. */
const PROCESSES = ['0', '1'] as const

type Start = (dataDir: string, flags?: Record<string, string>) => Promise<RunningBroker>

const startWith =
  (processes: string): Start =>
  (dataDir, flags = {}) =>
    startServing({ 'data-dir': dataDir, 'server-processes': processes, ...flags })

/** Asks again for half a minute, so that a busy machine has time for it. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    if (await holds()) return
    await sleep(20)
  }
  assert.fail('it did not come about')
}

/** Sends the beginning of a request with a body, and waits until the broker has it and asks for the rest. */
async function begin(url: string, head: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`${head}\r\nHost: x\r\nExpect: 100-continue\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1.1 100 /)
  return socket
}

describe('starting', () => {
  const start = startWith('0')
  const directory = temporaryDirectory()
  after(() => rmSync(directory, { recursive: true }))

  test('beyond loopback there is no broker without it', async () => {
    for (const flags of [
      { listen: '0.0.0.0:0' },
      { 'metrics-listen': '[::]:0' },
      { listen: 'example.org:0' },
    ]) {
      await assert.rejects(start(join(directory, 'open'), flags), { code: 'tls-required' })
    }
  })

  test('files that are no certificate and its key keep it from starting', async () => {
    const [one, two] = [makeCertificate(directory, 'one'), makeCertificate(directory, 'two')]
    const bad = join(directory, 'bad.pem')
    writeFileSync(bad, 'not PEM')
    for (const [cert, key] of [
      [one.cert, two.key],
      [bad, one.key],
      [one.cert, join(directory, 'none')],
    ]) {
      const flags = { 'tls-cert-file': cert!, 'tls-key-file': key! }
      await assert.rejects(start(join(directory, 'bad-tls'), flags), { code: 'tls-invalid' })
    }
    await assert.rejects(start(join(directory, 'bad-tls'), { 'tls-cert-file': one.cert }), {
      code: 'config-conflict',
    })
  })

  test('an address that is not of this machine is said to be none', async () => {
    const { values } = resolveConfig({ flags: {}, env: {}, file: null })
    // A documentation address (RFC 5737), which no machine has.
    const config = { ...values, listen: { host: '192.0.2.1', port: 0 } }
    await assert.rejects(listen(fastify(), 'listen', config), { code: 'address-unusable' })
  })

  test('a second broker on the same data is refused, on the same address too', async () => {
    const running = await start(join(directory, 'data'))
    await assert.rejects(start(join(directory, 'data')), { code: 'data-directory-in-use' })
    const taken = new URL(running.url).host
    await assert.rejects(start(join(directory, 'other'), { listen: taken }), {
      code: 'address-in-use',
      hint: 'choose another address with --listen',
    })
    await assert.rejects(start(join(directory, 'other'), { 'metrics-listen': taken }), {
      code: 'address-in-use',
      message: /\(metricsListen\)/,
      hint: 'choose another address with --metrics-listen, or turn metrics off with --metrics-listen off',
    })
    const mended = await start(join(directory, 'other'))
    assert.match(mended.firstAdminToken ?? '', /^cmt_/, 'a start that failed made no token')
    await mended.close()
    await running.close()
  })

  test('a lost token is made good for by one more, of which the ledger knows', async () => {
    const first = await start(join(directory, 'lost'))
    await first.close()
    const again = await start(join(directory, 'lost'))
    assert.equal(again.firstAdminToken, null)
    const headers = { authorization: `Bearer ${await again.issueAdminToken()}` }
    const answer = await fetch(`${again.url}/v1/ledger/entries?order=desc&limit=10`, { headers })
    const { items } = (await answer.json()) as { items: { entry: Record<string, unknown> }[] }
    const made = items.map(({ entry }) => entry).find(({ type }) => type === 'token.created')
    assert.equal(made?.['name'], 'recovered')
    assert.deepEqual(made?.['actor'], { system: 'start' })
    await again.close()
  })
})

for (const processes of PROCESSES)
  describe(`TLS, served by ${processes} processes beside the one that admits`, () => {
    const start = startWith(processes)
    const directory = temporaryDirectory()
    after(() => rmSync(directory, { recursive: true }))

    test('serves the certificate of the files, and a new one when they change, but none that does not fit', async () => {
      const [first, second] = [makeCertificate(directory, 'first'), makeCertificate(directory, 'second')]
      const files = { 'tls-cert-file': first.cert, 'tls-key-file': first.key, 'tls-reload-interval': '20ms' }
      const broker = await start(join(directory, 'data'), files)
      try {
        assert.match(broker.url, /^https:/)
        assert.match(broker.metricsUrl ?? '', /^https:/)
        assert.equal(await commonName(broker.url), 'first')
        renameSync(second.cert, first.cert)
        await sleep(80)
        assert.equal(await commonName(broker.url), 'first', 'a certificate without its key is not served')
        renameSync(second.key, first.key)
        await eventually(async () => (await commonName(broker.url)) === 'second')
        assert.equal(await commonName(broker.metricsUrl ?? ''), 'second')
      } finally {
        await broker.close()
      }
    })

    // Node's own time for a handshake is two minutes.
    test('a handshake that does not begin is given up as a request is', { timeout: 60_000 }, async () => {
      const { cert, key } = makeCertificate(directory, 'waiting')
      const files = { 'tls-cert-file': cert, 'tls-key-file': key, 'request-timeout': '1s' }
      const broker = await start(join(directory, 'waiting-data'), files)
      try {
        const socket = connect(Number(new URL(broker.url).port), '127.0.0.1').resume()
        socket.on('error', () => undefined)
        await once(socket, 'close')
      } finally {
        await broker.close()
      }
    })
  })

for (const processes of PROCESSES)
  describe(`listening, served by ${processes} processes beside the one that admits`, () => {
    const start = startWith(processes)
    const directory = temporaryDirectory()
    let broker: RunningBroker

    before(async () => {
      broker = await start(join(directory, 'data'), {
        'header-limit': '8KiB',
        'connection-limit': '20',
      })
    })

    after(async () => {
      await broker.close()
      rmSync(directory, { recursive: true })
    })

    const open = (): Socket => connect(Number(new URL(broker.url).port), '127.0.0.1')

    async function exchange(request: string): Promise<string> {
      const socket = open()
      socket.end(request)
      const chunks: Buffer[] = []
      for await (const chunk of socket) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks).toString()
    }

    test('metrics are on their own address only', async () => {
      assert.equal((await fetch(broker.metricsUrl!)).status, 200)
      assert.equal((await fetch(`${broker.url}/metrics`)).status, 404)
      assert.equal((await fetch(new URL('/v1/info', broker.metricsUrl!))).status, 404)
    })

    test('a head over the limit, and what is no HTTP, get a JSON body and the door', async () => {
      const large = await exchange(`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9000)}\r\n\r\n`)
      assert.match(large, /^HTTP\/1.1 431 /)
      assert.match(large, /"code":"headers-too-large"/)
      assert.match(large, /"type":"https:[^"]+\/HTTPFailed","detail":"headers-too-large: /)
      const junk = await exchange('\x16\x03\x01 hello\r\n\r\n')
      assert.match(junk, /^HTTP\/1.1 400 /)
      assert.match(junk, /"code":"request-malformed"/)
      const smuggled = await exchange(
        'POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      )
      assert.match(smuggled, /^HTTP\/1.1 400 /)
    })

    test('a request that does not arrive in time is given up', async () => {
      const other = await start(join(directory, 'slow'), { 'request-timeout': '1s' })
      const head = 'POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\n'
      for (const begun of [head, `${head}Content-Length: 100\r\n\r\n{`]) {
        const socket = connect(Number(new URL(other.url).port), '127.0.0.1')
        socket.write(begun)
        const [answer] = (await once(socket, 'data')) as [Buffer]
        assert.match(answer.toString(), /^HTTP\/1.1 408 /)
        assert.match(answer.toString(), /"detail":"request-timeout: /)
        assert.match(answer.toString(), /\r\nconnection: close\r\n/i)
      }
      await other.close()
    })

    /** How many of so many connections, open at once, are closed without an answer. */
    const closedOf = async (count: number, port: number): Promise<number> => {
      const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'))
      const answered = await Promise.all(
        sockets.map(socket => {
          socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
          return new Promise<boolean>(resolve => {
            socket.on('data', () => resolve(true)).on('error', () => undefined)
            socket.on('close', () => resolve(false))
          })
        }),
      )
      for (const socket of sockets) socket.destroy()
      return answered.filter(one => !one).length
    }

    test('one client has its share of the connections and no more, and gets it again once they are closed', async () => {
      for (const [name, flags, closed] of [
        ['share', {}, 5],
        ['proxied', { 'trusted-proxies': '127.0.0.0/8' }, 0],
      ] as const) {
        const other = await start(join(directory, name), { 'client-connection-limit': '10', ...flags })
        const port = Number(new URL(other.url).port)
        assert.equal(await closedOf(15, port), closed)
        await eventually(async () => (await closedOf(15, port)) === closed)
        await other.close()
      }
    })

    test('one client opens so many connections a minute and no more, also where it closes each', async () => {
      const other = await start(join(directory, 'fresh'), { 'auth-limit': '5' })
      const port = Number(new URL(other.url).port)
      let closed = 0
      for (let n = 0; n < 25; n++) closed += await closedOf(1, port)
      // Twenty units: one for each connection, a tenth for the answer of a public route.
      await other.close()
      assert.equal(closed, 25 - 18)
    })

    test('connections beyond the limit are not served, whoever they are from', async () => {
      const other = await start(join(directory, 'full'), { 'connection-limit': '20' })
      const port = Number(new URL(other.url).port)
      assert.ok((await closedOf(40, port)) >= 20)
      await other.close()
    })
  })

for (const processes of PROCESSES)
  describe(`shutting down, served by ${processes} processes beside the one that admits`, () => {
    const start = startWith(processes)
    test('waits for a request that is under way, refuses new ones, and may be asked for twice', async () => {
      const directory = temporaryDirectory()
      const broker = await start(directory)
      const token = broker.firstAdminToken
      const head = `PUT /v1/secrets/a/b/c HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nContent-Length: 2`
      const socket = await begin(broker.url, head)
      const closing = broker.close()
      await eventually(() =>
        fetch(`${broker.url}/healthz`).then(
          () => false,
          () => true,
        ),
      )
      socket.write('xy')
      const [answer] = (await once(socket, 'data')) as [Buffer]
      assert.match(answer.toString(), /^HTTP\/1.1 201 /)
      await Promise.all([closing, broker.close()])
      rmSync(directory, { recursive: true })
    })

    test('cuts a request that outlasts the grace', async () => {
      const directory = temporaryDirectory()
      const broker = await start(directory, { 'shutdown-grace': '50ms' })
      const socket = await begin(broker.url, 'POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: 2')
      const closed = once(socket, 'close')
      await broker.close()
      await closed
      rmSync(directory, { recursive: true })
    })
  })

for (const processes of PROCESSES)
  describe(`kill -9, served by ${processes} processes beside the one that admits`, () => {
    const directory = temporaryDirectory()
    after(() => rmSync(directory, { recursive: true }))

    async function spawnBroker(): Promise<{ child: ChildProcess; url: string; token: string | null }> {
      const program = fileURLToPath(new URL('broker-process.ts', import.meta.url))
      const child = spawn(process.execPath, [program, directory, processes], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      return { child, ...JSON.parse(line.toString()) }
    }

    test('loses no put that was acknowledged, and frees the data directory', async () => {
      const rounds = process.env['CASEMATE_LONG_TESTS'] === undefined ? 2 : 20
      let token: string | null = null
      const acknowledged = new Set<string>()
      for (let round = 0; round < rounds; round++) {
        const { child, url, token: made } = await spawnBroker()
        token ??= made
        const headers = { authorization: `Bearer ${token}` }
        const putAll = async (lane: number) => {
          for (let n = 0; ; n++) {
            const tag = `r${round}-${lane}-${n}`
            const { status } = await fetch(`${url}/v1/secrets/kill/t/${tag}`, {
              method: 'PUT',
              headers,
              body: tag,
            })
            if (status !== 201) throw new Error(`status ${status}`)
            acknowledged.add(tag)
          }
        }
        const lanes = Array.from({ length: 8 }, (_, lane) => putAll(lane).catch(() => undefined))
        const before = acknowledged.size
        await eventually(async () => acknowledged.size > before + 10)
        setTimeout(() => child.kill('SIGKILL'), 7 * round)
        await once(child, 'exit')
        await Promise.all(lanes)
      }
      const { child, url } = await spawnBroker()
      const found = new Set<string>()
      let cursor: string | null = ''
      while (cursor !== null) {
        const query: string = cursor === '' ? '' : `&cursor=${cursor}`
        const answer = await fetch(`${url}/v1/secrets?limit=500${query}`, {
          headers: { authorization: `Bearer ${token}` },
        })
        const page = (await answer.json()) as { items: { path: string }[]; next: string | null }
        for (const { path } of page.items) found.add(path.split('/')[2]!)
        cursor = page.next
      }
      const lost = [...acknowledged].filter(tag => !found.has(tag))
      assert.ok(acknowledged.size > 10, `${acknowledged.size} acknowledged`)
      assert.deepEqual(lost, [])
      child.kill('SIGKILL')
      await once(child, 'exit')
    })
  })
