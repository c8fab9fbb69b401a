// The keys that seal challenges: what they sealed opens for its time, unchanged, and for nobody else.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { KeyRing } from '../../src/keys/key-ring.ts'
import type { KeyEncryption } from '../../src/keys/keys.ts'
import { SealingKeys } from '../../src/keys/session-keys.ts'
import { createStoredKey } from '../../src/keys/stored-key.ts'
import type { KeyStore, WrappedKey } from '../../src/store/store.ts'
import { DAY, later, MINUTE, openTestBroker, START, type TestBroker } from '../broker.ts'

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

test('a session that another process sealed with a key of its own opens here, and keys that are gone are gone', async () => {
  // Wraps as good as nothing: what is shared is the store.
  const kek = {
    wrap: async (plaintext: Uint8Array) => ({ kekVersion: 1, bytes: plaintext.slice() }),
    unwrap: async ({ bytes }: WrappedKey) => bytes.slice(),
  } as unknown as KeyEncryption
  const stored = [await createStoredKey('session', kek, { now: START, activeFrom: START })]
  const store = { list: async () => [...stored] } as unknown as KeyStore
  const open = async () => {
    const ring = new KeyRing('session', store, kek)
    await ring.load()
    return new SealingKeys(ring, async () => ring.current(START) ?? assert.fail('no key'))
  }
  const one = await open()
  stored.push(await createStoredKey('session', kek, { now: START, activeFrom: START }))
  const other = await open()
  const sealed = await other.sealSession({ by: 'other' }, later(START, MINUTE))
  assert.deepEqual(await one.openSession(sealed, START), { by: 'other' })
  stored.splice(0)
  await assert.rejects((await open()).openSession(sealed, START), { code: 'session-invalid' })
})
