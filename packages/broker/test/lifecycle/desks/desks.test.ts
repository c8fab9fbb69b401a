// Processes that serve beside the one that keeps the door: what a broker decides, counts and tells is the same as in one.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { resolveConfig } from '../../../src/config/resolve.ts'
import type { BrokerConfig } from '../../../src/config/settings.ts'
import { createLogger } from '../../../src/http/logging.ts'
import type { RunningBroker } from '../../../src/lifecycle/broker.ts'
import { temporaryDirectory } from '../../broker.ts'
import { commonName, makeCertificate } from '../certificates.ts'
import { startServing } from '../serving.ts'

const AUTH = JSON.stringify({ version: '0.4.0', tee: 'tdx', 'extra-params': '' })

interface Log {
  readonly lines: Record<string, unknown>[]
}

function settings(flags: Record<string, string>): BrokerConfig {
  return resolveConfig({ flags, env: {}, file: null }).values
}

function start(
  dataDir: string,
  flags: Record<string, string>,
  log: Log = { lines: [] },
): Promise<RunningBroker> {
  const logger = createLogger('info', { write: line => void log.lines.push(JSON.parse(line)) })
  return startServing({ 'data-dir': dataDir, 'server-processes': '2', ...flags }, logger)
}

/** Addresses of one machine; Linux has all of 127.0.0.0/8. */
const client = (n: number) => `127.0.7.${n}`

/** The status of a challenge asked for from an address, over a connection of its own. */
async function challenge(url: string, from: string): Promise<number> {
  const agent = new Agent({ localAddress: from })
  const sent = request(`${url}/kbs/v0/auth`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json' },
  })
  sent.end(AUTH)
  const [answer] = await once(sent, 'response')
  answer.resume()
  await once(answer, 'end')
  agent.destroy()
  return answer.statusCode
}

/** One that nobody has asked after since its end has a state of its own. */
function runs(pid: string): boolean {
  const stat = `/proc/${pid}/stat`
  try {
    return !/\) Z /.test(readFileSync(stat, 'utf8'))
  } catch {
    return false
  }
}

describe('processes that serve', {
  skip: process.platform !== 'linux' && 'only Linux has a network of loopback addresses',
}, () => {
  const directory = temporaryDirectory()
  const log: Log = { lines: [] }
  const processes: ChildProcess[] = []
  const note = (message: unknown) => void processes.push((message as { process: ChildProcess }).process)
  let broker: RunningBroker

  before(async () => {
    subscribe('child_process', note)
    process.env['CASEMATE_KEK_PASSPHRASE'] = 'not for those who open no key file'
    broker = await start(join(directory, 'data'), { 'auth-limit': '5' }, log)
    delete process.env['CASEMATE_KEK_PASSPHRASE']
    unsubscribe('child_process', note)
  })
  after(async () => {
    await broker.close()
    rmSync(directory, { recursive: true })
  })

  const asAdmin = async (path: string, body?: object) => {
    const headers = { authorization: `Bearer ${broker.firstAdminToken}`, 'content-type': 'application/json' }
    const how = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) }
    return fetch(`${broker.url}${path}`, how)
  }

  test('are as many as were asked for, and share the clients', async () => {
    assert.equal(processes.length, 2)
    for (const { pid } of processes) {
      assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /CASEMATE_|not for those/)
    }
    for (let n = 1; n <= 16; n++) assert.equal(await challenge(broker.url, client(n)), 200)
  })

  test('hold a client to what it may do, over however many connections', async () => {
    const statuses = []
    for (let n = 0; n < 7; n++) statuses.push(await challenge(broker.url, client(100)))
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429])
    assert.equal(await challenge(broker.url, client(101)), 200)
  })

  test('are counted together, beside what is counted once', async () => {
    const text = await (await fetch(broker.metricsUrl ?? '')).text()
    const count = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
    assert.equal(count('kbs_auth_requests_total'), 16 + 5 + 1)
    assert.ok(count('casemate_ledger_entries') > 0)
    assert.match(text, /^kbs_build_info\{version="[^"]+"\} 1$/m)
    assert.equal(text.match(/^process_resident_memory_bytes /gm)?.length, 1)
    // As in one process: a name that is missing is a panel or an alert that is.
    const own = new Registry()
    collectDefaultMetrics({ register: own })
    for (const { name } of await own.getMetricsAsJSON())
      assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'))
  })

  test('log by the process that keeps the door', () => {
    const answered = log.lines.filter(({ msg, route }) => msg === 'answered' && route === 'POST /kbs/v0/auth')
    assert.equal(answered.filter(({ status }) => status === 200).length, 22)
    assert.ok(answered.every(line => line['service'] === 'casemate-broker' && typeof line['ms'] === 'number'))
  })

  test('answer an administrator for the log and the keys, and refuse as one process does', async () => {
    const rotated = await asAdmin('/v1/keys/rotate', { key: 'kek' })
    assert.equal(rotated.status, 200)
    const { items } = (await (await asAdmin('/v1/keys')).json()) as { items: Record<string, unknown>[] }
    const kek = items.filter(({ purpose }) => purpose === 'kek').map(({ id, state }) => [id, state])
    assert.deepEqual(kek, [
      ['1', 'previous'],
      ['2', 'current'],
    ])
    const { ledgerIndex } = (await rotated.json()) as { ledgerIndex: number }
    assert.equal((await asAdmin(`/v1/ledger/receipts/${ledgerIndex}`)).status, 200)
    for (const [path, status, code] of [
      ['/v1/ledger/entries/99999', 404, 'entry-missing'],
      ['/v1/secrets/no/such/one', 404, 'secret-missing'],
    ] as const) {
      const answer = await asAdmin(path)
      const { error } = (await answer.json()) as { error: { code: string } }
      assert.deepEqual([answer.status, error.code], [status, code])
    }
    const current = await asAdmin('/v1/keys/retire', { key: 'kek', version: 2 })
    assert.equal(current.status, 409)
  })

  test('end the broker where one of them ends', async () => {
    const [one] = processes
    one?.kill('SIGKILL')
    const failure = await broker.failed
    assert.deepEqual([failure.name, 'code' in failure && failure.code], ['BrokerError', 'internal'])
    // Whoever runs it has not heard of it yet.
    await broker.reload(() => settings({}))
  })
})

describe('connections that make room', {
  skip: process.platform !== 'linux' && 'only Linux has a network of loopback addresses',
}, () => {
  test('are closed by the process that has them', async () => {
    const directory = temporaryDirectory()
    const broker = await start(directory, { 'connection-limit': '6' })
    const port = Number(new URL(broker.url).port)
    const open = async (from: string): Promise<Socket> => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from })
      socket.on('error', () => undefined)
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
      await Promise.race([once(socket, 'data'), once(socket, 'close')])
      return socket
    }
    const flood = []
    for (let n = 0; n < 6; n++) flood.push(await open(client(1)))
    const [oldest] = flood
    const closed = once(oldest!, 'close')
    const newcomer = await open(client(2))
    await closed
    assert.equal(newcomer.closed, false)
    assert.equal(flood.filter(socket => socket.closed).length, 1)
    for (const socket of [...flood, newcomer]) socket.destroy()
    await broker.close()
    rmSync(directory, { recursive: true })
  })
})

test('a broker whose log takes nothing any more closes all the same', async () => {
  const directory = temporaryDirectory()
  const log: Log = { lines: [] }
  const broker = await start(directory, {}, log)
  const attempt = async () => {
    const headers = { authorization: 'Bearer of-nobody', connection: 'close' }
    const answer = await fetch(`${broker.url}/v1/keys`, { headers })
    assert.equal(answer.status, 401)
    await answer.arrayBuffer()
  }
  // The first is recorded at once; those that follow are counted, for the process to record in the end.
  for (let n = 0; n < 3; n++) await attempt()
  rmSync(join(directory, 'lock'))
  await broker.close()
  const told = log.lines.filter(({ msg }) => msg === 'counts of refused attempts could not be recorded')
  assert.equal(told.length, 1)
  rmSync(directory, { recursive: true })
})

test('a start that fails leaves no process behind', async t => {
  const directory = temporaryDirectory()
  const processes: ChildProcess[] = []
  const note = (message: unknown) => void processes.push((message as { process: ChildProcess }).process)
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => {
    taken.close()
    rmSync(directory, { recursive: true })
  })
  subscribe('child_process', note)
  const starting = start(directory, { listen: `127.0.0.1:${(taken.address() as AddressInfo).port}` })
  await assert.rejects(starting, { code: 'address-in-use' })
  unsubscribe('child_process', note)
  assert.deepEqual(
    processes.map(({ signalCode }) => signalCode),
    ['SIGKILL', 'SIGKILL'],
  )
})

test('are gone with the broker that started them, however it ends', {
  skip: process.platform !== 'linux' && 'only Linux tells which they are',
}, async t => {
  const directory = temporaryDirectory()
  const program = fileURLToPath(new URL('../broker-process.ts', import.meta.url))
  const child = spawn(process.execPath, [program, directory, '2'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => rmSync(directory, { recursive: true }))
  await once(child.stdout, 'data')
  const desks = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
  assert.equal(desks.length, 2)
  // As a terminal does, and a supervisor.
  for (const pid of desks) process.kill(Number(pid), 'SIGINT')
  for (const pid of desks) process.kill(Number(pid), 'SIGTERM')
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  assert.deepEqual(await ended, [null, 'SIGKILL'])
  while (desks.some(runs)) await new Promise(resolve => setImmediate(resolve))
})

test('what is read again is read by the processes', async t => {
  const directory = temporaryDirectory()
  const [first, second] = [makeCertificate(directory, 'first'), makeCertificate(directory, 'second')]
  const flags = {
    'data-dir': join(directory, 'data'),
    'tls-cert-file': first.cert,
    'tls-key-file': first.key,
  }
  const broker = await start(join(directory, 'data'), flags)
  t.after(async () => {
    await broker.close()
    rmSync(directory, { recursive: true })
  })
  assert.equal(await commonName(broker.url), 'first')
  await broker.reload(() => settings({ ...flags, 'tls-cert-file': second.cert, 'tls-key-file': second.key }))
  assert.equal(await commonName(broker.url), 'second')
})

test('what a process charges counts where connections are admitted', async t => {
  const directory = temporaryDirectory()
  const { cert, key } = makeCertificate(directory, 'desks')
  // Forty units, of which one that asks nothing over TLS takes twenty.
  const flags = { 'auth-limit': '10', 'tls-cert-file': cert, 'tls-key-file': key }
  const broker = await start(join(directory, 'data'), flags)
  t.after(async () => {
    await broker.close()
    rmSync(directory, { recursive: true })
  })
  const port = Number(new URL(broker.url).port)
  let served = 0
  for (let n = 0; n < 6; n++) {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.on('error', () => undefined)
    socket.on('secureConnect', () => {
      served++
      socket.end()
    })
    await new Promise(resolve => socket.resume().on('close', resolve))
    // Answered by the processes, after what they had to say before.
    await metricsOf(broker)
  }
  assert.equal(served, 2)
})

/** Over TLS, which they have as well. */
function metricsOf({ metricsUrl }: RunningBroker): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = requestTls(metricsUrl ?? '', { rejectUnauthorized: false, agent: false }, answer => {
      answer.resume().on('end', resolve)
    })
    sent.on('error', reject).end()
  })
}
