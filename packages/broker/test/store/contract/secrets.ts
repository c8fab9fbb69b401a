// Secrets: versions that are put and go.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Precondition } from '../../../src/store/store.ts'
import { type Both, type Handle, PATH, record, refuses, sealedAs, withCode } from './common.ts'

export function describeSecrets(both: Both): void {
  const put = ({ store }: Handle, version: number, expected: Precondition = 'any') =>
    store.secrets.put(sealedAs(version), expected, record('secret.put'))
  const remove = ({ store }: Handle, expected: Precondition = 'any') =>
    store.secrets.delete(PATH, expected, record('secret.deleted'))

  test('have each version once, whoever puts it', async () => {
    const [one, other] = both()
    assert.equal((await put(one, 1, 'none')).value.isNew, true)
    const results = await Promise.allSettled([put(one, 2), put(other, 2)])
    const refusal = results.find(result => result.status === 'rejected')
    assert.ok(withCode('conflict')(refusal?.reason))
    await refuses('conflict', put(one, 1))
    await refuses('conflict', put(one, 4))
    assert.equal(await other.store.secrets.lastVersion(PATH), 2)
    assert.equal((await put(other, 3)).value.isNew, false)
    assert.equal((await one.store.secrets.open(PATH, 'current'))?.version, 3)
    assert.equal((await one.store.secrets.open(PATH, 1))?.ciphertext[0], 1)
  })

  test('lose one version or all, and never use a number twice', async () => {
    const [one, other] = both()
    const entryOf = () => ({ expected: 'any', entry: record('secret.version-deleted') }) as const
    await one.store.secrets.deleteVersion(PATH, 3, entryOf())
    assert.equal((await other.store.secrets.find(PATH))?.version, 2)
    await refuses('secret-missing', other.store.secrets.deleteVersion(PATH, 3, entryOf()))
    const revision = (await one.store.secrets.find(PATH))?.revision ?? 0
    await refuses('precondition-failed', remove(other, revision - 1))
    await remove(other, revision)
    assert.equal(await one.store.secrets.find(PATH), null)
    assert.equal(await one.store.secrets.open(PATH, 2), null)
    await refuses('secret-missing', remove(one))
    await refuses('secret-missing', remove(one, revision))
    await refuses('precondition-failed', put(one, 4, 'some'))
    assert.equal((await put(one, 4, 'none')).value.isNew, true)
    assert.deepEqual(
      (await other.store.secrets.versions(PATH)).map(({ version }) => version),
      [4],
    )
  })
}
