// What administrators hold: tokens, keys, and lists as JSON for their scripts.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Ran } from '../run.ts'
import { beside, cwd, jsonOf } from './broker.ts'

export function administratorTests(): void {
  test('tokens are shown once, do what their role may, and are worthless when revoked', async () => {
    const made = (await jsonOf('token create reader --role auditor --expires 24h')) as {
      id: string
      token: string
    }
    writeFileSync(join(cwd, 'token'), `${made.token}\n`)
    const as = (line: string): Promise<Ran> => beside([...line.split(' '), '--token-file', 'token'])
    assert.equal((await as('secret list')).code, 0)
    const written = await as('secret put default/db/more')
    assert.equal(written.code, 2, 'an empty secret is a usage error before anyone is asked')
    const denied = await as('secret delete default/db/more')
    assert.match(denied.stderr, /^casemate: role-insufficient: /)
    const used = (await beside('log show --limit 5')).stdout
    assert.match(used, /admin\.used +reader +DELETE \/v1\/secrets\/\S+ → 403\n/)
    const list = await beside('token list')
    assert.match(list.stdout, new RegExp(`\\n${made.id} +reader +auditor `))
    assert.ok(!list.stdout.includes(made.token))
    assert.equal((await beside(`token revoke ${made.id}`)).code, 0)
    const gone = await as('secret list')
    assert.equal(gone.code, 1)
    assert.match(gone.stderr, /^casemate: token-invalid: /)
  })

  test('keys are rotated while secrets stay readable', async () => {
    assert.match((await beside('key rotate kek')).stdout, /^kek is rotated: 2 is current\n$/)
    assert.match((await beside('key rotate signing')).stdout, /^signing is rotated: \S+ signs from /)
    assert.match((await beside('key list')).stdout, /\nkek +2 +current /)
    assert.equal(
      (await beside('secret get default/demo/greeting')).stdout,
      'Good morning from inside the vault.',
    )
  })

  test('every list is JSON that parses', async () => {
    for (const line of [
      'policy list',
      'rule list',
      'key list',
      'log receipt 0',
      'secret get default/demo/greeting',
      'attest',
    ]) {
      assert.equal(typeof (await jsonOf(line)), 'object', line)
    }
  })
}
