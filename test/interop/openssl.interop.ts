// What a channel's TLS is to OpenSSL's command line, at either end: which handshakes there are, and which there are not.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { CHANNEL_PROTOCOL, type ChannelError, connectAttested, type ListenOptions } from '@casemate/channel'
import { identityOf, intelMachine, listenerOf, rejectsCode } from '../../packages/channel/test/fixtures.ts'

const EXPORTER = 'EXPORTER-casemate-channel-binding'
/** Of a client that takes anyone, and is content. */
const FRAMES = Buffer.from([1, 2, 0, 0, 0, 1, 0, 3, 0, 0, 0, 0])

const missing = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed'

suite('OpenSSL', { skip: missing }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-interop-'))
  after(() => rmSync(directory, { recursive: true }))
  const lacksHybrid = !/X25519MLKEM768/.test(
    spawnSync('openssl', ['list', '-kem-algorithms'], { encoding: 'utf8' }).stdout,
  )

  async function listening(t: TestContext, options: Partial<ListenOptions> = {}) {
    const { driver } = await intelMachine('tdx')
    const seen = Promise.withResolvers<TLSSocket | ChannelError>()
    const listener = await listenerOf(t, await identityOf(t, driver), {
      onConnection: ({ socket }) => seen.resolve(socket as TLSSocket),
      onRefused: seen.resolve,
      ...options,
    })
    return { address: `${listener.host}:${listener.port}`, seen: seen.promise }
  }

  /** All that it prints until it ends by itself, or what is waited for has come about. */
  async function client(
    address: string,
    args: readonly string[],
    until: (text: string) => boolean = () => false,
  ): Promise<string> {
    const all = ['s_client', '-connect', address, '-alpn', CHANNEL_PROTOCOL, '-ign_eof', ...args]
    const child = spawn('openssl', all, { stdio: ['pipe', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
      })
    }
    child.stdin.on('error', () => undefined)
    child.stdin.write(FRAMES)
    const look = setInterval(() => until(text) && child.kill(), 10)
    await once(child, 'close')
    clearInterval(look)
    return text
  }

  test('agrees on TLS 1.3, the protocol, and the secret that sessions are signed over', async t => {
    const { address, seen } = await listening(t)
    const export32 = ['-keymatexport', EXPORTER, '-keymatexportlen', '32']
    const told = client(address, export32, text => /Keying material: \w+/.test(text))
    const socket = await seen
    assert.ok(!(socket instanceof Error))
    const exporter = socket.exportKeyingMaterial(32, EXPORTER, Buffer.alloc(0)).toString('hex')
    const text = await told
    assert.match(text, /New, TLSv1\.3/)
    assert.match(text, new RegExp(`ALPN protocol: ${CHANNEL_PROTOCOL}`))
    assert.equal(/Keying material: (\w+)/.exec(text)?.[1]?.toLowerCase(), exporter)
  })

  test('resumes no session, and sends nothing early', async t => {
    const { address } = await listening(t)
    const session = join(directory, 'session')
    // A ticket comes, and is good for nothing.
    await client(
      address,
      ['-sess_out', session],
      () => existsSync(session) && readFileSync(session, 'latin1').includes('END SSL SESSION'),
    )
    const early = join(directory, 'early')
    writeFileSync(early, FRAMES)
    const again = ['-sess_in', session, '-early_data', early]
    const text = await client(address, again, printed => /Early data was \w+/.test(printed))
    assert.match(text, /New, TLSv1\.3/)
    assert.doesNotMatch(text, /Reused/)
    assert.match(text, /Early data was not sent/)
  })

  for (const [what, args, options, code, alert] of [
    ['TLS 1.2', ['-tls1_2'], {}, 'tls-too-old', /alert protocol version/],
    ['another protocol', ['-alpn', 'h2'], {}, 'protocol-mismatch', /no application protocol/],
    [
      'X25519 alone where the hybrid group is demanded',
      ['-groups', 'X25519'],
      { keyExchange: 'hybrid' },
      'key-exchange-classical',
      /handshake failure/,
    ],
  ] as const) {
    test(`gets no session with ${what}`, async t => {
      const { address, seen } = await listening(t, options)
      assert.match(await client(address, args), alert)
      const error = await seen
      assert.equal(error instanceof Error && error.code, code)
    })
  }

  /** A server of theirs that has stolen the certificate and key of ours. */
  async function server(t: TestContext, args: readonly string[]) {
    const { driver, demands } = await intelMachine('tdx')
    const { certificatePem, keyPem } = (await identityOf(t, driver)).credentials()
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
    writeFileSync(cert, certificatePem)
    writeFileSync(key, keyPem)
    const files = ['-cert', cert, '-key', key]
    const child: ChildProcess = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...files, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    t.after(() => child.kill())
    let text = ''
    for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
      text += String(chunk)
      const port = /ACCEPT \S+:(\d+)/.exec(text)?.[1]
      if (port !== undefined) return { host: '127.0.0.1', port: Number(port), peer: demands }
    }
    throw new Error(`ended before it listened:\n${text}`)
  }

  for (const [what, args, code] of [
    ['speaks TLS 1.2 alone', ['-tls1_2'], 'tls-too-old'],
    ['names no protocol', [], 'protocol-mismatch'],
    ['names another protocol', ['-alpn', 'h2'], 'protocol-mismatch'],
    ['has X25519 alone', ['-alpn', CHANNEL_PROTOCOL, '-groups', 'X25519'], 'key-exchange-classical'],
  ] as const) {
    test(`is no server of a channel where it ${what}`, async t => {
      await rejectsCode(code, connectAttested({ ...(await server(t, args)), keyExchange: 'hybrid' }))
    })
  }

  test('as it is here is refused for its key exchange, or has the hybrid one', async t => {
    const at = await server(t, ['-alpn', CHANNEL_PROTOCOL])
    const opening = connectAttested({ ...at, keyExchange: 'hybrid', handshakeTimeoutMs: 500 })
    await rejectsCode(lacksHybrid ? 'key-exchange-classical' : 'handshake-timeout', opening)
  })
})
