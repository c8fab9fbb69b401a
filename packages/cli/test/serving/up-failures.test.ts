// How `casemate up` does not start, or ends, because of its data: with a code, a reason, and what to do.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { casemate, serving, temporaryDirectory } from '../run.ts'

const READY = /casemate token revoke|--new-admin-token/
const UP = ['up', '--listen', '127.0.0.1:0', '--metrics-listen', 'off']
const database = (cwd: string) => join(cwd, '.casemate', 'casemate.db')

test('a ledger that fails ends `up`, with its code, a hint and an exit code that is not 0', {
  timeout: 60_000,
}, async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  const broker = await serving([], READY, { cwd })
  const token = readFileSync(join(cwd, '.casemate', 'admin-token'), 'utf8').trim()
  const other = new DatabaseSync(database(cwd))
  other.exec('DELETE FROM ledger_head')
  other.close()
  const closed = once(broker.child, 'close')
  const { status } = await fetch(`${broker.url}/v1/secrets/default/key/one`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: 'x',
  })
  assert.equal(status, 500)
  const [code] = (await closed) as [number | null]
  const { text } = await broker.stop('SIGTERM')
  assert.equal(code, 1)
  assert.match(text, /^casemate: ledger-damaged: the head of the log is missing\nhint: .*backup/m)
  assert.doesNotMatch(text, /internal-error|stopped; everything/)
})

test('a database that is older than its mark is refused with the flag that goes on from it, and that flag works once', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  const first = await serving([], READY, { cwd })
  await first.stop('SIGTERM')
  copyFileSync(database(cwd), `${database(cwd)}.backup`)
  await (await serving([], READY, { cwd })).stop('SIGTERM')
  copyFileSync(`${database(cwd)}.backup`, database(cwd))
  const refused = await casemate(UP, { cwd })
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /^casemate: ledger-cut: .*missing/)
  const flag = /casemate up (--restored) (\d+)/.exec(refused.stderr)?.slice(1) ?? []
  assert.equal(flag.length, 2, refused.stderr)
  await (await serving(flag, READY, { cwd })).stop('SIGTERM')
  const again = await casemate([...UP, ...flag], { cwd })
  assert.match(again.stderr, /^casemate: config-conflict: /)
  await (await serving([], READY, { cwd })).stop('SIGTERM')
})

test('a database that is gone is begun anew by name', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  await (await serving([], READY, { cwd })).stop('SIGTERM')
  rmSync(database(cwd))
  const refused = await casemate(UP, { cwd })
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /^casemate: database-missing: .*\n.*casemate up --begin-anew/)
  const anew = await serving(['--begin-anew'], READY, { cwd })
  assert.match(anew.text, /admin-token/)
  await anew.stop('SIGTERM')
})

test('how to begin is said in one way that can be read', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  for (const flags of [
    ['--restored', '12', '--begin-anew'],
    ['--restored', 'yesterday'],
    ['--restored', '-1'],
    ['--restored', '9007199254740993'],
  ]) {
    const { code, stderr } = await casemate([...UP, ...flags], { cwd })
    assert.equal(code, 2, flags.join(' '))
    assert.match(stderr, /^casemate: flag-value-(invalid|unwanted|missing): .*--restored/)
  }
})
