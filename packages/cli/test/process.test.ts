// What only a process of its own can show: exit codes, pipes, a reader that leaves, a person's screen, a
// hang-up.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { listenForServerStop } from '../src/terminal/stop-signal.ts'
import { BIN } from './bin.ts'
import { casemateProcess, serving, temporaryDirectory } from './run.ts'

test('the exit code says how it went, and a pipe has no colours', async () => {
  const [help, wrong, away] = await Promise.all([
    casemateProcess(['--help']),
    casemateProcess(['secret', 'lst']),
    casemateProcess(['log', 'checkpoint', '--server', 'http://127.0.0.1:1']),
  ])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /^casemate {2}/)
  assert.equal(help.stderr, '')
  assert.equal(wrong.code, 2)
  assert.equal(wrong.stdout, '')
  assert.match(wrong.stderr, /^casemate: unknown-command: /)
  assert.equal(away.code, 3)
  for (const { stdout, stderr } of [help, wrong, away]) assert.ok(!(stdout + stderr).includes('\u001b'))
})

test('compiled code is kept in a directory of this user alone, and nowhere else', async t => {
  const cache = temporaryDirectory(clean => t.after(clean))
  const code = join(cache, 'casemate', 'code')
  const env = { XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: '' }
  assert.equal((await casemateProcess(['--version'], { env })).code, 0)
  assert.equal(statSync(code).mode & 0o777, 0o700)
  assert.notEqual(readdirSync(code).length, 0)
  rmSync(code, { recursive: true })
  mkdirSync(code)
  chmodSync(code, 0o777)
  assert.equal((await casemateProcess(['--version'], { env })).code, 0)
  assert.deepEqual(readdirSync(code), [])
  assert.equal(
    (await casemateProcess(['--version'], { env: { ...env, XDG_CACHE_HOME: '/dev/null' } })).code,
    0,
  )
})

test('compiled code is not kept where somebody else could put another directory in its place', async t => {
  const cache = temporaryDirectory(clean => t.after(clean))
  const env = { XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: '' }
  for (const mode of [0o777, 0o1777]) {
    chmodSync(cache, mode)
    assert.equal((await casemateProcess(['--version'], { env })).code, 0)
    assert.equal(readdirSync(join(cache, 'casemate', 'code')).length, mode === 0o777 ? 0 : 1)
  }
})

test('nor behind a link that leads to such a place', async t => {
  const cache = temporaryDirectory(clean => t.after(clean))
  const open = join(cache, 'open')
  mkdirSync(join(open, 'code'), { recursive: true, mode: 0o700 })
  chmodSync(open, 0o777)
  mkdirSync(join(cache, 'casemate'))
  symlinkSync(join(open, 'code'), join(cache, 'casemate', 'code'))
  const env = { XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: '' }
  assert.equal((await casemateProcess(['--version'], { env })).code, 0)
  assert.deepEqual(readdirSync(join(open, 'code')), [])
})

test('nor by root in what is another user’s, or below it', {
  skip: process.getuid?.() !== 0 && 'only root can give a directory away',
}, async t => {
  const cache = temporaryDirectory(clean => t.after(clean))
  const code = join(cache, 'casemate', 'code')
  mkdirSync(code, { recursive: true, mode: 0o700 })
  const env = { XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: '' }
  for (const place of [code, join(cache, 'casemate'), cache]) {
    chownSync(place, 65_534, 65_534)
    assert.equal((await casemateProcess(['--version'], { env })).code, 0)
    assert.deepEqual(readdirSync(code), [], place)
    chownSync(place, 0, 0)
  }
})

test('evidence is read from a pipe', async () => {
  const { code, stdout } = await casemateProcess(['verify', '-'], { input: 'this is no evidence' })
  assert.equal(code, 1)
  assert.match(stdout, /^-\n {2}not recognised\n/)
})

test('a reader that has seen enough is no error', async () => {
  const child = spawn(process.execPath, [BIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', chunk => (stderr += String(chunk)))
  child.stdout.destroy()
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
})

test('an answer that cannot be written is no success, and is no fault of ours', async t => {
  if (!existsSync('/dev/full')) return t.skip('no /dev/full here')
  const child = spawn(process.execPath, [BIN, '--help'], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  })
  let stderr = ''
  child.stderr?.on('data', chunk => (stderr += String(chunk)))
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 2, stderr)
  assert.match(stderr, /^casemate: file-not-writable: [^\n]* \(ENOSPC\)\nhint: [^\n]+\n$/)
})

test('a person’s screen has colours, and none where NO_COLOR is set', t => {
  const open = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)'
  const onScreen = (env: NodeJS.ProcessEnv) =>
    spawnSync('python3', ['-c', open, process.execPath, BIN, '--help'], {
      env: { PATH: process.env['PATH'], TERM: 'xterm-256color', ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const coloured = onScreen({})
  if (coloured.error !== undefined) return t.skip('no python3, which opens the pseudo-terminal')
  assert.equal(coloured.status, 0, coloured.stderr)
  assert.ok(coloured.stdout.includes('\u001b[1mStart here\u001b[22m'), coloured.stdout)
  assert.ok(!onScreen({ NO_COLOR: '1' }).stdout.includes('\u001b'))
})

test('without a terminal a hang-up reads again what can be, says so, and ends nothing', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  const config = join(directory, 'casemate.yaml')
  writeFileSync(config, 'logLevel: info\n')
  const up = await serving(['--config', 'casemate.yaml'], /the broker serves/, { cwd: directory })
  const hangUp = async (until: RegExp): Promise<string> => {
    up.child.kill('SIGHUP')
    return up.hears(until)
  }
  // What opens Node's debugger, and with it the memory, where nobody listens to it.
  up.child.kill('SIGUSR1')
  writeFileSync(config, 'logLevel: warn\nissuer: other\nendorsementPaths: nowhere\n')
  const said = await hangUp(/"msg":"read again"/)
  assert.match(said, /casemate: SIGHUP: reads TLS files, endorsements and the log level again/)
  assert.match(
    said,
    /"settings":\["issuer"\],"msg":"these settings have changed, and count from the next start"/,
  )
  assert.match(said, /"reason":"endorsementPaths: nowhere cannot be used \(ENOENT\)"/)
  assert.match(said, /"reloaded":\["logLevel"\],"unchanged":\["tls"\],"failed":\["endorsements"\]/)
  writeFileSync(config, 'logLevel: [\n')
  const broken = await hangUp(/"part":"settings"/)
  assert.match(broken, /"reason":"casemate\.yaml line \d is not valid YAML/)
  writeFileSync(config, '# written in place\n')
  const empty = await hangUp(/"code":"file-malformed"/)
  assert.match(empty, /"reason":"casemate\.yaml has no setting in it/)
  rmSync(config)
  assert.match(await hangUp(/"code":"file-not-readable"/), /"reason":"[^"]*casemate\.yaml/)
  assert.equal((await fetch(`${up.url}/readyz`)).status, 200)
  const { code, text } = await up.stop('SIGTERM')
  assert.equal(code, 0)
  assert.doesNotMatch(text, /"route":"GET \/readyz"/, 'the new level is in force')
  assert.doesNotMatch(text, /Debugger/)
})

test('a broker starts itself anew with what keeps its memory small, and what was set already wins', async t => {
  if (process.platform !== 'linux') return t.skip('only Linux shows how a process was started')
  const startedWith = async (env: Record<string, string>) => {
    const cwd = temporaryDirectory(clean => t.after(clean))
    const up = await serving([], /the broker serves/, { cwd, env })
    const of = (file: string) => readFileSync(`/proc/${up.child.pid}/${file}`, 'latin1').split('\0')
    const found = {
      flags: of('cmdline').slice(1, 3),
      arenas: of('environ').filter(one => one.startsWith('MALLOC')),
    }
    await up.stop('SIGTERM')
    return found
  }
  assert.deepEqual(await startedWith({}), {
    flags: ['--max-semi-space-size=8', BIN],
    arenas: ['MALLOC_ARENA_MAX=1'],
  })
  const withArenas = await startedWith({ MALLOC_ARENA_MAX: '3' })
  assert.deepEqual(withArenas.arenas, ['MALLOC_ARENA_MAX=3'])
  const withOptions = await startedWith({ NODE_OPTIONS: '--max-semi-space-size=16' })
  assert.deepEqual(withOptions, { flags: [BIN, 'up'], arenas: ['MALLOC_ARENA_MAX=1'] })
})

test('a hang-up that comes before anybody listens to it is told once somebody does', async () => {
  const signals = listenForServerStop(false)
  try {
    const heard = once(process, 'SIGHUP')
    process.kill(process.pid, 'SIGHUP')
    await heard
    let told = 0
    signals.onHangUp(() => told++)
    assert.equal(told, 1)
    process.kill(process.pid, 'SIGHUP')
    await once(process, 'SIGHUP')
    assert.equal(told, 2)
    assert.equal(signals.signal.aborted, false)
    signals.release()
    process.kill(process.pid, 'SIGHUP')
    await once(process, 'SIGHUP')
    assert.equal(told, 2, 'while the process ends, a hang-up is nothing')
  } finally {
    signals.release()
  }
})
