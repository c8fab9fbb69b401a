// Settings of a command: each value is shown with where it comes from, and a name that is no setting is refused.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { casemate, temporaryDirectory } from '../run.ts'

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

test('config show says where each value comes from, and refuses an unknown key', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  writeFileSync(join(directory, 'casemate.yaml'), 'issuer: from-file\nlogLevel: warn\n')
  const args = ['config', 'show', '--config', 'casemate.yaml', '--log-level', 'error']
  const { code, stdout } = await casemate(args, { cwd: directory, env: { CASEMATE_DATA_DIR: '/data' } })
  assert.equal(code, 0)
  assert.match(stdout, /^issuer +from-file +file casemate\.yaml$/m)
  assert.match(stdout, /^logLevel +error +flag --log-level$/m)
  assert.match(stdout, /^dataDir +\/data +environment CASEMATE_DATA_DIR$/m)
  assert.match(stdout, /^listen +127\.0\.0\.1:8080 +default$/m)
  writeFileSync(join(directory, 'casemate.yaml'), 'isuer: x\n')
  const bad = await casemate(['config', 'show', '--config', 'casemate.yaml'], { cwd: directory })
  assert.equal(bad.code, 2)
  assert.match(bad.stderr, /^casemate: config-unknown: isuer in casemate\.yaml[^]*hint: did you mean issuer/)
})
