// A listener among hostile clients: none of them ends it, takes more than its share, or changes what it demands.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket, Server as TcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { createIntelPlatform } from '@casemate/simulator'
import type { Credentials } from '../../src/identity/credentials.ts'
import {
  type AttestedConnection,
  type AttestedListener,
  CHANNEL_PROTOCOL,
  type ChannelError,
  type ChannelErrorCode,
  connectAttested,
  DEFAULT_HANDSHAKE_TIMEOUT_MS,
} from '../../src/index.ts'
import { encodeFrame, FRAME } from '../../src/session/frames.ts'
import { encodeHello } from '../../src/session/hello.ts'
import {
  identityOf,
  intelMachine,
  LAPTOP,
  listenerOf,
  machineOf,
  rejectsCode,
  timersOf,
} from '../fixtures.ts'
import { soon } from '../soon.ts'
import { CACHED, framesOf, refusalOf, rogueClient, sendHello } from './rogue.ts'

const tls = ({ certificatePem: cert, keyPem: key }: Credentials) => ({ cert, key })

/** Codes in the order in which a listener gave them. */
function refusals(): {
  readonly onRefused: (error: ChannelError) => void
  next: () => Promise<ChannelError>
} {
  const seen: ChannelError[] = []
  let at = 0
  return {
    onRefused: error => void seen.push(error),
    next: async () => {
      for (let patience = 30_000; seen.length <= at; patience--) {
        assert.ok(patience > 0, 'nobody was refused')
        await setTimeout(1)
      }
      return seen[at++]!
    },
  }
}

test('what fails in this program while a client is looked at ends that client’s connection alone', async t => {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  let fails = true
  const now = (): Date => {
    if (fails) throw new RangeError('a mistake')
    return new Date()
  }
  const { onRefused, next } = refusals()
  const listener = await listenerOf(t, identity, { peers: { ...machine.demands, now }, onRefused })
  const at = { ...listener, peer: machine.demands, identity }
  const told = await rejectsCode('refused-by-peer', connectAttested(at))
  assert.equal(told.got, 'internal-error')
  const { code, cause } = await next()
  assert.equal(code, 'internal-error')
  assert.ok(cause instanceof RangeError)
  fails = false
  await (await connectAttested(at)).close()
})

test('a connection that cannot be accepted is reported, and ends nothing', async t => {
  const machine = await intelMachine('tdx')
  const listen = t.mock.method(TcpServer.prototype, 'listen')
  const { onRefused, next } = refusals()
  const listener = await listenerOf(t, await identityOf(t, machine.driver), { onRefused })
  const server = listen.mock.calls[0]!.this as TcpServer
  for (let time = 0; time < 2; time++) {
    server.emit('error', new Error('accept EMFILE'))
    assert.equal((await next()).code, 'internal-error')
  }
  await (await connectAttested({ ...listener, peer: machine.demands })).close()
})

/** A connection that says nothing. */
async function silent(
  t: TestContext,
  { host, port }: AttestedListener,
  localAddress: string,
): Promise<Socket> {
  const socket = connectTcp({ host, port, localAddress })
  socket.on('error', () => undefined).resume()
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

test('handshakes that are not done make room: the oldest of the address that has the most of them', async t => {
  const machine = await intelMachine('tdx')
  const seen: ChannelError[] = []
  const listener = await listenerOf(t, await identityOf(t, machine.driver), {
    maxConnections: 3,
    onRefused: error => void seen.push(error),
  })
  const secured = await rogueClient(t, listener)
  await framesOf(secured).next()
  const [first, second] = [await silent(t, listener, '127.0.0.2'), await silent(t, listener, '127.0.0.2')]
  const connection = await connectAttested({ ...listener, peer: machine.demands })
  if (!first.closed) await soon(once(first, 'close'))
  assert.deepEqual([secured.closed, second.closed, connection.socket.closed], [false, false, false])
  // One that has a TLS session makes room as well.
  secured.resume()
  for (let more = 0; more < 2; more++) await silent(t, listener, '127.0.0.3')
  if (!second.closed) await soon(once(second, 'close'))
  if (!secured.closed) await soon(once(secured, 'close'))
  await connection.close()
  // TLS tells of its own connections that they were lost, and of no others.
  assert.equal(seen.filter(({ code }) => code === 'connection-lost').length, 2)
  const told = seen.filter(({ code }) => code !== 'connection-lost')
  assert.deepEqual(
    told.map(({ code, message }) => [code, /of (127\S+), which has the most/.exec(message)?.[1]]),
    ['127.0.0.2', '127.0.0.1', '127.0.0.2'].map(address => ['connections-full', address]),
  )
})

test('who has finished the handshake keeps its place, gives it back, and the newest is told of', async t => {
  const machine = await intelMachine('tdx')
  const { onRefused, next } = refusals()
  const options = { maxConnections: 1, onRefused }
  const listener = await listenerOf(t, await identityOf(t, machine.driver), options)
  const connection = await connectAttested({ ...listener, peer: machine.demands })
  await rejectsCode('connection-lost', connectAttested({ ...listener, peer: machine.demands }))
  const { code, message } = await next()
  assert.equal(code, 'connections-full')
  assert.match(message, /one more, of 127\.0\.0\.1, was not taken/)
  assert.equal(connection.socket.closed, false)
  await connection.close()
  for (;;) {
    const another = await connectAttested({ ...listener, peer: machine.demands }).catch(() => null)
    if (another !== null) return another.close()
  }
})

test('a certificate chain beyond what TLS takes is refused, and one behind the first changes nothing', async t => {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  const bare = (await identityOf(t, 'none')).credentials()
  const genuine = identity.credentials()
  const { onRefused, next } = refusals()
  const listener = await listenerOf(t, identity, { peers: machine.demands, onRefused })
  const shown = async (cert: string, key: string): Promise<TLSSocket> =>
    rogueClient(t, listener, { cert, key })
  await shown(genuine.certificatePem.repeat(20), genuine.keyPem)
  assert.equal((await next()).code, 'tls-failed')
  // The evidence of another behind a certificate of its own.
  const relay = await shown(bare.certificatePem + genuine.certificatePem, bare.keyPem)
  sendHello(relay, { demands: 'anyone' })
  assert.equal(await refusalOf(framesOf(relay)), 'evidence-missing')
})

test('what a listener demands of TLS stands when its identity is renewed', async t => {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  const renewals: ((credentials: Credentials) => void)[] = []
  const { onRefused, next } = refusals()
  const onRenewed = (listener: (credentials: Credentials) => void): (() => void) => {
    renewals.push(listener)
    return () => undefined
  }
  const listener = await listenerOf(
    t,
    { ...bound(identity), onRenewed },
    { keyExchange: 'hybrid', onRefused },
  )
  renewals[0]!(identity.credentials())
  for (const [options, code] of [
    [{ maxVersion: 'TLSv1.2' }, 'tls-too-old'],
    [{ ecdhCurve: 'X25519' }, 'key-exchange-classical'],
  ] as const) {
    const all = { ...listener, ...options, rejectUnauthorized: false, ALPNProtocols: [CHANNEL_PROTOCOL] }
    await once(connect(all), 'error')
    assert.equal((await next()).code, code)
  }
  await (await connectAttested({ ...listener, peer: machine.demands, keyExchange: 'hybrid' })).close()
})

/** An identity's methods, to be put into another object. */
function bound(identity: Awaited<ReturnType<typeof identityOf>>) {
  return {
    attested: identity.attested,
    credentials: () => identity.credentials(),
    credentialsOf: (certificate: Uint8Array) => identity.credentialsOf(certificate),
    sessionEvidence: (digest: Uint8Array) => identity.sessionEvidence(digest),
    close: () => undefined,
  }
}

for (const [what, kind, fields] of [
  ['TDX', 'tdx', { tdAttributes: 1 }],
  ['SGX', 'sgx', { attributesFlags: 0x07 }],
] as const) {
  test(`a peer whose machine is being debugged is refused (${what})`, async t => {
    const { driver, demands } = machineOf(await createIntelPlatform(), kind, fields)
    const listener = await listenerOf(t, await identityOf(t, driver))
    const error = await rejectsCode('appraisal-refused', connectAttested({ ...listener, peer: demands }))
    assert.deepEqual(
      error.violations.map(({ path }) => path),
      ['debug'],
    )
    assert.equal(LAPTOP.extends, 'strict')
  })
}

test('peers that vanish without a word are noticed, at either end', {
  skip: existsSync('/proc/net/tcp') ? false : 'no /proc/net/tcp here',
  timeout: 30_000,
}, async t => {
  const machine = await intelMachine('tdx')
  const listener = await listenerOf(t, await identityOf(t, machine.driver))
  const { socket } = await connectAttested({ ...listener, peer: machine.demands })
  const { localPort = 0 } = socket as TLSSocket
  // Until what was sent is acknowledged, the kernel has another timer there.
  while (!kernelTimersOf([listener.port, localPort]).every(timer => timer === '02')) await setTimeout(10)
})

/** Of both ends of the established connection between two ports, as others may have one of them at the same time: 02 is keep-alive. */
function kernelTimersOf(ports: readonly number[]): string[] {
  const wanted = ports.map(port => `:${port.toString(16).toUpperCase().padStart(4, '0')}`)
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
  const ends = rows.filter(
    ([, local = '', remote = '', state]) =>
      state === '01' && wanted.every(name => local.endsWith(name) || remote.endsWith(name)),
  )
  assert.equal(ends.length, 2)
  return ends.map(row => row[5]!.slice(0, 2))
}

test('a frame that comes byte by byte is a frame, and one of which more never comes is waited for no longer than others', async t => {
  const machine = await intelMachine('tdx')
  const opened = Promise.withResolvers<void>()
  const { onRefused, next } = refusals()
  const identity = await identityOf(t, machine.driver)
  const listener = await listenerOf(t, identity, { onRefused, onConnection: () => opened.resolve() })
  const slow = await rogueClient(t, listener)
  for (const byte of [...encodeFrame(FRAME.hello, encodeHello(CACHED)), ...encodeFrame(FRAME.ready)]) {
    slow.write(Buffer.of(byte))
    await setTimeout(2)
  }
  await opened.promise
  const { tick } = timersOf(t)
  const stalled = await rogueClient(t, listener)
  await framesOf(stalled).next()
  stalled.write(Buffer.of(FRAME.hello, 2, 0))
  tick(DEFAULT_HANDSHAKE_TIMEOUT_MS)
  assert.equal((await next()).code, 'handshake-timeout')
})

test('a peer that says more than that it is ready is refused: nobody signed it', async t => {
  const machine = await intelMachine('tdx')
  const { onRefused, next } = refusals()
  const listener = await listenerOf(t, await identityOf(t, machine.driver), { onRefused })
  const client = await rogueClient(t, listener)
  const ready = encodeFrame(FRAME.ready, Uint8Array.of(0))
  client.write(Buffer.concat([encodeFrame(FRAME.hello, encodeHello(CACHED)), ready]))
  assert.equal((await next()).code, 'protocol-violation')
})

for (const [who, close] of [
  ['a listener', (_: AttestedConnection, listener: AttestedListener) => listener.close()],
  ['a connection', (connection: AttestedConnection) => connection.close()],
] as const) {
  test(`${who} that closes waits a while for a peer that does not read, and no longer`, async t => {
    const { tick } = timersOf(t)
    const machine = await intelMachine('tdx')
    const opened = Promise.withResolvers<AttestedConnection>()
    const listener = await listenerOf(t, await identityOf(t, machine.driver), {
      onConnection: opened.resolve,
    })
    await connectAttested({ ...listener, peer: machine.demands })
    const connection = await opened.promise
    connection.socket.write(new Uint8Array(50_000_000))
    const closing = close(connection, listener)
    tick(5_000)
    await closing
    assert.equal(connection.socket.destroyed, true)
  })
}

test('evidence for one session may be larger than what TLS sends at once', async t => {
  const { driver, demands } = machineOf(await createIntelPlatform(), 'tdx', {
    trailing: new Uint8Array(40_000),
  })
  const listener = await listenerOf(t, await identityOf(t, driver, { sessionEvidence: 'on-demand' }))
  const connection = await connectAttested({ ...listener, peer: { ...demands, freshness: 'session' } })
  assert.equal(connection.peer?.freshness, 'session')
  await connection.close()
})

test('a peer that ends the connection in the middle of the exchange is a lost connection', async t => {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  const { onRefused, next } = refusals()
  const listener = await listenerOf(t, identity, { peers: machine.demands, onRefused })
  const codes = new Set<ChannelErrorCode>()
  for (const end of [(socket: TLSSocket) => socket.end(), (socket: TLSSocket) => socket.destroy()]) {
    for (const bytes of [[], [1, 2, 0], [1, 2, 0, 0, 0, 1, 0], [1, 2, 0, 0, 0, 1, 0, 2, 9, 0, 0, 0, 1]]) {
      const rogue = await rogueClient(t, listener, tls(identity.credentials()))
      if (bytes.length > 0) rogue.write(Buffer.from(bytes))
      end(rogue)
      codes.add((await next()).code)
    }
  }
  assert.deepEqual([...codes], ['connection-lost'])
})
