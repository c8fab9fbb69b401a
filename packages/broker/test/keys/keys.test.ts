import assert from 'node:assert/strict'
import { createPublicKey, sign } from 'node:crypto'
import { chmodSync, cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, type TestContext, test } from 'node:test'
import { LedgerError } from '@casemate/ledger'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose'
import { StartError } from '../../src/errors.ts'
import { openFileKeyEncryption } from '../../src/keys/file-key-encryption.ts'
import { openStoredKey } from '../../src/keys/stored-key.ts'
import { Redacted } from '../../src/secrets/redacted.ts'
import {
  DAY,
  HOUR,
  later,
  MINUTE,
  openTestBroker,
  SECOND,
  START,
  type TestBroker,
  temporaryDirectory,
} from '../broker.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array): string => new TextDecoder().decode(value)

/** Signs any header with the broker's own key, so that nothing but the header can be what is refused. */
async function resignGenuinely(broker: TestBroker, payload: string) {
  const path = join(broker.dataDir, 'kek.json')
  const kek = await openFileKeyEncryption({ path, passphrase: null, mayCreate: false })
  const [stored] = await broker.context.store.keys.list('token')
  const key = await openStoredKey(stored!, kek)
  return async (header: object) => {
    const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`
    const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }
}

describe('the key-encryption key', () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'kek.json')
  after(() => rmSync(directory, { recursive: true }))

  const open = (passphrase: string | null = null, mayCreate = true, file = path) =>
    openFileKeyEncryption({
      path: file,
      passphrase: passphrase === null ? null : new Redacted(passphrase),
      mayCreate,
    })

  test('is made with mode 0600, and opens what it wrapped', async () => {
    const wrapped = await (await open()).wrap(bytes('data key'), 'place')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(wrapped.kekVersion, 1)
    assert.equal(text(await (await open()).unwrap(wrapped, 'place')), 'data key')
  })

  test('does not open what was moved, changed, or wrapped by another version', async () => {
    const kek = await open()
    const wrapped = await kek.wrap(bytes('data key'), 'place')
    await assert.rejects(kek.unwrap(wrapped, 'elsewhere'), { code: 'kek-damaged' })
    const changed = new Uint8Array(wrapped.bytes)
    changed[20]! ^= 1
    await assert.rejects(kek.unwrap({ ...wrapped, bytes: changed }, 'place'), { code: 'kek-damaged' })
    await assert.rejects(kek.unwrap({ ...wrapped, bytes: new Uint8Array(5) }, 'place'), {
      code: 'kek-damaged',
    })
    await assert.rejects(kek.unwrap({ ...wrapped, kekVersion: 7 }, 'place'), { code: 'kek-missing' })
    const two = await kek.addVersion()
    await assert.rejects(kek.unwrap({ ...wrapped, kekVersion: two }, 'place'), { code: 'kek-damaged' })
    assert.equal(text(await kek.unwrap(wrapped, 'place')), 'data key')
  })

  test('keeps old versions until they are retired, and never the current one', async () => {
    const kek = await open()
    const old = await kek.wrap(bytes('x'), 'p')
    const version = await kek.addVersion()
    assert.equal((await open()).currentVersion, version)
    await kek.retireVersion(old.kekVersion)
    await assert.rejects((await open()).unwrap(old, 'p'), { code: 'kek-missing' })
    await assert.rejects(kek.retireVersion(version), TypeError)
  })

  test('is refused where others may read it', async () => {
    chmodSync(path, 0o640)
    await assert.rejects(open(), { code: 'kek-unsafe' })
    chmodSync(path, 0o600)
  })

  test('is refused where it belongs to another user', async t => {
    if (process.getuid === undefined) return t.skip('no users on this platform')
    t.mock.method(process as { getuid: () => number }, 'getuid', () => 4_000_000)
    await assert.rejects(open(), (error: unknown) => {
      assert.ok(error instanceof StartError && error.code === 'kek-unsafe')
      return /belongs to user/.test(error.message)
    })
  })

  test('is refused where the file is no such file', async () => {
    const file = join(directory, 'broken.json')
    for (const content of ['', '{', '{}', '[]', JSON.stringify({ format: 'casemate-kek/2' })]) {
      writeFileSync(file, content, { mode: 0o600 })
      await assert.rejects(open(null, true, file), { code: 'kek-damaged' }, content)
    }
    const good = JSON.parse(readFileSync(path, 'utf8'))
    for (const change of [{ current: 99 }, { versions: [{ version: good.current, key: 'AAAA' }] }]) {
      writeFileSync(file, JSON.stringify({ ...good, ...change }))
      await assert.rejects(open(null, true, file), { code: 'kek-damaged' })
    }
  })

  test('is not made anew where something is wrapped already', async () => {
    await assert.rejects(open(null, false, join(directory, 'lost.json')), { code: 'kek-missing' })
  })

  test('under a passphrase opens with that one alone, and is not in the file', async () => {
    const file = join(directory, 'sealed.json')
    const wrapped = await (await open('correct horse', true, file)).wrap(bytes('x'), 'p')
    assert.equal(text(await (await open('correct horse', true, file)).unwrap(wrapped, 'p')), 'x')
    await assert.rejects(open('wrong horse', true, file), { code: 'kek-passphrase-wrong' })
    await assert.rejects(open(null, true, file), { code: 'kek-passphrase-missing' })
    const { protection, versions } = JSON.parse(readFileSync(file, 'utf8'))
    assert.equal(protection.kind, 'scrypt')
    assert.equal(Buffer.from(versions[0].key, 'base64').length, 60)
  })

  test('that no passphrase protects is not opened with one', async () => {
    await assert.rejects(open('some horse'), { code: 'config-conflict' })
  })
})

describe('a backup of the database', () => {
  const secret = { repository: 'r', type: 't', tag: 'n' }
  const read = (broker: TestBroker) => broker.context.secrets.withPlaintext(secret, 1, text)
  const retire = (broker: TestBroker, version: number) =>
    broker.send('POST', '/v1/keys/retire', { payload: { key: 'kek', version } })

  /** Two data directories of one broker: as it was before its key was rotated, and as it is after. */
  async function rotated(t: TestContext) {
    const broker = await openTestBroker()
    const backup = temporaryDirectory()
    t.after(() => {
      for (const directory of [broker.dataDir, backup]) rmSync(directory, { recursive: true, force: true })
    })
    assert.equal((await broker.send('PUT', '/v1/secrets/r/t/n', { payload: 'x' })).status, 201)
    await broker.close('keep-data')
    cpSync(broker.dataDir, backup, { recursive: true })
    const opening = { dataDir: broker.dataDir, admin: broker.admin }
    const again = await openTestBroker(opening)
    assert.equal((await again.send('POST', '/v1/keys/rotate', { payload: { key: 'kek' } })).status, 200)
    return { broker: again, backup, kekFile: join(broker.dataDir, 'kek.json'), admin: broker.admin }
  }

  test('from before a rotation opens with the key file from after it, also once that rotated again', async t => {
    const { broker, backup, kekFile, admin } = await rotated(t)
    await broker.send('POST', '/v1/keys/rotate', { payload: { key: 'kek' } })
    await broker.close('keep-data')
    cpSync(kekFile, join(backup, 'kek.json'))
    const restored = await openTestBroker({ dataDir: backup, admin })
    assert.equal(await read(restored), 'x')
    await restored.close('keep-data')
  })

  test('from after a rotation is refused with the key file from before, by version and with a hint', async t => {
    const { broker, backup, kekFile, admin } = await rotated(t)
    await broker.close('keep-data')
    cpSync(join(backup, 'kek.json'), kekFile)
    await assert.rejects(openTestBroker({ dataDir: broker.dataDir, admin }), (error: unknown) => {
      assert.ok(error instanceof StartError && error.code === 'kek-missing')
      assert.match(error.message, /^version 2 of the key-encryption key is not in .*kek\.json, which has 1$/)
      assert.match(error.hint ?? '', /restore the key file of a later backup/)
      return true
    })
  })

  test('needs a version until it is retired by name, which is refused for what is in use', async t => {
    const { broker, backup, kekFile, admin } = await rotated(t)
    const current = await retire(broker, 2)
    assert.equal(current.status, 409)
    assert.match(current.text, /version 2 is the current one/)
    const unknown = await retire(broker, 3)
    assert.equal(unknown.status, 404)
    assert.match(unknown.text, /key-missing/)
    // As a rotation that moves nothing would leave it.
    const { mock } = t.mock.method(broker.context.store.wrappings, 'versionsInUse', async () => [1, 2])
    assert.equal((await retire(broker, 1)).status, 409)
    mock.restore()
    assert.equal((await retire(broker, 1)).status, 200)
    const [entry] = await broker.entries('kek.retired')
    assert.equal(entry?.['version'], 1)
    assert.equal((await retire(broker, 1)).status, 404)
    await broker.close('keep-data')
    cpSync(kekFile, join(backup, 'kek.json'))
    await assert.rejects(openTestBroker({ dataDir: backup, admin }), { code: 'kek-missing' })
  })

  test('of which one row needs a version that is gone is refused at start, not at the first read', async t => {
    const { broker, admin } = await rotated(t)
    await broker.close('keep-data')
    const db = new DatabaseSync(join(broker.dataDir, 'casemate.db'))
    db.exec('UPDATE secret_versions SET kek_version = 7')
    db.close()
    await assert.rejects(openTestBroker({ dataDir: broker.dataDir, admin }), {
      code: 'kek-missing',
      message: /^version 7 /,
    })
  })
})

describe('rotation of the key-encryption key', () => {
  test('that cannot be recorded makes no version', async t => {
    const broker = await openTestBroker()
    const versions = async () => (await broker.send('GET', '/v1/keys')).text
    const before = await versions()
    const mocked = t.mock.method(broker.context.ledger, 'append', async () => {
      throw new LedgerError('ledger-busy', 'busy')
    })
    assert.equal((await broker.send('POST', '/v1/keys/rotate', { payload: { key: 'kek' } })).status, 503)
    mocked.mock.restore()
    assert.equal(await versions(), before)
    await broker.close()
  })

  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
    for (let n = 0; n < 300; n++) {
      const path = { repository: 'r', type: 't', tag: `n${n}` }
      const change = { actor: { system: 'test' }, expected: 'any' } as const
      await broker.context.secrets.put(path, bytes(`content ${n}`), change)
    }
  })
  after(() => broker.close())

  const reads = async (from: TestBroker, n: number) =>
    from.context.secrets.withPlaintext({ repository: 'r', type: 't', tag: `n${n}` }, 1, text)

  test('moves everything to the new version, keeps the old one, and secrets stay readable meanwhile', async () => {
    const rotated = broker.send('POST', '/v1/keys/rotate', { payload: { key: 'kek' } })
    const during = await Promise.all([0, 100, 299].map(n => reads(broker, n)))
    assert.deepEqual(during, ['content 0', 'content 100', 'content 299'])
    assert.equal((await rotated).status, 200)
    assert.deepEqual(await broker.context.store.wrappings.versionsInUse(), [2])
    const { body } = await broker.send('GET', '/v1/keys')
    const versions = body.items.filter(({ purpose }: { purpose: string }) => purpose === 'kek')
    assert.deepEqual(
      versions.map(({ id, state }: { id: string; state: string }) => [id, state]),
      [
        ['1', 'previous'],
        ['2', 'current'],
      ],
    )
    assert.equal(await reads(broker, 299), 'content 299')
    for (const type of ['kek.rotated', 'kek.rewrapped']) {
      assert.ok((await broker.entries(type)).length > 0, type)
    }
  })

  test('that a crash interrupted is finished by the next start', async () => {
    await broker.close('keep-data')
    // What a crash right after the new version was made leaves: a file with both, everything wrapped by the old one.
    const kek = await openFileKeyEncryption({
      path: join(broker.dataDir, 'kek.json'),
      passphrase: null,
      mayCreate: false,
    })
    await kek.addVersion()
    broker = await openTestBroker({ dataDir: broker.dataDir, admin: broker.admin })
    assert.equal(await reads(broker, 0), 'content 0')
    const inUse = async () => (await broker.context.store.wrappings.versionsInUse()).join()
    for (let round = 0; round < 200 && (await inUse()) !== '3'; round++) await new Promise(setImmediate)
    assert.equal(await inUse(), '3')
    assert.equal(await reads(broker, 299), 'content 299')
    broker = await broker.reopen()
    assert.equal(await reads(broker, 150), 'content 150')
  })

  test('a secret put at the same time is never lost', async () => {
    const put = (n: number) => broker.send('PUT', `/v1/secrets/race/t/n${n}`, { payload: `race ${n}` })
    const puts = Array.from({ length: 40 }, (_, n) => put(n))
    const [first, second] = await Promise.all([
      broker.send('POST', '/v1/keys/rotate', { payload: { key: 'kek' } }),
      broker.send('POST', '/v1/keys/rotate', { payload: { key: 'kek' } }),
      ...puts,
    ])
    assert.deepEqual([first.status, second.status], [200, 200])
    broker = await broker.reopen()
    for (let n = 0; n < 40; n++) {
      const path = { repository: 'race', type: 't', tag: `n${n}` }
      assert.equal(await broker.context.secrets.withPlaintext(path, 1, text), `race ${n}`)
    }
  })

  test('a put that has wrapped and not yet committed is waited for', async t => {
    const { secrets } = broker.context.store
    const put = secrets.put.bind(secrets)
    const held = Promise.withResolvers<void>()
    const wrapped = Promise.withResolvers<void>()
    t.mock.method(secrets, 'put', async (...change: Parameters<typeof put>) => {
      wrapped.resolve()
      await held.promise
      return put(...change)
    })
    const putting = broker.send('PUT', '/v1/secrets/held/t/n', { payload: 'held' })
    await wrapped.promise
    let isRotated = false
    const rotate = async () => {
      await broker.send('POST', '/v1/keys/rotate', { payload: { key: 'kek' } })
      isRotated = true
    }
    const rotating = rotate()
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
    assert.equal(isRotated, false)
    held.resolve()
    assert.equal((await putting).status, 201)
    await rotating
    const path = { repository: 'held', type: 't', tag: 'n' }
    assert.equal(await broker.context.secrets.withPlaintext(path, 1, text), 'held')
  })

  test('a stored blob that is exchanged for another one does not open', async () => {
    await broker.close('keep-data')
    const db = new DatabaseSync(join(broker.dataDir, 'casemate.db'))
    db.exec(`UPDATE secret_versions SET
        data_key = (SELECT data_key FROM secret_versions v JOIN secrets s ON s.id = v.secret_id WHERE s.tag = 'n1' AND s.repository = 'r'),
        ciphertext = (SELECT ciphertext FROM secret_versions v JOIN secrets s ON s.id = v.secret_id WHERE s.tag = 'n1' AND s.repository = 'r')
      WHERE secret_id = (SELECT id FROM secrets WHERE tag = 'n2' AND repository = 'r')`)
    db.close()
    broker = await openTestBroker({ dataDir: broker.dataDir, admin: broker.admin })
    assert.equal(await reads(broker, 1), 'content 1')
    await assert.rejects(reads(broker, 2), { code: 'kek-damaged' })
  })
})

describe('token-signing keys', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  const jwks = async () =>
    (await broker.send('GET', '/.well-known/jwks.json', { token: null })).body as JSONWebKeySet
  const issue = (expiresIn = 5 * MINUTE) =>
    broker.context.tokenKeys.signToken({ sub: 'x', exp: later(broker.clock, expiresIn).getTime() / 1000 })
  const joseAccepts = async (token: string) =>
    jwtVerify(token, createLocalJWKSet(await jwks()), { currentDate: broker.clock, algorithms: ['ES256'] })

  test('a token verifies with jose by the published keys, and kid is the RFC 7638 thumbprint', async () => {
    const { payload, protectedHeader } = await joseAccepts(await issue())
    assert.equal(payload.sub, 'x')
    assert.deepEqual(Object.keys(protectedHeader), ['typ', 'alg', 'kid'])
    const [key] = (await jwks()).keys
    assert.equal(protectedHeader.kid, await calculateJwkThumbprint(key as JWK))
    assert.ok(!('d' in (key ?? {})))
  })

  test('a new key is published first, signs later, and the old one stays for the tokens it signed', async () => {
    const before = (await jwks()).keys.map(({ kid }) => kid)
    await broker.send('POST', '/v1/keys/rotate', { payload: { key: 'signing' } })
    const during = (await jwks()).keys.map(({ kid }) => kid)
    assert.equal(during.length, 2)
    const early = await issue()
    assert.equal((await joseAccepts(early)).protectedHeader.kid, before[0])
    broker.clock = later(broker.clock, 5 * MINUTE - SECOND)
    const last = await issue()
    assert.equal((await joseAccepts(last)).protectedHeader.kid, before[0])
    broker.clock = later(broker.clock, SECOND)
    assert.equal((await joseAccepts(await issue())).protectedHeader.kid, during[1])
    assert.equal((await joseAccepts(last)).protectedHeader.kid, before[0])
    broker.clock = later(broker.clock, 7 * MINUTE)
    await broker.housekeeping.run()
    assert.deepEqual(
      (await jwks()).keys.map(({ kid }) => kid),
      [during[1]],
    )
    assert.equal((await broker.entries('key.retired')).length, 1)
  })

  test('keys outlive the process', async () => {
    const token = await issue(HOUR)
    broker = await broker.reopen()
    assert.equal((await joseAccepts(token)).payload.sub, 'x')
    assert.deepEqual((await broker.context.tokenKeys.verifyToken(token, broker.clock))['sub'], 'x')
  })

  test('rotations without end are refused', async () => {
    const statuses: number[] = []
    for (let n = 0; n < 8; n++) {
      statuses.push((await broker.send('POST', '/v1/keys/rotate', { payload: { key: 'signing' } })).status)
    }
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 409])
  })

  const rejected = async (token: string, code = 'attestation-token-invalid') =>
    assert.rejects(broker.context.tokenKeys.verifyToken(token, broker.clock), { code })

  test('a token that was changed, is foreign, or says another algorithm is refused', async () => {
    const token = await issue()
    const [header = '', payload = '', signature = ''] = token.split('.')
    await rejected('')
    await rejected(`${header}.${payload}`)
    await rejected(`${header}.${payload}.${signature}x`)
    const other = Buffer.from(JSON.stringify({ sub: 'y', exp: 9e9 })).toString('base64url')
    await rejected(`${header}.${other}.${signature}`)
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
    const resign = (change: object) =>
      `${Buffer.from(JSON.stringify({ typ: 'JWT', alg: 'ES256', kid, ...change })).toString('base64url')}.${payload}.${signature}`
    await rejected(resign({ alg: 'none' }))
    await rejected(resign({ alg: 'HS256' }))
    await rejected(resign({ kid: 'unknown' }))
    await rejected(resign({ kid: undefined }))
    await rejected(resign({ crit: ['b64'] }))
    const genuine = await resignGenuinely(broker, payload)
    assert.ok(await broker.context.tokenKeys.verifyToken(await genuine({ alg: 'ES256', kid }), broker.clock))
    await rejected(await genuine({ alg: 'ES384', kid }))
    await rejected(await genuine({ kid }))
    await rejected(await genuine({ alg: 'ES256', kid, crit: ['b64'] }))
    const key = createPublicKey({ key: (await jwks()).keys[0] as never, format: 'jwk' })
    const hmac = await new SignJWT({ exp: 9e9 })
      .setProtectedHeader({ alg: 'HS256', kid })
      .sign(key.export({ type: 'spki', format: 'der' }))
    await rejected(hmac)
  })

  test('a token counts from nbf to exp only', async () => {
    const { tokenKeys } = broker.context
    const now = broker.clock.getTime() / 1000
    await rejected(await tokenKeys.signToken({ exp: now }), 'attestation-token-expired')
    await rejected(await tokenKeys.signToken({ exp: now + 10, nbf: now + 1 }))
    await rejected(await tokenKeys.signToken({ sub: 'no exp' }))
    assert.ok(
      await tokenKeys.verifyToken(await tokenKeys.signToken({ exp: now + 1, nbf: now }), broker.clock),
    )
  })
})

describe('session keys', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  const inFive = () => later(broker.clock, 5 * MINUTE)
  const refused = (sealed: string, code: string) =>
    assert.rejects(broker.context.sessionKeys.openSession(sealed, broker.clock), { code })

  test('a sealed session opens, and shows nothing of itself', async () => {
    const { sessionKeys } = broker.context
    const sealed = await sessionKeys.sealSession({ nonce: 'n'.repeat(40) }, inFive())
    assert.match(sealed, /^[\w-]+$/)
    assert.ok(!Buffer.from(sealed, 'base64url').includes('nnnn'))
    assert.deepEqual(await sessionKeys.openSession(sealed, broker.clock), { nonce: 'n'.repeat(40) })
    assert.notEqual(await sessionKeys.sealSession({}, inFive()), await sessionKeys.sealSession({}, inFive()))
  })

  test('no changed byte of it is accepted', async () => {
    const sealed = Buffer.from(await broker.context.sessionKeys.sealSession({ a: 1 }, inFive()), 'base64url')
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed)
      changed[index]! ^= 1
      await refused(changed.toString('base64url'), 'session-invalid')
      await refused(sealed.subarray(0, index).toString('base64url'), 'session-invalid')
    }
    for (const junk of ['', '=', 'a b', 'x'.repeat(5000), '💥']) await refused(junk, 'session-invalid')
  })

  test('it ends at its expiry, and not with the process', async () => {
    const sealed = await broker.context.sessionKeys.sealSession({ a: 1 }, inFive())
    broker = await broker.reopen()
    assert.deepEqual(await broker.context.sessionKeys.openSession(sealed, broker.clock), { a: 1 })
    broker.clock = inFive()
    await refused(sealed, 'session-expired')
    broker.clock = START
  })

  test('a day-old key gives way, and sessions under it last as long as they would have', async () => {
    broker.clock = later(START, DAY)
    const sealed = await broker.context.sessionKeys.sealSession({ a: 1 }, inFive())
    await broker.housekeeping.run()
    assert.deepEqual(await broker.context.sessionKeys.openSession(sealed, broker.clock), { a: 1 })
    assert.equal((await broker.context.store.keys.list('session')).length, 2)
    broker.clock = later(START, DAY + 7 * MINUTE)
    await broker.housekeeping.run()
    assert.equal((await broker.context.store.keys.list('session')).length, 1)
    await refused(sealed, 'session-invalid')
  })
})
