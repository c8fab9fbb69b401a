// Channels with a peer that is not ours: Go's TLS, X.509 and ECDSA, and a reading of PROTOCOL.md, at either end.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, type TestContext, test } from 'node:test'
import {
  type AttestedConnection,
  type ChannelError,
  type ChannelErrorCode,
  type ConnectOptions,
  connectAttested,
  connectEnclave,
  type ListenOptions,
  type PeerDemands,
  serveEnclave,
} from '@casemate/channel'
import { EnclaveError, parseImage } from '@casemate/enclave'
import { bindingMessage, exporterOf, signBinding } from '../../packages/channel/src/session/binding.ts'
import { encodeFrame, FRAME } from '../../packages/channel/src/session/frames.ts'
import { identityOf, listenerOf, machineOf, rejectsCode } from '../../packages/channel/test/fixtures.ts'
import {
  CACHED,
  framesOf,
  rogueServer,
  sendBinding,
  sendHello,
} from '../../packages/channel/test/session/rogue.ts'
import { makeImage } from '../../packages/enclave/test/running/modules.ts'
import { buildPeer, type Outcome, type PeerOptions, runClient, startServer, whyNoGo } from './go-peer.ts'
import { type Hardware, openHardware } from './hardware.ts'

const STATEMENT = { sigstruct: parseImage(makeImage()).sigstruct!.bytes }
const HYBRID = 'X25519MLKEM768'

suite('a peer in Go', { skip: whyNoGo() ?? false }, () => {
  let hardware: Hardware
  const directory = mkdtempSync(join(tmpdir(), 'casemate-interop-'))
  const sigstruct = join(directory, 'sigstruct')

  before(async () => {
    buildPeer()
    writeFileSync(sigstruct, STATEMENT.sigstruct)
    hardware = await openHardware({})
  })
  after(() => {
    hardware?.close()
    rmSync(directory, { recursive: true })
  })

  /** Of both sides: they run on machines of one make. */
  const demands = (): PeerDemands => machineOf(hardware.intel, 'tdx').demands
  const attested = (kind = 'tdx'): PeerOptions => ({ machine: `${hardware.url('guest')}/${kind}`, sigstruct })
  const ours = (t: TestContext, kind: 'tdx' | 'sgx' = 'tdx') =>
    identityOf(t, machineOf(hardware.intel, kind).driver, { statement: STATEMENT })

  interface Ends {
    readonly theirs: Outcome
    readonly refused: ChannelErrorCode | null
    readonly connection: AttestedConnection | null
  }

  /** Their client, our listener. */
  async function visited(
    t: TestContext,
    options: PeerOptions,
    listen: Partial<ListenOptions> = {},
  ): Promise<Ends> {
    const seen = Promise.withResolvers<AttestedConnection | ChannelError>()
    const listener = await listenerOf(t, await ours(t), {
      onConnection: connection => {
        connection.socket.pipe(connection.socket)
        seen.resolve(connection)
      },
      onRefused: seen.resolve,
      ...listen,
    })
    const theirs = await runClient({ address: `127.0.0.1:${listener.port}`, ...options })
    const found = await seen.promise
    return found instanceof Error
      ? { theirs, refused: found.code, connection: null }
      : { theirs, refused: null, connection: found }
  }

  /** Their server, our client. */
  async function visiting(t: TestContext, options: PeerOptions) {
    const server = await startServer(options)
    t.after(server.close)
    const connect = (more: Partial<ConnectOptions> = {}) =>
      connectAttested({ host: server.host, port: server.port, peer: demands(), ...more })
    return { server, connect }
  }

  for (const kind of ['tdx', 'sgx'] as const) {
    test(`opens a channel in which both prove themselves, as ${kind}, and sees its end`, async t => {
      const { theirs, connection } = await visited(t, attested(kind), { peers: demands() })
      assertOpened(theirs)
      assert.deepEqual([theirs.version, theirs.group, theirs.end], ['TLS 1.3', HYBRID, 'close-notify'])
      assert.equal(theirs.kind, 'tdx')
      assert.equal(connection?.peer?.claims.kind, kind)
      const { enclave } = connection.peer.claims
      assert.deepEqual([enclave?.mrEnclave, enclave?.mrSigner], [theirs.mrEnclave, theirs.mrSigner])
    })

    test(`is a server that both prove themselves to, as ${kind}`, async t => {
      const { server, connect } = await visiting(t, attested(kind))
      const connection = await connect({ identity: await ours(t, 'sgx'), keyExchange: 'hybrid' })
      assert.equal(connection.peer?.claims.kind, kind)
      connection.socket.resume()
      await connection.close()
      const theirs = await server.outcome()
      assert.deepEqual([theirs.code, theirs.kind, theirs.end], ['opened', 'sgx', 'close-notify'])
      assert.equal(theirs.mrEnclave, connection.peer.claims.enclave?.mrEnclave)
    })
  }

  test('opens a channel in which the server alone proves itself, either way', async t => {
    const { theirs, connection } = await visited(t, {})
    assertOpened(theirs)
    assert.equal(connection?.peer, null)
    const { server, connect } = await visiting(t, { ...attested(), demands: 'anyone' })
    const opened = await connect()
    opened.socket.resume()
    await opened.close()
    assert.equal((await server.outcome()).code, 'opened')
  })

  test('agrees on X25519 alone where the hybrid group is only preferred', async t => {
    const { theirs } = await visited(t, { groups: 'classical' })
    assert.deepEqual([theirs.code, theirs.group], ['opened', 'X25519'])
  })

  test('calls an enclave of ours, alone and in batches, and reads what fails', async t => {
    const server = await serveEnclave({
      host: '127.0.0.1',
      port: 0,
      identity: await ours(t),
      peers: demands(),
      enclave: {
        call: async (name, input) => {
          if (name === 'echo') return input
          if (name === 'status') throw new EnclaveError('call-failed', 'a status', { got: '5' })
          throw new EnclaveError('function-unknown', name)
        },
        callBatch: async (_, inputs) => inputs,
      },
    })
    t.after(() => server.close())
    const address = `127.0.0.1:${server.port}`
    const theirs = await runClient({ address, protocol: 'casemate-enclave/1', ...attested() })
    assertOpened(theirs)
    const text = (item: string): string => Buffer.from(item, 'base64').toString()
    assert.deepEqual(
      theirs.answers?.map(({ code = 'answer', items }) => [code, ...items.map(text)]),
      [
        ['answer', 'one'],
        ['answer', 'two', '', 'three'],
        ['call-failed', '5'],
        ['function-unknown', ''],
      ],
    )
  })

  test('serves calls of ours', async t => {
    const { server } = await visiting(t, { ...attested(), protocol: 'casemate-enclave/1' })
    const client = await connectEnclave({ ...server, peer: demands(), identity: await ours(t) })
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
    const answers = [
      await client.call('upper', bytes('one')),
      ...(await client.callBatch('upper', [bytes('a'), bytes('b')])),
    ]
    assert.deepEqual(
      answers.map(answer => Buffer.from(answer).toString()),
      ['ONE', 'A', 'B'],
    )
    await assert.rejects(client.call('status', bytes('x')), { code: 'call-failed', got: '5' })
    await assert.rejects(client.call('other', bytes('x')), { code: 'function-unknown' })
    await client.close()
    assert.equal((await server.outcome()).end, 'close-notify')
  })

  for (const [fault, code] of [
    ['tls-key', 'binding-invalid'],
    ['other-role', 'binding-invalid'],
    ['mirror', 'binding-invalid'],
    ['no-binding', 'binding-missing'],
    ['other-key', 'key-not-bound'],
    ['other-claims', 'key-not-bound'],
    ['cut', 'connection-lost'],
  ] as const) {
    test(`is refused with ${code} where it does wrong: ${fault}`, async t => {
      const { theirs, refused } = await visited(t, { ...attested(), fault }, { peers: demands() })
      assert.equal(refused, code)
      if (code !== 'connection-lost') assert.deepEqual([theirs.code, theirs.theirs], [code, true])
      // As a server; what it demands of us would give it something to mirror.
      const { connect } = await visiting(t, { ...attested(), fault })
      await rejectsCode(code, connect({ identity: await ours(t) }))
    })
  }

  test('is refused where it signs for another session of its own', async t => {
    const codes: string[] = []
    const listener = await listenerOf(t, await ours(t), {
      peers: demands(),
      onRefused: ({ code }) => codes.push(code),
    })
    const address = `127.0.0.1:${listener.port}`
    const theirs = await runClient({ address, ...attested(), fault: 'other-session' })
    assert.equal(codes.at(-1), 'binding-invalid')
    assert.deepEqual([theirs.code, theirs.theirs], ['binding-invalid', true])
    const { connect } = await visiting(t, { ...attested(), fault: 'other-session', demands: 'anyone' })
    const first = await connect()
    first.socket.resume()
    await first.close()
    await rejectsCode('binding-invalid', connect())
  })

  for (const role of ['server', 'client'] as const) {
    test(`takes a server that signs as a server alone: as a ${role}`, async t => {
      const credentials = (await ours(t)).credentials()
      const { certificate, certificatePem: cert, keyPem: key, bindingKey } = credentials
      const server = await rogueServer(t, { cert, key }, async socket => {
        const frames = framesOf(socket)
        await frames.next()
        sendHello(socket, { demands: 'anyone' })
        const message = bindingMessage(role, {
          exporter: exporterOf(socket),
          serverCertificate: certificate,
          clientCertificate: null,
          clientHello: CACHED,
          serverHello: { demands: 'anyone' },
        })
        sendBinding(socket, signBinding(message, bindingKey!))
        socket.write(encodeFrame(FRAME.ready))
        await frames.next()
        frames.release()
        socket.pipe(socket)
      })
      const theirs = await runClient({ address: `${server.host}:${server.port}` })
      assert.deepEqual(pick(theirs), [role === 'server' ? 'opened' : 'binding-invalid', false])
    })
  }

  test('refuses us where our evidence is missing, and is told why where its own is', async t => {
    const { connect, server } = await visiting(t, attested())
    await rejectsCode('identity-missing', connect())
    assert.deepEqual(pick(await server.outcome()), ['evidence-missing', false])
    const bare = await visited(t, {}, { peers: demands() })
    assert.deepEqual([bare.refused, ...pick(bare.theirs)], ['evidence-missing', 'identity-missing', false])
  })

  for (const [what, options, ofOurs, ofTheirs] of [
    [
      'without the hybrid group',
      { groups: 'classical' },
      'key-exchange-classical',
      /handshake failure|insufficient/,
    ],
    ['with TLS 1.2 alone', { 'max-version': '771' }, 'tls-too-old', /protocol version/],
    ['with another protocol', { protocol: 'h2' }, 'protocol-mismatch', /no application protocol/],
  ] as const) {
    test(`gets no session ${what}`, async t => {
      const { theirs, refused } = await visited(t, options, { keyExchange: 'hybrid' })
      assert.equal(refused, ofOurs)
      assert.match(theirs.error ?? '', ofTheirs)
      const { connect } = await visiting(t, { ...attested(), ...options })
      await rejectsCode(ofOurs, connect({ keyExchange: 'hybrid' }))
    })
  }

  test('gets no session without a name of what is spoken', async t => {
    const { refused, theirs } = await visited(t, { protocol: '' })
    assert.equal(refused, 'protocol-mismatch')
    assert.notEqual(theirs.code, 'opened')
    const { connect } = await visiting(t, { ...attested(), protocol: '' })
    await rejectsCode('protocol-mismatch', connect())
  })

  test('begins anew where it would resume', async t => {
    const { theirs } = await visited(t, { fault: 'resume' }, { onRefused: () => undefined })
    assert.deepEqual([theirs.code, theirs.resumed], ['opened', false])
  })
})

function assertOpened({ code, error }: Outcome): void {
  assert.equal(error, undefined)
  assert.equal(code, 'opened')
}

function pick({ code, theirs }: Outcome): readonly unknown[] {
  return [code, theirs]
}
