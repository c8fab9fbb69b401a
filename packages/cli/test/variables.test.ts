// The environment of a command: what is there under our prefix must be ours.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { casemate } from './run.ts'

test('a misspelt variable is refused by every command, and help needs none', async () => {
  const env = { CASEMATE_SERVR: 'http://127.0.0.1:1', CASEMATE_TOKEN: 'cmt_t' }
  for (const line of ['secret list', 'log key', 'verify quote.bin', 'config show']) {
    const { code, stderr } = await casemate(line.split(' '), { env })
    assert.equal(code, 2)
    assert.match(
      stderr,
      /^casemate: config-unknown: environment CASEMATE_SERVR is not a setting\nhint: .*CASEMATE_SERVER/,
    )
  }
  assert.equal((await casemate(['secret', '--help'], { env })).code, 0)
  const known = {
    CASEMATE_LISTEN: '127.0.0.1:1',
    CASEMATE_TOKEN: 'cmt_t',
    CASEMATE_SERVER: 'http://127.0.0.1:1',
  }
  assert.equal((await casemate(['secret', 'list'], { env: known })).code, 3)
})
