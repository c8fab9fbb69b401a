// The log of what those before have done: shown, and proved by its key alone.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { casemate, type Ran } from '../run.ts'
import { beside, broker, cwd, jsonOf } from './broker.ts'

export function logTests(): void {
  test('the log shows who did what, and a receipt is proved offline by the log’s key alone', async () => {
    const shown = await beside('log show --limit 500')
    assert.match(shown.stdout, /^INDEX +AT +WHAT +WHO +ABOUT\n/)
    // An id of an attestation would take half of the row.
    assert.match(shown.stdout, / …[0-9a-f]{8} /)
    const env = { CASEMATE_SERVER: broker.url }
    const onScreen = await casemate(['log', 'show', '--limit', '500'], { cwd, env, screen: true })
    assert.deepEqual(
      onScreen.stdout.split('\n').filter(line => line.length > 80),
      [],
    )
    assert.match(onScreen.stdout, /admin\.used +first\n {7}PUT \/v1\/secrets\/\S+ → 412\n/)
    const newest = (await jsonOf('log show --limit 2')) as { items: { index: number }[]; more: boolean }
    assert.equal(newest.more, true)
    assert.equal(newest.items[0]!.index, newest.items[1]!.index + 1)
    assert.ok(newest.items[1]!.index >= Number(/\n(\d+) /.exec(shown.stdout)?.[1]))
    const [, index] = /^(\d+) .*release\.granted .*default\/demo\/greeting$/m.exec(shown.stdout) ?? []
    const receipt = await beside(`log receipt ${index}`)
    const key = (await beside('log key')).stdout.trim()
    const verify = (text: string, by: string): Promise<Ran> =>
      casemate(['log', 'verify', '-', '--key', by], { cwd, input: text })
    const proved = await verify(receipt.stdout, key)
    assert.equal(proved.code, 0, proved.stderr)
    assert.match(
      proved.stdout,
      /what +release\.granted\n[^]*about +default\/demo\/greeting\n[^]*Verdict: proved/,
    )
    const changed = await verify(
      receipt.stdout.replace('default/demo/greeting', 'default/demo/breeding'),
      key,
    )
    assert.equal(changed.code, 1)
    assert.match(changed.stderr, /^casemate: receipt-invalid: /)
    const otherKey = 'casemate+00000000+AZ46NgP0Pqmipb8FnI7m1EVeCACw5inJg+IPdIMZ9tpg'
    assert.equal((await verify(receipt.stdout, otherKey)).code, 2)
    assert.match((await beside('log show 0')).stdout, /"index": 0/)
  })

  test('growth is proved from an old checkpoint, and a forged one is refused', async () => {
    const old = (await beside('log checkpoint')).stdout
    writeFileSync(join(cwd, 'checkpoint.txt'), old)
    await beside('secret put default/db/more', 'x')
    const key = (await beside('log key')).stdout.trim()
    const check = (file: string): Promise<Ran> => beside(['log', 'check', '--since', file, '--key', key])
    const grown = await check('checkpoint.txt')
    assert.equal(grown.code, 0, grown.stderr)
    assert.match(grown.stdout, /Verdict: consistent, nothing was removed or changed, \d+ added\n$/)
    writeFileSync(
      join(cwd, 'forged.txt'),
      old.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) - 1}\n`),
    )
    const forged = await check('forged.txt')
    assert.equal(forged.code, 1)
    assert.match(forged.stderr, /^casemate: checkpoint-untrusted: /)
  })
}
