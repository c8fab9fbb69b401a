// The command of the tarball in an empty folder: the README's first three minutes, its enclave, and what it says without the
// compiler; then how much is installed.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Answer, ENVIRONMENT, filesBelow, openProject, runIn, sharedProject } from './project.ts'

const { directory, skip } = await sharedProject()
const READY = /Ctrl-C stops the broker/

/** `casemate …`, as the README has it. */
function casemate(line: string, input?: string): Promise<Answer> {
  return runIn(directory, ['npx', '--no', 'casemate', ...words(line)], input)
}

/** As a shell takes them. */
function words(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, one, two, three]) => one ?? two ?? three ?? '',
  )
}

async function succeeds(line: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await casemate(line, input)
  assert.equal(code, 0, `${line}: ${stderr}`)
  return stdout
}

async function refused(line: string, code: string): Promise<void> {
  const answer = await casemate(line)
  assert.equal(answer.code, 1, line)
  assert.match(answer.stderr, new RegExp(`casemate: ${code}: `))
}

let broker: ChildProcess | null = null
let url = ''

/** A broker of its own port, with the tour. */
function startTour(...flags: readonly string[]): ChildProcess {
  const entry = join(directory, 'node_modules', '.bin', 'casemate')
  return spawn(entry, ['up', '--tour', '--listen', '127.0.0.1:0', '--metrics-listen', 'off', ...flags], {
    cwd: directory,
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Everything that it shows before it waits. */
async function shownBy(tour: ChildProcess): Promise<string> {
  let shown = ''
  for await (const text of tour.stdout?.setEncoding('utf8') ?? []) {
    shown += text
    if (READY.test(shown)) break
  }
  return shown
}

after(() => {
  broker?.kill('SIGTERM')
  delete ENVIRONMENT['CASEMATE_SERVER']
})

test('processes that serve beside the one that admits find their code', { skip }, async t => {
  const serving = startTour('--data-dir', 'with-processes', '--server-processes', '1')
  t.after(() => serving.kill('SIGTERM'))
  assert.match(await shownBy(serving), /✓ released .*Good morning/)
  const ended = once(serving, 'exit')
  serving.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
})

test('the first three minutes of the README pass', { skip }, async () => {
  broker = startTour()
  const tour = await shownBy(broker)
  url = /http:\/\/127\.0\.0\.1:\d+/.exec(tour)?.[0] ?? ''
  ENVIRONMENT['CASEMATE_SERVER'] = url
  assert.match(tour, /✓ released .*Good morning/)
  assert.match(tour, /✓ refused .*appraisal-refused/)
  assert.match(tour, /✓ proof/)
  await succeeds('secret put default/db/password', 'correct-horse')
  await refused('secret get default/db/password', 'release-denied')
  const rule = `rule set db --secrets 'default/db/*' --expression 'claims.kind == "tdx" && !claims.debug'`
  await succeeds(rule)
  assert.equal((await succeeds('secret get default/db/password')).trim(), 'correct-horse')
  assert.match(await succeeds('log show'), /default\/db\/password/)
  const verified = await casemate(
    'verify .casemate/tour/quote.bin --trust .casemate/simulator/public-trust.json',
  )
  assert.equal(verified.code, 1)
  assert.match(verified.stdout, /✗ simulated/)
  const untrusted = await casemate('verify .casemate/tour/quote.bin')
  assert.equal(untrusted.code, 1)
  assert.match(untrusted.stdout, /NOT TO BE TRUSTED: chain-untrusted/)
  await succeeds('log verify .casemate/tour/receipt.json --key .casemate/tour/log.key')
})

test('a command runs with its secret, and not without', { skip }, async () => {
  const run = 'run --secret default/db/password=PASSWORD'
  assert.equal(await succeeds(`${run} -- sh -c 'printf "$PASSWORD"'`), 'correct-horse')
  await refused('run --secret default/none/password=PASSWORD -- true', 'release-denied')
})

test('an enclave is made, signed, sealed for, and given its secret', { skip }, async () => {
  for (const step of [
    'new greet',
    'build greet/greet.ts',
    'key dev.pem',
    'sign greet.enclave --key dev.pem',
  ]) {
    await succeeds(`enclave ${step}`)
  }
  const { measurement } = JSON.parse(await succeeds('enclave inspect greet.enclave --json'))
  assert.match(measurement, /^[0-9a-f]{64}$/)
  await succeeds('secret put default/greet/phrase', 'Hello')
  const condition = `claims.enclave.mrEnclave == '${measurement}'`
  await succeeds(
    `rule set greet --secrets 'default/greet/*' --message 'greet only' --expression "${condition}"`,
  )
  const run = `enclave run greet.enclave --server ${url} --input Zoë`
  assert.equal((await succeeds(run)).trim(), 'Hello, Zoë!')
  writeFileSync(join(directory, 'note'), 'for the enclave alone')
  await succeeds('seal --new-key --key-file data.key --for greet.enclave note note.sealed')
  assert.ok(!readFileSync(join(directory, 'note.sealed')).includes('alone'))
  const unseal = 'unseal --key-file data.key --for greet.enclave note.sealed -'
  assert.equal(await succeeds(unseal), 'for the enclave alone')
})

const MIB = 1024 * 1024

function sizeOf(place: string): number {
  return filesBelow(place).reduce((sum, file) => sum + statSync(join(place, file)).size, 0)
}

test('without the compiler everything else works, and little is installed', { skip }, async () => {
  const production = await openProject('optional', 'dev')
  assert.equal(production.skip, false)
  const place = join(production.directory, 'node_modules')
  assert.ok(
    sizeOf(join(place, 'casemate')) < 20 * MIB,
    `the command: ${sizeOf(join(place, 'casemate')) / MIB}`,
  )
  assert.ok(sizeOf(place) < 60 * MIB, `all packages: ${sizeOf(place) / MIB} MiB`)
  const line = ['npx', '--no', 'casemate', 'enclave']
  assert.equal((await runIn(production.directory, [...line, 'new', 'greet'])).code, 0)
  const { code, stderr } = await runIn(production.directory, [...line, 'build', 'greet/greet.ts'])
  assert.equal(code, 3)
  assert.match(stderr, /casemate: compiler-unavailable: [^]*npm install assemblyscript@/)
})
