// What is read again while the broker runs, and what stays where it cannot be used.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { resolveConfig } from '../../src/config/resolve.ts'
import type { BrokerConfig } from '../../src/config/settings.ts'
import { StartError } from '../../src/errors.ts'
import { createLogger, type Logger } from '../../src/http/logging.ts'
import { readTls, TlsReloader } from '../../src/http/tls.ts'
import { type OpenBroker, openBroker, startBroker } from '../../src/lifecycle/broker.ts'
import { watchTls } from '../../src/lifecycle/listening.ts'
import { START, temporaryDirectory } from '../broker.ts'
import { commonName, makeCertificate } from './certificates.ts'

const directory = temporaryDirectory()
after(() => rmSync(directory, { recursive: true }))

/** A log that is read back, line by line as data. */
class ReadLog {
  readonly logger: Logger
  readonly #lines: Record<string, unknown>[] = []

  constructor(level = 'info') {
    this.logger = createLogger(level, { write: line => void this.#lines.push(JSON.parse(line)) })
  }

  /** The lines since it was asked last. */
  take(): Record<string, unknown>[] {
    return this.#lines.splice(0)
  }

  last(): Record<string, unknown> {
    return this.take().at(-1) ?? {}
  }
}

function settings(flags: Readonly<Record<string, string>>): BrokerConfig {
  const all = { listen: '127.0.0.1:0', 'metrics-listen': 'off', offline: 'true', ...flags }
  return resolveConfig({ flags: all, env: {}, file: null }).values
}

const DEPS = { now: () => START, elapsedMs: () => performance.now(), anchors: [], endorsements: [] }

describe('TLS', () => {
  const [first, second] = [makeCertificate(directory, 'first'), makeCertificate(directory, 'second')]
  const live = { cert: join(directory, 'live.pem'), key: join(directory, 'live.key') }
  const put = (cert: string, key: string): void => {
    copyFileSync(cert, live.cert)
    copyFileSync(key, live.key)
  }
  const flags = {
    'data-dir': join(directory, 'tls'),
    'tls-cert-file': live.cert,
    'tls-key-file': live.key,
    'tls-reload-interval': '1h',
  }

  test('speaks HTTP/1.1 and says so to whoever asks, and refuses who speaks nothing else', async () => {
    put(first.cert, first.key)
    const broker = await startBroker(settings(flags), { ...DEPS, logger: new ReadLog().logger })
    const agreed = async (ALPNProtocols: string[] | undefined) => {
      const port = Number(new URL(broker.url).port)
      const socket = connect({ port, rejectUnauthorized: false, ALPNProtocols })
      await once(socket, 'secureConnect')
      const { alpnProtocol } = socket
      socket.destroy()
      return alpnProtocol
    }
    try {
      assert.equal(await agreed(['h2', 'http/1.1']), 'http/1.1')
      assert.equal(await agreed(undefined), false)
      await assert.rejects(agreed(['h2']), { code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' })
    } finally {
      await broker.close()
    }
  })

  test('new connections get what the files hold, open ones go on, and half a pair changes nothing', async () => {
    put(first.cert, first.key)
    const log = new ReadLog()
    const broker = await startBroker(settings(flags), { ...DEPS, logger: log.logger })
    const again = async (): Promise<Record<string, unknown>[]> => {
      log.take()
      await broker.reload(() => settings(flags))
      return log.take()
    }
    try {
      const open = connect({ port: Number(new URL(broker.url).port), rejectUnauthorized: false })
      await once(open, 'secureConnect')
      for (const [spoil, reason] of [
        [
          () => copyFileSync(second.cert, live.cert),
          `${live.cert} and ${live.key} are not a certificate and its key`,
        ],
        [
          () => writeFileSync(live.cert, readFileSync(second.cert).subarray(0, 100)),
          `tlsCertFile: ${live.cert} is not a certificate`,
        ],
        [() => rmSync(live.cert), `tlsCertFile: ${live.cert} cannot be read (ENOENT)`],
        [
          () => {
            put(first.cert, first.key)
            appendFileSync(live.cert, '-----BEGIN CERTIFI')
          },
          `tlsCertFile: ${live.cert} ends in the middle of a certificate`,
        ],
        [() => put(first.cert, first.cert), `tlsKeyFile: ${live.key} is not a private key`],
        [() => rmSync(live.key), `tlsKeyFile: ${live.key} cannot be read (ENOENT)`],
      ] as const) {
        spoil()
        const [failed, summary] = await again()
        assert.equal(failed?.['reason'], reason)
        assert.deepEqual(summary?.['failed'], ['tls'])
        assert.equal(await commonName(broker.url), 'first')
      }
      put(second.cert, second.key)
      const [told, summary] = await again()
      assert.equal(told?.['subject'], 'CN=second')
      assert.equal(told?.['certFile'], live.cert)
      assert.ok(Date.parse(String(told?.['notAfter'])) > Date.now())
      assert.deepEqual(summary?.['reloaded'], ['tls'])
      assert.equal(await commonName(broker.url), 'second')
      open.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
      assert.match(String(await once(open, 'data')), /^HTTP\/1.1 200 /)
      open.destroy()
      const [same] = await again()
      assert.deepEqual(same?.['unchanged'], ['tls', 'endorsements', 'logLevel'])
    } finally {
      await broker.close()
    }
  })

  test('other files are taken where the settings name others, and kept where those cannot be used', async () => {
    put(first.cert, first.key)
    const log = new ReadLog()
    const broker = await startBroker(settings(flags), { ...DEPS, logger: log.logger })
    const named = ({ cert, key }: typeof live) =>
      settings({ ...flags, 'tls-cert-file': cert, 'tls-key-file': key })
    try {
      await broker.reload(() => named({ cert: second.cert, key: first.key }))
      assert.equal(await commonName(broker.url), 'first')
      await broker.reload(() => named(second))
      assert.equal(await commonName(broker.url), 'second')
      assert.deepEqual(log.last()['reloaded'], ['tls'])
      await broker.reload(() => settings({ 'data-dir': flags['data-dir'] }))
      const [told] = log.take()
      assert.deepEqual(told?.['settings'], ['tlsCertFile', 'tlsKeyFile', 'tlsReloadInterval'])
      assert.equal(await commonName(broker.url), 'second')
    } finally {
      await broker.close()
    }
  })

  test('at each look at the files a failure is told once, and again after it was over', t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    put(first.cert, first.key)
    const log = new ReadLog()
    const files = { certFile: live.cert, keyFile: live.key }
    const contexts: unknown[] = []
    const server = { setSecureContext: (context: unknown) => void contexts.push(context) }
    const stop = watchTls(new TlsReloader([server], files, readTls(files)), 10, log.logger)
    const look = (): unknown[] => {
      t.mock.timers.tick(10)
      return log.take().map(line => line['reason'] ?? line['msg'])
    }
    const unreadable = `tlsKeyFile: ${live.key} cannot be read (ENOENT)`
    assert.deepEqual(look(), [])
    rmSync(live.key)
    assert.deepEqual(look(), [unreadable])
    assert.deepEqual(look(), [])
    put(second.cert, second.key)
    assert.deepEqual(look(), ['TLS certificate reloaded'])
    rmSync(live.key)
    assert.deepEqual(look(), [unreadable])
    assert.equal(contexts.length, 1)
    stop()
    put(first.cert, first.key)
    assert.deepEqual(look(), [])
  })
})

describe('endorsements', () => {
  const place = join(directory, 'endorsements')
  let intel: IntelPlatform
  let broker: OpenBroker
  const log = new ReadLog()
  const flags = { 'data-dir': join(directory, 'data'), 'endorsement-paths': place }

  before(async () => {
    mkdirSync(place)
    intel = await createIntelPlatform({ now: START })
    broker = await openBroker(settings(flags), { ...DEPS, anchors: intel.anchors, logger: log.logger })
  })
  after(() => broker.close())

  const reload = (more: Readonly<Record<string, string>> = {}): Promise<void> =>
    broker.reload(() => settings({ ...flags, ...more }))

  async function verdict(): Promise<string> {
    const token = (await broker.administrators.ensureAdmin()) ?? tokens.at(-1) ?? ''
    tokens.push(token)
    const answer = await broker.app.inject({
      method: 'POST',
      url: '/v1/verify',
      headers: { authorization: `Bearer ${token}` },
      payload: { evidence: Buffer.from(intel.tdxQuote({ reportData: Buffer.alloc(64) })).toString('base64') },
    })
    return answer.json<{ code: string }>().code
  }
  const tokens: string[] = []

  test('those of the files count from the reload on, and each reload is on the record', async () => {
    assert.equal(await verdict(), 'crl-missing')
    for (const { name, bytes } of intel.endorsements) writeFileSync(join(place, name), bytes)
    writeFileSync(join(place, 'README'), 'what is no endorsement is passed over')
    // As an editor leaves beside a file that is open in it.
    symlinkSync('somebody@somewhere.4711', join(place, '.#README'))
    assert.equal(await verdict(), 'crl-missing')
    log.take()
    await reload()
    const [told, summary] = log.take()
    assert.equal(await verdict(), 'appraisal-refused')
    assert.equal(told?.['files'], intel.endorsements.length)
    assert.deepEqual(summary?.['reloaded'], ['endorsements'])
    const { ledger } = broker.context
    const entries = await ledger.entries({ from: 0, limit: ledger.size })
    const recorded = entries.flatMap(({ entry }) => (entry?.['type'] === 'broker.reloaded' ? [entry] : []))
    assert.equal(recorded.length, 1)
    assert.deepEqual(recorded[0]?.['reloaded'], ['endorsements'])
  })

  test('a file that is cut, broken or not to be read keeps all of them as they were, and is named', async () => {
    const [one] = intel.endorsements
    assert.ok(one !== undefined)
    const path = join(place, one.name)
    const other = join(place, 'new.json')
    for (const [spoil, mend, reason] of [
      [
        () => writeFileSync(path, ''),
        () => writeFileSync(path, one.bytes),
        `${path} was an endorsement, and is none`,
      ],
      [
        () => writeFileSync(path, one.bytes.subarray(0, 60)),
        () => writeFileSync(path, one.bytes),
        `${path} `,
      ],
      [
        () => writeFileSync(other, '{"tcbInfo":{"id":"TDX"},"signature":"00"}'),
        () => rmSync(other),
        `${other} cannot be used (`,
      ],
      [
        () => symlinkSync(join(place, 'nowhere'), other),
        () => rmSync(other),
        `${other} is a link that leads nowhere`,
      ],
    ] as const) {
      spoil()
      log.take()
      const before = broker.context.endorsements()
      await reload()
      const [failed, summary] = log.take()
      assert.ok(String(failed?.['reason']).startsWith(`endorsementPaths: ${reason}`), JSON.stringify(failed))
      assert.deepEqual(summary?.['failed'], ['endorsements'])
      assert.equal(broker.context.endorsements(), before)
      assert.equal(await verdict(), 'appraisal-refused')
      mend()
    }
    await reload()
    assert.deepEqual(log.last()['unchanged'], ['tls', 'endorsements', 'logLevel'])
  })

  test('other paths are taken, one that is not there is named, and a file that is gone is missed', async () => {
    const missing = join(directory, 'nowhere')
    await reload({ 'endorsement-paths': missing })
    assert.ok(
      log.take().some(({ reason }) => reason === `endorsementPaths: ${missing} cannot be used (ENOENT)`),
    )
    assert.equal(await verdict(), 'appraisal-refused')
    await reload({ 'endorsement-paths': '' })
    assert.equal(await verdict(), 'crl-missing')
    await reload()
    for (const { name } of intel.endorsements) rmSync(join(place, name))
    await reload()
    assert.equal(await verdict(), 'crl-missing')
  })
})

test('the log level is replaced, what needs a start is named, and unreadable settings leave those in force', async () => {
  const log = new ReadLog()
  const flags = { 'data-dir': join(directory, 'level') }
  const broker = await openBroker(settings(flags), { ...DEPS, logger: log.logger })
  const isLogged = async (): Promise<boolean> => {
    log.take()
    await broker.app.inject('/v1/info')
    return log.take().length > 0
  }
  try {
    assert.equal(await isLogged(), true)
    await broker.reload(() => settings({ ...flags, 'log-level': 'error' }))
    assert.deepEqual(log.last()['reloaded'], ['logLevel'])
    assert.equal(await isLogged(), false)
    await broker.reload(() => {
      throw new StartError('config-invalid', 'casemate.yaml line 3 is not valid YAML')
    })
    const failed = log.last()
    assert.equal(failed['reason'], 'casemate.yaml line 3 is not valid YAML')
    assert.equal(failed['part'], 'settings')
    assert.equal(await isLogged(), false)
    await broker.reload(() => {
      throw new TypeError('needle')
    })
    assert.ok(!JSON.stringify(log.last()).includes('needle'), 'what another error says is not logged')
    await broker.reload(() => settings({ ...flags, listen: '127.0.0.1:1', issuer: 'other' }))
    assert.equal(await isLogged(), true)
    await broker.reload(() => settings({ ...flags, listen: '127.0.0.1:1', issuer: 'other' }))
    const [told] = log.take()
    assert.deepEqual(told?.['settings'], ['listen', 'issuer'])
    assert.equal(broker.context.config.issuer, 'casemate')
    await broker.reload(() => {
      throw new StartError('config-unknown', 'logLevl is not a setting', { hint: 'did you mean logLevel?' })
    })
    const [unread, summary] = log.take()
    assert.equal(unread?.['hint'], 'did you mean logLevel?')
    assert.deepEqual(summary?.['failed'], ['settings'])
  } finally {
    await broker.close()
  }
})
