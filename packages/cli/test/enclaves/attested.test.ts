// The newcomer's way: an enclave attests to a broker that the tour started, gets its secret, and answers a caller that
// knows its measurement.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SIGNING } from '../../../enclave/test/image/keys.ts'
import { BIN } from '../bin.ts'
import { type Ran, type Serving, serving, temporaryDirectory } from '../run.ts'
import { typingIn } from '../typing.ts'

const cwd = temporaryDirectory(after)
let broker: Serving
let measurement = ''

const { ran, done, refused } = typingIn(cwd, { env: () => ({ CASEMATE_SERVER: broker.url }) })

const setRule = (expression: string): Promise<Ran> =>
  ran([
    'rule',
    'set',
    'greet',
    '--secrets',
    'default/greet/*',
    '--expression',
    expression,
    '--message',
    'greet only',
  ])

before(async () => {
  broker = await serving(['--tour'], /Try next/, { cwd })
  await done('enclave new greet')
  await done('enclave build greet/greet.ts')
  writeFileSync(join(cwd, 'dev.pem'), SIGNING.privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  })
  const { stdout } = await done('enclave sign greet.enclave --key dev.pem --json')
  measurement = JSON.parse(stdout).measurement
  await done('secret put default/greet/phrase', 'Hello')
})
after(() => broker?.stop('SIGTERM'))

test('only the enclave that the rule names gets the secret', async () => {
  const line = `enclave run greet.enclave --server ${broker.url} --input Zoë`
  await refused(line, 'release-denied', 1)
  await setRule(`claims.enclave.mrEnclave == '${'0'.repeat(64)}'`)
  await refused(line, 'release-denied', 1)
  await setRule(`claims.enclave.mrEnclave == '${measurement}'`)
  assert.equal((await done(line)).stdout, 'Hello, Zoë!')
  // The same machine, and no enclave.
  await refused('secret get default/greet/phrase', 'release-denied', 1)
})

test('an enclave that listens answers who knows its measurement, and nobody is sent anything else', async t => {
  await setRule(`claims.enclave.mrEnclave == '${measurement}'`)
  const { child, address } = await listening()
  t.after(() => child.kill('SIGKILL'))
  const call = `enclave call ${address} greet --input Zoë`
  const { stdout } = await done(`${call} --simulated --measurement ${measurement} --json`)
  const { text, peer } = JSON.parse(stdout)
  assert.equal(text, 'Hello, Zoë!')
  assert.equal(peer.enclave.mrEnclave, measurement)
  assert.equal(peer.simulated, true)
  await refused(`${call} --simulated --measurement ${'0'.repeat(64)}`, 'appraisal-refused', 1)
  await refused(`${call} --simulated --measurement ${measurement} --min-svn 1`, 'appraisal-refused', 1)
  await refused(`${call} --simulated --measurement ${measurement} --product-id 1`, 'appraisal-refused', 1)
  await refused(`${call} --measurement ${measurement}`, 'evidence-refused', 1)
  // Trusting the simulator's root is not yet accepting what it signs, nor that a machine nobody knows measures.
  const trust = '--trust .casemate/simulator/public-trust.json'
  const { code, stderr } = await ran(`${call} ${trust} --measurement ${measurement}`)
  assert.equal(code, 1)
  assert.match(stderr, /simulated: got true, want false/)
  assert.match(stderr, /measuredBy: got host, want processor/)
  await refused(
    `enclave call ${address} nothing --input x --simulated --measurement ${measurement}`,
    'function-unknown',
    2,
  )
  const closed = new Promise<number | null>(resolve => child.on('close', resolve))
  child.kill('SIGTERM')
  assert.equal(await closed, 0)
})

/** Starts `enclave run --listen`, and waits until it says where. */
async function listening(): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const args = ['enclave', 'run', 'greet.enclave', '--server', broker.url, '--listen', '127.0.0.1:0']
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  const address = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const found = /answers on (\S+);/.exec(text)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.on('close', () => reject(new Error(`ended before it listened:\n${text}`)))
  })
  return { child, address }
}
