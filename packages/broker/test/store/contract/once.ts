// Work that one process does at a time, and whether the store can be read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Both } from './common.ts'

export function describeOnce(both: Both): void {
  test('one process does a kind of work at a time, and another may when it is over or has failed', async () => {
    const [one, other] = both()
    const begun = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const first = one.store.exclusively('housekeeping', async () => {
      begun.resolve()
      await finish.promise
    })
    await begun.promise
    assert.equal(await other.store.exclusively('housekeeping', () => assert.fail('it is being done')), false)
    let others = 0
    assert.equal(await other.store.exclusively('another kind', async () => void others++), true)
    finish.resolve()
    assert.equal(await first, true)
    const failing = other.store.exclusively('housekeeping', () => Promise.reject(new Error('failed')))
    await assert.rejects(failing, /failed/)
    assert.equal(await one.store.exclusively('housekeeping', async () => void others++), true)
    assert.equal(others, 2)
  })

  test('a store that can be read says so', async () => {
    for (const { store } of both()) await store.check()
  })
}
