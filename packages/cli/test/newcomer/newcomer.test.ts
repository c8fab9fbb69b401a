// A newcomer's first start: the tour, every command beside one broker (by concept, in the files of this directory), and
// starts that differ from it: without the tour, as JSON, as a demo.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { casemate, casemateProcess, type Ran, serving, temporaryDirectory } from '../run.ts'
import { administratorTests } from './administrators.ts'
import { broker, cwd, startTour } from './broker.ts'
import { guestTests } from './guests.ts'
import { logTests } from './log.ts'
import { policyTests } from './policies.ts'
import { restartTests } from './restarts.ts'

describe('a newcomer’s first start', () => {
  before(startTour)
  after(() => broker.child.kill('SIGKILL'))

  test('shows every step, in order and without colours or errors', () => {
    const { text } = broker
    const titles = [...text.matchAll(/^ {2}(\d) {2}(\w+)$/gm)].map(match => match[2])
    assert.deepEqual(titles, ['Prepare', 'Attest', 'Appraise', 'Release', 'Record'])
    assert.match(text, /No hardware stands behind it/)
    assert.match(text, /“Good morning from inside the vault\.”/)
    assert.match(text, /refused +the same machine with other code \(appraisal-refused\)/)
    assert.ok(!text.includes('\u001b') && !/error|undefined|NaN/i.test(text), text)
  })

  test('shows no token to a pipe, says where it is and until when, and keeps what is secret to its owner', () => {
    assert.doesNotMatch(broker.text, /cmt_/)
    const said = /It is in \.casemate\/admin-token \(mode 0600\): [^.]+\. It ends on\s+\d{4}-\d\d-\d\d\./
    assert.match(broker.text, said)
    const data = join(cwd, '.casemate')
    assert.match(readFileSync(join(data, 'admin-token'), 'utf8'), /^cmt_\S{60}\n$/)
    assert.equal(statSync(data).mode & 0o777, 0o700)
    for (const name of ['admin-token', 'simulator/intel.json', 'simulator/amd.json']) {
      assert.equal(statSync(join(data, name)).mode & 0o777, 0o600, name)
    }
    assert.doesNotMatch(
      readFileSync(join(data, 'simulator/public-trust.json'), 'utf8'),
      /PRIVATE|privateKey|"d"/,
    )
  })

  test('ends with three commands that work as they stand', async () => {
    const commands = [...broker.text.matchAll(/^ {4}npx --no casemate (.*)$/gm)].map(match => match[1] ?? '')
    assert.equal(commands.length, 3)
    const run = (index: number): Promise<Ran> => casemateProcess((commands[index] ?? '').split(' '), { cwd })
    const [get, verify, log] = await Promise.all([run(0), run(1), run(2)])
    assert.equal(get.code, 0, get.stderr)
    assert.equal(get.stdout, 'Good morning from inside the vault.')
    assert.equal(verify.code, 1)
    assert.match(verify.stdout, /✗ simulated\n/)
    assert.equal(log.code, 0, log.stderr)
    assert.match(log.stdout, /Verdict: proved/)
  })

  guestTests()
  policyTests()
  logTests()
  administratorTests()
  restartTests()
})

test('without the tour and a terminal the token is in a file, and simulated evidence leads nowhere', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  const plain = await serving([], /casemate token revoke/, { cwd: directory })
  assert.doesNotMatch(plain.text, /cmt_/)
  const path = join(directory, '.casemate', 'admin-token')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.match(readFileSync(path, 'utf8'), /^cmt_\S{60}\n$/)
  const told = plain.text.match(/token is in \.casemate\/admin-token \(mode 0600\), and ends (\S+ \S+Z)\n/)
  const typed =
    plain.text.match(/\(casemate (token create NAME --role ROLE --server \S+ --token-file \S+)\)/)?.[1] ?? ''
  const pasted = await casemate(typed.replace('ROLE', 'writer').split(' '), { cwd: directory })
  assert.equal(pasted.code, 0, pasted.stderr)
  const listed = await casemate(['token', 'list', '--server', plain.url], { cwd: directory })
  assert.ok(told?.[1] !== undefined && listed.stdout.includes(told[1]), listed.stdout + plain.text)
  assert.ok(!existsSync(join(directory, '.casemate', 'simulator')))
  const refused = await casemate(
    ['attest', '--server', plain.url, '--simulator', join(cwd, '.casemate', 'simulator')],
    {
      cwd: directory,
    },
  )
  assert.equal(refused.code, 1)
  assert.equal((await plain.stop('SIGTERM')).code, 0)
  const tour = await serving(['--tour'], /the broker serves/, { cwd: directory })
  assert.match(tour.text, /is in use without the tour, and nothing in it is changed/)
  assert.ok(!existsSync(join(directory, '.casemate', 'simulator')))
  await tour.stop('SIGTERM')
})

test('up as JSON is one line when it is ready, and names the file with the token', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  const up = await serving(['--json'], /adminTokenFile/, { cwd: directory })
  const line = up.text.split('\n').find(text => text.includes('adminTokenFile')) ?? ''
  const { path, endsAt } = JSON.parse(line).adminTokenFile
  assert.doesNotMatch(up.text, /cmt_/)
  assert.match(readFileSync(join(directory, path), 'utf8'), /^cmt_\S{60}\n$/)
  assert.ok(Date.parse(endsAt) > Date.now())
  assert.equal((await up.stop('SIGTERM')).code, 0)
})

test('the demo shows the same steps, leaves nothing behind and exits with 0', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  mkdirSync(join(directory, 'tmp'))
  const env = { TMPDIR: join(directory, 'tmp') }
  const { code, stdout, stderr } = await casemate(['demo', '--json'], { cwd: directory, env })
  assert.equal(code, 0, stderr)
  const { steps } = JSON.parse(stdout)
  assert.deepEqual(
    steps.map((step: { title: string }) => step.title),
    ['Prepare', 'Attest', 'Appraise', 'Release', 'Record'],
  )
  const { readdirSync } = await import('node:fs')
  assert.deepEqual(readdirSync(join(directory, 'tmp')), [])
})
