// Administrators' tokens: one administrator is left.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredToken } from '../../../src/store/store.ts'
import { AT, type Both, type Handle, MINUTE_MS, record, refuses, withCode } from './common.ts'

export function describeTokens(both: Both): void {
  const token = (id: string, role: StoredToken['role'] = 'admin', lifeMs = MINUTE_MS): StoredToken => ({
    id,
    name: id,
    role,
    hash: new Uint8Array(32),
    createdAt: AT,
    expiresAt: new Date(AT.getTime() + lifeMs),
  })
  const insert = ({ store }: Handle, what: StoredToken) => store.tokens.insert(what, record('token.created'))
  const remove = ({ store }: Handle, id: string) => store.tokens.delete(id, AT, record('token.deleted'))

  test('leave one administrator, whoever deletes the others', async () => {
    const [one, other] = both()
    for (const id of ['a', 'b']) await insert(one, token(id))
    await insert(one, token('auditor', 'auditor'))
    await insert(one, token('over', 'admin', -1))
    const results = await Promise.allSettled([remove(one, 'a'), remove(other, 'b')])
    const refusal = results.find(result => result.status === 'rejected')
    assert.ok(withCode('last-admin')(refusal?.reason))
    assert.equal(await one.store.tokens.countValidAdmins(AT), 1)
    await remove(other, 'auditor')
    await refuses('token-unknown', remove(one, 'auditor'))
    await remove(one, 'over')
  })

  test('have an id of their own', async () => {
    const [one, other] = both()
    await insert(one, token('c'))
    await assert.rejects(insert(other, token('c')), { code: 'change-refused' })
  })
}
