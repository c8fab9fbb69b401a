// Which key file a backup of the database opens with, and what is said where it does not.

import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { StartError } from '../../src/errors.ts'
import { openTestBroker, type TestBroker, temporaryDirectory } from '../broker.ts'

const text = (value: Uint8Array): string => new TextDecoder().decode(value)

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
