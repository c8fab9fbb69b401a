// Rotation of the key-encryption key: beside reads and writes, through a crash, and without losing anything.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { LedgerError } from '@casemate/ledger'
import { openFileKeyEncryption } from '../../src/keys/file-key-encryption.ts'
import { openTestBroker, type TestBroker } from '../broker.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array): string => new TextDecoder().decode(value)

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
