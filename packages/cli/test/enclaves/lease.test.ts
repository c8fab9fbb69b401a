// `enclave run --listen` under a lease: a real broker, real processes, and calls that are under way when it ends.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SIGNING } from '../../../enclave/test/image/keys.ts'
import { BIN } from '../bin.ts'
import { casemateProcess, environment, type Ran, type Serving, serving, temporaryDirectory } from '../run.ts'
import { typingIn } from '../typing.ts'

const SOURCE = `import { log, secret, text } from 'casemate'

export function phrase(input: Uint8Array): Uint8Array {
  return secret('default/lease/phrase')
}

/** Does not end by itself. */
export function spin(input: Uint8Array): Uint8Array {
  log('spinning')
  let n: u64 = 1
  while (n != 0) n = n * 6364136223846793005 + 1442695040888963407 | 1
  return input
}
`

const cwd = temporaryDirectory(after)
/** Long, since where a renewal takes longer than a third of it, the lease is lost. */
const LIFETIME = '12s'
let broker: Serving
/** One that will be killed, with data of its own. */
let mortal: Serving
const MORTAL_DATA = join(cwd, 'mortal')

const { ran, done } = typingIn(cwd, { env: () => ({ CASEMATE_SERVER: broker.url }) })
const { done: doneAtMortal } = typingIn(cwd, {
  env: () => ({ CASEMATE_SERVER: mortal.url, CASEMATE_DATA_DIR: MORTAL_DATA }),
})

interface Listening {
  readonly child: ChildProcess
  readonly address: string
  readonly says: (pattern: RegExp) => Promise<void>
  readonly text: () => string
  readonly ended: Promise<number | null>
}

const started: ChildProcess[] = []

async function listening(flags: readonly string[], { url }: Serving = broker): Promise<Listening> {
  const args = ['enclave', 'run', 'lease.enclave', '--server', url, '--listen', '127.0.0.1:0', ...flags]
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  started.push(child)
  let [text, over] = ['', false]
  child.stderr.on('data', chunk => (text += String(chunk)))
  const ended = new Promise<number | null>(resolve =>
    child.once('close', code => {
      over = true
      resolve(code)
    }),
  )
  const says = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) {
      if (over) throw new Error(`ended without ${pattern}:\n${text}`)
      await sleep(10)
    }
  }
  await says(/answers on/)
  return { child, address: /answers on (\S+);/.exec(text)?.[1] ?? '', says, text: () => text, ended }
}

const call = (address: string, rest: string, env = {}): Promise<Ran> =>
  casemateProcess(`enclave call ${address} ${rest} --simulated --measurement ${measurement}`.split(' '), {
    cwd,
    env,
  })

let measurement = ''

/** The secret, for every enclave. */
async function release(content: string, at = done): Promise<void> {
  await at('secret put default/lease/phrase', content)
  await at('rule set lease --secrets default/lease/* --expression claims.enclave!=null')
}

/** Its memory is kept for large calls, and no core holds it. */
function assertServer({ pid }: ChildProcess): void {
  const flags = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
  assert.ok(flags.includes('--external-memory-accounted-in-global-limit'), flags.join(' '))
  assert.match(readFileSync(`/proc/${pid}/coredump_filter`, 'latin1'), /^0*\n$/)
}

async function phrase(address: string, flags = ''): Promise<string> {
  const { code, stdout, stderr } = await call(address, `phrase --input x ${flags}`.trim())
  assert.equal(code, 0, stderr)
  return stdout
}

/** A call that is under way until the enclave ends it, or its time is over. */
async function spinning({ address, says }: Listening, env = {}): Promise<{ readonly ended: Promise<Ran> }> {
  const flags = 'CASEMATE_DATA_DIR' in env ? ' --attest' : ''
  const ended = call(address, `spin --input x${flags}`, env)
  await says(/log: spinning/)
  return { ended }
}

function assertEnded({ code, stdout, stderr }: Ran): void {
  assert.notEqual(code, 0)
  assert.equal(stdout, '')
  assert.match(stderr, /casemate: (enclave-closed|enclave-timeout): /)
}

before(async () => {
  const settings = ['--tour', '--token-lifetime', LIFETIME]
  broker = await serving(settings, /Try next/, { cwd })
  mortal = await serving(settings, /Try next/, { cwd, env: { CASEMATE_DATA_DIR: MORTAL_DATA } })
  mkdirSync(join(cwd, 'lease'))
  writeFileSync(join(cwd, 'lease', 'lease.ts'), SOURCE)
  writeFileSync(join(cwd, 'lease', 'enclave.json'), JSON.stringify({ secrets: ['default/lease/phrase'] }))
  await done('enclave build lease/lease.ts --name lease --out lease.enclave')
  writeFileSync(join(cwd, 'dev.pem'), SIGNING.privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  })
  measurement = JSON.parse((await done('enclave sign lease.enclave --key dev.pem --json')).stdout).measurement
  await release('one')
  await release('one', doneAtMortal)
})
after(() => {
  for (const child of started) child.kill('SIGKILL')
})

describe('an enclave that listens', {
  skip: process.platform === 'win32' && 'signals of POSIX',
  concurrency: 2,
}, () => {
  test('is started anew with a changed secret or keeps it, and ends or is kept when it is withdrawn', async () => {
    const [stopping, keeping] = await Promise.all([
      listening(['--on-change', 'restart', '--grace', '0']),
      listening(['--on-lease-end', 'keep']),
    ])
    for (const { address } of [stopping, keeping]) assert.equal(await phrase(address), 'one')
    if (existsSync('/proc/self/cmdline')) assertServer(stopping.child)
    await done('secret put default/lease/phrase', 'two')
    await stopping.says(/changed at the broker: default\/lease\/phrase; the enclave is started anew\n/)
    await keeping.says(/changed at the broker: default\/lease\/phrase; the enclave keeps what it was given\n/)
    // One that is under way while the enclaves change places may fail.
    while ((await call(stopping.address, 'phrase --input x')).stdout !== 'two') await sleep(50)
    assert.equal(await phrase(keeping.address), 'one')

    const spin = await spinning(stopping)
    await done('rule delete lease')
    assert.equal(await stopping.ended, 124, stopping.text())
    assert.match(stopping.text(), /casemate: release-denied: .*; the lease is withdrawn\n/)
    assertEnded(await spin.ended)
    await keeping.says(/release-denied: .*; the lease is withdrawn\n/)
    assert.equal(await phrase(keeping.address), 'one')
    keeping.child.kill('SIGTERM')
    assert.equal(await keeping.ended, 0)
  })

  test('answers none but callers whom its policy wants, and ends with a call under way when nobody renews its lease', async () => {
    const policy = (file: string, more: object): string => {
      const base = { extends: 'strict', name: 'callers', version: 1, workloads: 'any', simulated: 'any' }
      writeFileSync(join(cwd, file), JSON.stringify({ ...base, ...more }))
      return file
    }
    const trust = ['--simulator', 'mortal/simulator', '--trust', 'mortal/simulator/public-trust.json']
    const [machines, enclaves] = await Promise.all([
      listening(['--grace', '0', '--policy', policy('machines.json', {}), ...trust], mortal),
      listening(
        ['--policy', policy('enclaves.json', { enclave: { mrEnclave: [measurement] } }), ...trust],
        mortal,
      ),
    ])
    const env = { CASEMATE_DATA_DIR: MORTAL_DATA }
    const asked = 'phrase --input x'
    const [known, nobody, machine] = await Promise.all([
      call(machines.address, `${asked} --attest`, env),
      call(machines.address, asked, env),
      call(enclaves.address, `${asked} --attest`, env),
    ])
    assert.equal(known.stdout, 'one', known.stderr)
    assert.match(nobody.stderr, /casemate: identity-missing: /)
    assert.deepEqual([nobody.code, machine.code], [2, 1], machine.stderr)
    await enclaves.says(/refused: appraisal-refused: /)
    assert.equal(nobody.stdout + machine.stdout, '')

    await mortal.stop('SIGKILL')
    await machines.says(/casemate: unreachable: .*; asking again/)
    const spin = await spinning(machines, env)
    assert.equal(await machines.ended, 124, machines.text())
    assert.match(machines.text(), /casemate: lease-ended: the lease has ended and was not renewed\n/)
    assertEnded(await spin.ended)
    assert.equal(await enclaves.ended, 124, enclaves.text())
  })

  test('is told by flags that fit together only', async () => {
    const listen = 'enclave run lease.enclave --listen 127.0.0.1:0'
    const wrong: readonly (readonly [string, string])[] = [
      [`${listen} --policy strict`, 'argument-missing'],
      [`${listen} --references x.json`, 'flag-value-unwanted'],
      [`${listen} --trust x.json`, 'flag-value-unwanted'],
      [`${listen} --on-lease-end keep`, 'flag-value-unwanted'],
      [`${listen} --on-change restart`, 'flag-value-unwanted'],
      [`${listen} --server ${broker.url} --on-lease-end kill`, 'flag-value-invalid'],
      [`${listen} --server ${broker.url} --on-change SIGHUP`, 'flag-value-invalid'],
      [`${listen} --grace soon`, 'flag-value-invalid'],
      [`${listen} --input x`, 'flag-value-invalid'],
      ['enclave run lease.enclave --input x --call phrase --grace 1', 'flag-value-unwanted'],
      ['enclave run lease.enclave --input x --call phrase --policy strict', 'flag-value-unwanted'],
      ['enclave call 127.0.0.1:7 f --input x --kind snp --simulated --signer x', 'flag-value-invalid'],
      [
        `enclave call 127.0.0.1:7 f --input x --simulated --measurement ${measurement} --kind snp`,
        'flag-value-unwanted',
      ],
    ]
    for (const [line, code] of wrong) {
      const { code: exited, stderr } = await ran(line)
      assert.equal(exited, 2, line)
      assert.ok(stderr.startsWith(`casemate: ${code}: `), `${line}\n${stderr}`)
    }
  })
})
