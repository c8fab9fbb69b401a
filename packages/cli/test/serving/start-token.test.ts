import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { savedToken, saveToken } from '../../src/serving/start-token.ts'
import { temporaryDirectory } from '../run.ts'

test('a token that cannot be kept in its file is told as lost, with the way to another', t => {
  const dataDir = temporaryDirectory(clean => t.after(clean))
  mkdirSync(join(dataDir, 'admin-token'))
  assert.throws(() => saveToken(dataDir, 'cmt_a_b'), {
    code: 'file-not-writable',
    message: `the administrator’s token cannot be kept: ${dataDir}/admin-token: it is a directory`,
    hint: /--new-admin-token: the one that was made is lost$/,
  })
  assert.equal(savedToken(dataDir), null)
})
