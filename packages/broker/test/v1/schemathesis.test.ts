// schemathesis against a broker that listens: requests made from the API descriptions, valid and not, and every answer
// held against them. It is a program in Python, which scripts/install-schemathesis.sh installs; it takes minutes.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openTestBroker } from '../broker.ts'

const PROGRAM = fileURLToPath(
  new URL('../../../../node_modules/.cache/schemathesis/bin/schemathesis', import.meta.url),
)
const CONFIG = fileURLToPath(new URL('schemathesis.toml', import.meta.url))

const isLong = process.env['CASEMATE_LONG_TESTS'] !== undefined

function reasonToSkip(): string | false {
  if (!isLong) return 'takes long: CASEMATE_LONG_TESTS=1'
  if (existsSync(PROGRAM)) return false
  const reason = 'no schemathesis: scripts/install-schemathesis.sh'
  console.error(`the API descriptions are not tried out: ${reason}`)
  return reason
}

describe('what is made from the API descriptions', { skip: reasonToSkip() }, () => {
  for (const name of ['openapi.json', 'openapi-kbs.json']) {
    test(`is answered as ${name} says`, async t => {
      const broker = await openTestBroker({ flags: { 'auth-limit': '1000000' } })
      const directory = mkdtempSync(join(tmpdir(), 'casemate-schemathesis-'))
      t.after(async () => {
        await broker.close()
        rmSync(directory, { recursive: true, force: true })
      })
      const url = await broker.app.listen({ host: '127.0.0.1', port: 0 })
      const { code, output } = await schemathesis(`${url}/v1/${name}`, broker.admin, directory)
      assert.equal(code, 0, output)
      assert.match(output, /\d+ generated, \d+ passed/)
    })
  }
})

/** Its files stay in `directory`. */
async function schemathesis(
  url: string,
  token: string,
  directory: string,
): Promise<{ readonly code: number; readonly output: string }> {
  const flags = ['--max-examples', '25', '--phases', 'examples,coverage,fuzzing,stateful']
  const args = ['--config-file', CONFIG, 'run', url, '-H', `Authorization: Bearer ${token}`, ...flags]
  return new Promise(resolve => {
    execFile(PROGRAM, args, { cwd: directory, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr })
    })
  })
}
