// The broker's own keys, and all that is wrapped by the key-encryption key.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredKey } from '../../../src/store/store.ts'
import { AT, type Both, type Handle, MINUTE_MS, record, sealedAs } from './common.ts'

export function describeKeys(both: Both): void {
  const key = (id: string, purpose: StoredKey['purpose'] = 'token'): StoredKey => ({
    id,
    purpose,
    publicJwk: null,
    wrapped: { kekVersion: 1, bytes: new Uint8Array([1]) },
    createdAt: AT,
    activeFrom: AT,
    retiresAt: null,
  })

  test('of the ledger is one, whoever begins', async () => {
    const [one, other] = both()
    const first = await one.store.keys.bootstrap(key('first', 'ledger'))
    assert.equal((await other.store.keys.bootstrap(key('second', 'ledger'))).id, first.id)
    assert.equal((await one.store.keys.list('ledger')).length, 1)
  })

  test('are seen as another process left them, and retire from what they were', async () => {
    const [one, other] = both()
    await one.store.keys.rotate(key('old'), [], record('key.created'))
    const retiresAt = new Date(AT.getTime() + MINUTE_MS)
    await other.store.keys.rotate(key('new'), [{ id: 'old', retiresAt }], record('key.rotated'))
    const listed = await one.store.keys.list('token')
    assert.deepEqual(listed.find(({ id }) => id === 'old')?.retiresAt, retiresAt)
    await other.store.keys.delete(['old'], record('key.retired'))
    await assert.rejects(one.store.keys.delete(['old'], record('key.retired')), { code: 'change-refused' })
    const late = one.store.keys.rotate(key('newest'), [{ id: 'old', retiresAt }], record('key.rotated'))
    await assert.rejects(late, { code: 'conflict' })
    assert.deepEqual(
      (await other.store.keys.list('token')).map(({ id }) => id),
      ['new'],
    )
  })

  test('have one successor, whoever else makes one at the same time', async () => {
    const [one, other] = both()
    const before = await one.store.keys.list('token')
    const retired = before.map(({ id }) => ({ id, retiresAt: new Date(AT.getTime() + MINUTE_MS) }))
    const made = await Promise.allSettled([
      one.store.keys.rotate(key('next'), retired, record('key.rotated')),
      other.store.keys.rotate(key('too-late'), retired, record('key.rotated')),
    ])
    assert.deepEqual(
      made.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.deepEqual((made[1] as PromiseRejectedResult).reason.code, 'conflict')
    const left = (await other.store.keys.list('token')).filter(({ retiresAt }) => retiresAt === null)
    assert.deepEqual(
      left.map(({ id }) => id),
      ['next'],
    )
  })

  test('and secrets are rewrapped where they still are under an older version', async () => {
    const [one, other] = both()
    await one.store.secrets.put(sealedAs(6), 'any', record('secret.put'))
    const stale = await one.store.wrappings.stale(2, 100)
    assert.ok(stale.length > 1)
    const rewrapped = stale.map(item => ({ ...item, wrapped: { kekVersion: 2, bytes: new Uint8Array([2]) } }))
    const rewrap = ({ store }: Handle) => store.wrappings.rewrap(rewrapped, record('kek.rewrapped'))
    assert.equal((await rewrap(other)).value, stale.length)
    assert.equal((await rewrap(one)).value, 0)
    assert.deepEqual(await one.store.wrappings.versionsInUse(), [2])
    for (const version of [1, 2]) assert.deepEqual(await one.store.wrappings.stale(version, 100), [])
  })
}
