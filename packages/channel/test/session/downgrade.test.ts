// Less than what a channel is made of is refused: older TLS, classical groups, other protocols, resumed sessions; and
// whoever stalls or breaks the exchange.
import assert from 'node:assert/strict'
import type { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket, type TlsOptions } from 'node:tls'
import { readPeerCertificate } from '../../src/certificate/read.ts'
import {
  type AttestedListener,
  CHANNEL_PROTOCOL,
  ChannelError,
  connectAttested,
  DEFAULT_HANDSHAKE_TIMEOUT_MS,
  type ListenOptions,
  listenAttested,
} from '../../src/index.ts'
import { encodeFrame, FRAME } from '../../src/session/frames.ts'
import { checkSession } from '../../src/session/tls.ts'
import { identityOf, intelMachine, listenerOf, type Machine, rejectsCode, timersOf } from '../fixtures.ts'
import { framesOf, refusalOf, rogueClient, rogueServer, sendHello } from './rogue.ts'

interface Listening {
  readonly listener: AttestedListener
  readonly machine: Machine
  readonly refused: Promise<ChannelError>
  readonly credentials: TlsOptions
}

async function listening(t: TestContext, options: Partial<ListenOptions> = {}): Promise<Listening> {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  const refused = Promise.withResolvers<ChannelError>()
  const listener = await listenerOf(t, identity, {
    peers: machine.demands,
    onRefused: refused.resolve,
    ...options,
  })
  const { certificatePem: cert, keyPem: key } = identity.credentials()
  return { listener, machine, refused: refused.promise, credentials: { cert, key } }
}

const tlsError = async (socket: TLSSocket): Promise<string> => {
  const [error] = (await once(socket, 'error')) as [Error & { code?: string }]
  return String(error.code)
}

test('TLS 1.2 is refused, at either end', async t => {
  const { listener, machine, refused, credentials } = await listening(t)
  const old = connect({ ...listener, maxVersion: 'TLSv1.2', rejectUnauthorized: false })
  assert.match(await tlsError(old), /PROTOCOL_VERSION/)
  assert.equal((await refused).code, 'tls-too-old')
  const server = await rogueServer(t, { ...credentials, maxVersion: 'TLSv1.2' }, () => undefined)
  await rejectsCode('tls-too-old', connectAttested({ ...server, peer: machine.demands }))
})

test('what speaks no TLS at all is told as that, in one line', async t => {
  const server = createTcpServer(socket => {
    socket.on('error', () => undefined)
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { demands } = await intelMachine('tdx')
  await assert.rejects(connectAttested({ host: '127.0.0.1', port, peer: demands }), {
    code: 'tls-failed',
    message: 'the handshake failed: wrong version number',
    hint: 'what answers there speaks something else than TLS',
  })
})

test('a session that is older than TLS 1.3 would be refused however it came about', () => {
  const old = { getProtocol: () => 'TLSv1.2' } as TLSSocket
  assert.throws(() => checkSession(old, CHANNEL_PROTOCOL, null), { code: 'tls-too-old' })
})

test('a classical key exchange is refused where the hybrid one is demanded, at either end', async t => {
  const { listener, machine, refused, credentials } = await listening(t, { keyExchange: 'hybrid' })
  const classical = connect({
    ...listener,
    ecdhCurve: 'X25519',
    rejectUnauthorized: false,
    ALPNProtocols: [CHANNEL_PROTOCOL],
  })
  await tlsError(classical)
  assert.equal((await refused).code, 'key-exchange-classical')
  const server = await rogueServer(t, { ...credentials, ecdhCurve: 'X25519' }, socket => sendHello(socket))
  const at = { ...server, peer: machine.demands }
  const error = await rejectsCode('key-exchange-classical', connectAttested({ ...at, keyExchange: 'hybrid' }))
  assert.equal(error.got, 'X25519')
  // Taken where it is only preferred: what is missing then is the evidence that the server demands.
  await rejectsCode('identity-missing', connectAttested(at))
})

test('two that know the hybrid group agree on it', async t => {
  const { listener } = await listening(t)
  const ours = await rogueClient(t, listener, { ecdhCurve: 'X25519MLKEM768:X25519' })
  assert.equal((ours.getEphemeralKeyInfo() as { name?: string }).name, 'X25519MLKEM768')
})

test('another protocol is refused, at either end', async t => {
  const { listener, machine, refused, credentials } = await listening(t)
  const web = connect({ ...listener, ALPNProtocols: ['http/1.1'], rejectUnauthorized: false })
  assert.match(await tlsError(web), /NO_APPLICATION_PROTOCOL/)
  assert.equal((await refused).code, 'protocol-mismatch')
  const server = await rogueServer(t, { ...credentials, ALPNProtocols: ['http/1.1'] }, () => undefined)
  await rejectsCode('protocol-mismatch', connectAttested({ ...server, peer: machine.demands }))
})

test('a client that names no protocol is refused', async t => {
  const { listener, refused } = await listening(t)
  await rogueClient(t, listener, { ALPNProtocols: [] })
  assert.equal((await refused).code, 'protocol-mismatch')
})

test('no session is resumed: a client that tries makes a new one, one that succeeded would be refused', async t => {
  const { listener } = await listening(t)
  const first = connect({ ...listener, rejectUnauthorized: false, ALPNProtocols: [CHANNEL_PROTOCOL] })
  first.on('error', () => undefined)
  const sessions: Buffer[] = []
  first.on('session', session => sessions.push(session))
  await once(first, 'secureConnect')
  const frames = framesOf(first)
  await frames.next()
  first.destroy()
  assert.ok(sessions.length > 0)
  for (const session of sessions) {
    const again = await rogueClient(t, listener, { session })
    assert.equal(again.isSessionReused(), false)
  }
  const resumed = { getProtocol: () => 'TLSv1.3', isSessionReused: () => true } as TLSSocket
  assert.throws(() => checkSession(resumed, CHANNEL_PROTOCOL, null), { code: 'session-resumed' })
})

test('a server that says nothing is given up, at every step', async t => {
  const { machine, credentials } = await listening(t)
  const silent = createTcpServer(socket => socket.on('error', () => undefined))
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const { port } = silent.address() as { port: number }
  const options = { peer: machine.demands, handshakeTimeoutMs: 200 }
  await rejectsCode('handshake-timeout', connectAttested({ host: '127.0.0.1', port, ...options }))
  const mute = await rogueServer(t, credentials, () => undefined)
  await rejectsCode('handshake-timeout', connectAttested({ ...mute, ...options }))
  const half = await rogueServer(t, credentials, socket => sendHello(socket, { demands: 'anyone' }))
  await rejectsCode('handshake-timeout', connectAttested({ ...half, ...options }))
})

for (const [what, speak] of [
  ['nothing', () => undefined],
  ['no more than a greeting', (socket: TLSSocket) => sendHello(socket, { demands: 'anyone' })],
] as const) {
  test(`a client that says ${what} is given up`, async t => {
    const { tick } = timersOf(t)
    const { listener, refused, credentials } = await listening(t)
    const rogue = await rogueClient(t, listener, credentials as ConnectionOptions)
    // The server's greeting: TLS is done.
    await framesOf(rogue).next()
    speak(rogue)
    tick(DEFAULT_HANDSHAKE_TIMEOUT_MS)
    assert.equal((await refused).code, 'handshake-timeout')
  })
}

test('connections that never begin a handshake are ended, and do not keep others out', async t => {
  const { listener, machine, refused } = await listening(t, {
    handshakeTimeoutMs: 300,
    maxConnections: 1,
    peers: 'anyone',
  })
  const raw = connectTcp(listener.port, listener.host)
  raw.on('error', () => undefined).resume()
  t.after(() => raw.destroy())
  await once(raw, 'close')
  // Node ends a TLS handshake that does not begin.
  assert.equal((await refused).code, 'tls-failed')
  // On a busy machine a handshake may need more than one attempt to be done in that time.
  for (;;) {
    const connection = await connectAttested({ ...listener, peer: machine.demands }).catch(() => null)
    if (connection !== null) return connection.close()
  }
})

test('a peer that goes on without binding its evidence is refused', async t => {
  const { machine, credentials } = await listening(t)
  const server = await rogueServer(t, credentials, socket => {
    sendHello(socket, { demands: 'anyone' })
    socket.write(encodeFrame(FRAME.ready))
  })
  await rejectsCode('binding-missing', connectAttested({ ...server, peer: machine.demands }))
})

for (const [what, bytes, code] of [
  ['an oversized frame', Buffer.from([1, 255, 255, 255, 0]), 'frame-too-large'],
  ['another version', Buffer.from([1, 2, 0, 0, 0, 9, 1]), 'protocol-violation'],
  ['an unknown demand', Buffer.from([1, 2, 0, 0, 0, 1, 9]), 'protocol-violation'],
  ['a frame out of turn', Buffer.from([3, 0, 0, 0, 0]), 'protocol-violation'],
  [
    'a binding without a signature',
    Buffer.from([1, 2, 0, 0, 0, 1, 0, 2, 2, 0, 0, 0, 0, 0]),
    'binding-invalid',
  ],
  ['a signature that is none', Buffer.from([1, 2, 0, 0, 0, 1, 0, 2, 3, 0, 0, 0, 1, 0, 7]), 'binding-invalid'],
  ['an unknown code', Buffer.from([4, 3, 0, 0, 0, 27, 91, 65]), 'refused-by-peer'],
] as const) {
  test(`a peer that sends ${what} is refused with ${code}`, async t => {
    const { machine, credentials } = await listening(t)
    const server = await rogueServer(t, credentials, socket => socket.write(bytes))
    const error = await rejectsCode(code, connectAttested({ ...server, peer: machine.demands }))
    // Bytes of a peer do not end up in messages.
    assert.ok(!error.message.includes(String.fromCharCode(27)))
  })
}

test('a server that hangs up is a lost connection, one that is not there a failed one', async t => {
  const { machine, credentials, listener } = await listening(t)
  const rude = await rogueServer(t, credentials, socket => socket.destroy())
  await rejectsCode('connection-lost', connectAttested({ ...rude, peer: machine.demands }))
  await listener.close()
  await rejectsCode('connect-failed', connectAttested({ ...listener, peer: machine.demands }))
})

test('an address that is taken is an error of listening', async t => {
  const { listener, machine } = await listening(t)
  const identity = await identityOf(t, machine.driver)
  await rejectsCode(
    'address-unavailable',
    listenAttested({ ...listener, identity, peers: 'anyone', onConnection: () => undefined }),
  )
})

test('a certificate in which TLS reads another key is refused', async t => {
  const [one, two] = [await listening(t), await listening(t)]
  const x509Of = async ({ listener }: Listening): Promise<X509Certificate> =>
    (await rogueClient(t, listener)).getPeerX509Certificate()!
  const [genuine, other] = [await x509Of(one), await x509Of(two)]
  readPeerCertificate(genuine)
  assert.throws(() => readPeerCertificate({ raw: genuine.raw, publicKey: other.publicKey }), {
    code: 'certificate-malformed',
  })
  const longer = { raw: Buffer.concat([genuine.raw, Buffer.alloc(1)]), publicKey: genuine.publicKey }
  assert.throws(() => readPeerCertificate(longer), { code: 'certificate-malformed' })
})

test('a client that is refused in the middle still reads why', async t => {
  const { listener } = await listening(t)
  const rogue = await rogueClient(t, listener)
  rogue.write(Buffer.from([1, 2, 0, 0, 0, 9, 9]))
  rogue.write(Buffer.alloc(100_000))
  assert.equal(await refusalOf(framesOf(rogue)), 'protocol-violation')
})
