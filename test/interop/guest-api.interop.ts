// The guest API with software that we did not write: Python's HTTP client asks for a token, and the guest of
// interop/kbs-client (Rust), which parses the key and the result by itself, fetches a secret with them.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { buildClient, runClient, whyNoCargo } from './client.ts'
import { startServing } from './serving.ts'

const GREETING = 'Good morning from inside the vault.'
const PATH = 'default/demo/greeting'

const FETCH =
  'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=20).read())'

function whyNot(): string | false {
  const python = spawnSync('python3', ['--version'], { stdio: 'ignore' })
  return whyNoCargo() ?? (python.status === 0 ? false : 'python3 is not installed')
}

suite('a guest that is not ours', { skip: whyNot() }, () => {
  test('uses the token, the key and the secrets of the guest API', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'casemate-interop-'))
    after(() => rmSync(cwd, { recursive: true, force: true }))
    buildClient()
    const tour = ['up', '--tour', '--listen', '127.0.0.1:0', '--token-lifetime', '1m']
    const [url = ''] = await startServing(cwd, tour, /http:\/\/127\.0\.0\.1:\d+(?=[^]*Ctrl-C)/)
    const agent = ['agent', '--port', '0', '--server', url]
    const [, api = ''] = await startServing(cwd, agent, /guest API at (\S+)\n/)
    const fetched = (path: string): Buffer => execFileSync('python3', ['-c', FETCH, api + path])

    assert.equal(fetched(`/cdh/resource/${PATH}`).toString(), GREETING)
    const answer = JSON.parse(fetched('/aa/token?token_type=kbs').toString()) as Record<string, string>
    const [token, key] = [join(cwd, 'token'), join(cwd, 'key.pem')]
    writeFileSync(token, answer['token'] ?? '')
    writeFileSync(key, answer['tee_keypair'] ?? '', { mode: 0o600 })
    const files = ['--tee-key-file', key, '--attestation-token', token]
    const run = await runClient('--url', url, 'get-resource', '--path', PATH, ...files)
    assert.equal(run.code, 0, run.failure)
    assert.equal(Buffer.from(run.stdout, 'base64').toString(), GREETING)
    // No handshake of its own: what the agent had given was enough.
    assert.deepEqual(
      run.exchanges.map(({ path, status }) => [path, status]),
      [[`/kbs/v0/resource/${PATH}`, 200]],
    )
  })
})
