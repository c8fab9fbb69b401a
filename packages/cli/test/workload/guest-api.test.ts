// `casemate agent` as the software of a guest uses it, beside a broker whose results live for seconds.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseKbsEvidence } from '@casemate/evidence'
import { compactVerify, createLocalJWKSet, flattenedDecrypt, importPKCS8 } from 'jose'
import { BIN } from '../bin.ts'
import { environment, type Serving, serving, temporaryDirectory } from '../run.ts'
import { typingIn } from '../typing.ts'

/** Where a renewal takes longer than a third of it, the lease is lost. */
const LIFETIME = '9s'

const cwd = temporaryDirectory(after)
let broker: Serving
let agent: ChildProcess
let url = ''
let stderr = ''

const { done: admin } = typingIn(cwd, { env: () => ({ CASEMATE_SERVER: broker.url }) })

async function get(path: string): Promise<readonly [number, string]> {
  const answer = await fetch(url + path)
  return [answer.status, await answer.text()]
}

/** Waits until the agent has said that on its standard error. */
async function said(pattern: RegExp): Promise<void> {
  while (!pattern.test(stderr)) await sleep(20)
}

/** Asks until the answer is that. */
async function until(path: string, status: number): Promise<void> {
  while ((await get(path))[0] !== status) await sleep(50)
}

before(async () => {
  broker = await serving(['--tour', '--token-lifetime', LIFETIME], /Ctrl-C stops/, { cwd })
  agent = spawn(process.execPath, [BIN, 'agent', '--port', '0', '--json'], {
    cwd,
    env: environment({ CASEMATE_SERVER: broker.url }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  agent.stderr?.on('data', chunk => (stderr += String(chunk)))
  const [line] = (await once(agent.stdout ?? agent, 'data')) as [Buffer]
  const ready = JSON.parse(line.toString())
  assert.deepEqual([ready.tee, ready.simulated], ['tdx', true])
  url = ready.guestApi
})
after(() => {
  agent.kill('SIGKILL')
  broker.child.kill('SIGKILL')
})

describe('casemate agent', () => {
  test('gives the secrets that the broker releases to it, and those alone', async () => {
    assert.deepEqual(await get('/cdh/resource/default/demo/greeting'), [
      200,
      'Good morning from inside the vault.',
    ])
    const [status, text] = await get('/cdh/resource/default/demo/other')
    assert.equal(status, 500)
    assert.match(text, /^(secret-missing|release-denied): /)
  })

  test('gives one token to all who ask at once, and never its own', async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => get('/aa/token?token_type=coco_as')))
    assert.equal(new Set(tokens.map(([, token]) => token)).size, 1)
    // After half of its life there is another.
    while ((await get('/aa/token?token_type=coco_as'))[1] === tokens[0]?.[1]) await sleep(100)
  })

  test('gives a token with the key that it binds, with which any client fetches secrets', async () => {
    const [status, text] = await get('/aa/token?token_type=kbs')
    assert.equal(status, 200)
    const answer = JSON.parse(text) as { token: string; tee_keypair: string }
    assert.deepEqual(Object.keys(answer), ['token', 'tee_keypair'])
    const jwks = await (await fetch(`${broker.url}/.well-known/jwks.json`)).json()
    const { payload } = await compactVerify(answer.token, createLocalJWKSet(jwks as never))
    const claims = JSON.parse(new TextDecoder().decode(payload))
    const bound = claims.submods.cpu0['ear.veraison.annotated-evidence'].runtime_data_claims['tee-pubkey']
    const { x, y } = createPublicKey(createPrivateKey(answer.tee_keypair)).export({ format: 'jwk' })
    assert.deepEqual([bound.x, bound.y], [x, y])
    const released = await fetch(`${broker.url}/kbs/v0/resource/default/demo/greeting`, {
      headers: { authorization: `Bearer ${answer.token}` },
    })
    const key = await importPKCS8(answer.tee_keypair, 'ECDH-ES+A256KW')
    const { plaintext } = await flattenedDecrypt((await released.json()) as never, key)
    assert.equal(new TextDecoder().decode(plaintext), 'Good morning from inside the vault.')
  })

  test('gives evidence of this platform for the data that was asked for', async () => {
    const [status, text] = await get('/aa/evidence?runtime_data=cmVwb3J0&encoding=base64')
    assert.equal(status, 200)
    const parsed = parseKbsEvidence('tdx', JSON.parse(text))
    assert.match(JSON.stringify(parsed, bytesAsHex), new RegExp(`7265706f7274${'00'.repeat(58)}`))
  })

  test('writes neither a token nor a key to a disk, and opens no debugger', async () => {
    const answer = JSON.parse((await get('/aa/token?token_type=kbs'))[1]) as {
      token: string
      tee_keypair: string
    }
    const needles = [answer.token.split('.')[2] ?? '', answer.tee_keypair.split('\n')[2] ?? '']
    for (const entry of readdirSync(cwd, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const bytes = readFileSync(join(entry.parentPath, entry.name))
      assert.ok(!needles.some(needle => bytes.includes(needle)), entry.name)
    }
    agent.kill('SIGUSR1')
    assert.equal((await get('/info'))[0], 200)
    await sleep(300)
    assert.doesNotMatch(stderr, /Debugger/)
  })

  test('says at a hang-up that there is nothing to read again, and goes on', async () => {
    agent.kill('SIGHUP')
    await said(/casemate: SIGHUP changes nothing/)
    assert.equal((await get('/info'))[0], 200)
  })

  test('gives nothing while the policy refuses it, and everything again afterwards', async () => {
    const policy = join(cwd, 'policy.yaml')
    const ran = await admin('policy get default')
    writeFileSync(policy, 'extends: strict\n')
    await admin(`policy set default ${policy}`)
    await until('/cdh/resource/default/demo/greeting', 500)
    assert.match((await get('/cdh/resource/default/demo/greeting'))[1], /^appraisal-refused: /)
    await said(/casemate: appraisal-refused: .*; the lease is withdrawn\n/)
    writeFileSync(policy, ran.stdout.replace(/^version: .*\n/m, ''))
    await admin(`policy set default ${policy}`)
    await until('/cdh/resource/default/demo/greeting', 200)
    await said(/casemate: the lease is renewed, for \d+ s\n/)
  })

  test('gives nothing when the lease has ended without a broker, and stops when it is told to', async () => {
    await broker.stop('SIGKILL')
    // Without a broker the answer is 503 while the lease still lives; only its end withdraws what the agent holds.
    await said(/casemate: lease-ended: /)
    assert.equal((await get('/cdh/resource/default/demo/greeting'))[0], 503)
    assert.equal((await get('/aa/evidence?runtime_data=x'))[0], 200)
    assert.equal((await get('/aa/token?token_type=kbs'))[0], 503)
    agent.kill('SIGTERM')
    assert.deepEqual(await once(agent, 'close'), [0, null])
  })
})

function bytesAsHex(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return typeof value === 'bigint' ? String(value) : value
}
