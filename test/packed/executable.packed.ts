// The command as one executable, and as the container image that holds it: the README's first three minutes, with nothing of
// this checkout and no Node beside it; the image's files read-only, for a user without rights, with one volume.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { buildExecutable } from '../../scripts/build/executable.ts'
import { layOutImage } from '../../scripts/build/image.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'casemate-executable-'))
const image = join(folder, 'image')
const program = join(image, 'root/usr/bin/casemate')
const cwd = join(folder, 'cwd')
const env = { PATH: '/usr/sbin:/usr/bin:/bin', HOME: join(folder, 'home') }
const started: ChildProcess[] = []

before(async () => {
  await layOutImage(root, image)
  mkdirSync(cwd)
})
after(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function casemate(args: readonly string[], input = '') {
  return spawnSync(program, args, { cwd, env, input, encoding: 'utf8' })
}

/** Resolves with the URL that it prints as JSON. */
async function serving(
  command: string,
  args: readonly string[],
  ready: RegExp,
): Promise<[ChildProcess, string]> {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  started.push(child)
  let text = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    const url = ready.exec(text)?.[1]
    if (url !== undefined) return [child, url]
  }
  throw new Error(`ended before it was ready: ${text}`)
}

const URL_LINE = /"url":\s*"(http:\/\/127\.0\.0\.1:\d+)"/

describe('the executable', () => {
  test('passes the first three minutes, as a server that starts itself anew with flags of Node', async () => {
    const up = ['up', '--tour', '--json', '--listen', '127.0.0.1:0']
    const [broker, url] = await serving(program, up, URL_LINE)
    const at = ['--server', url]
    assert.equal(casemate(['secret', 'put', 'default/db/password', ...at], 'correct-horse').status, 0)
    assert.match(
      casemate(['secret', 'get', 'default/db/password', ...at]).stderr,
      /^casemate: release-denied/m,
    )
    const rule = ['rule', 'set', 'db', '--secrets', 'default/db/*']
    const expression = 'claims.kind == "tdx" && !claims.debug'
    assert.equal(casemate([...rule, '--expression', expression, ...at]).status, 0)
    assert.equal(casemate(['secret', 'get', 'default/db/password', ...at]).stdout, 'correct-horse')
    assert.match(casemate(['log', 'show', ...at]).stdout, /release\.granted +\S+ +default\/db\/password/)
    // By the gate, which is this executable again.
    const run = ['run', '--secret', 'default/db/password=PASSWORD', ...at]
    assert.equal(casemate([...run, '--', 'sh', '-c', 'printf %s "$PASSWORD"']).stdout, 'correct-horse')
    const ended = once(broker, 'close')
    broker.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  })

  test('builds, signs and runs an enclave, whose thread and trial are code of its own', () => {
    for (const line of [
      'new greet',
      'build greet/greet.ts',
      'key dev.pem',
      'sign greet.enclave --key dev.pem',
    ]) {
      const { status, stdout, stderr } = casemate(['enclave', ...line.split(' ')])
      assert.equal(status, 0, stderr)
      assert.doesNotMatch(stdout, /npx/)
    }
    writeFileSync(join(cwd, 'phrase'), 'Hello')
    const secret = ['--secret-file', 'default/greet/phrase=phrase']
    const { stdout, stderr } = casemate(['enclave', 'run', 'greet.enclave', ...secret, '--input', 'Zoë'])
    assert.equal(stdout, 'Hello, Zoë!', stderr)
  })

  test('takes no flags of Node from its arguments, and no code that is not in it', () => {
    assert.match(casemate(['--own-code=chunk.js']).stderr, /^casemate: unknown-flag/)
    // As a file may be called where somebody writes `*`.
    const named = casemate(['verify', '--', '--node-options=--require=/nonexistent.cjs'])
    assert.match(named.stderr, /^casemate: file-not-readable/)
    const passedOn = casemate(['config', '--node-options=--require=/nonexistent.cjs'])
    assert.match(passedOn.stderr, /^casemate: unknown-/)
  })
})

test('two builds give the same bytes', async () => {
  const again = join(folder, 'again', 'casemate')
  await buildExecutable(root, again)
  assert.ok(readFileSync(program).equals(readFileSync(again)))
})

/** Its mounts are gone with its namespace. */
const CONFINED = `
mount --bind "$1" "$1"
mount --bind "$2" "$1/data"
mount -o remount,bind,ro "$1"
root=$1
shift 2
exec chroot --userspec=65532:65532 "$root" /usr/bin/casemate "$@"
`

describe('the image', () => {
  test('has no shell', () => {
    for (const path of ['bin', 'usr/bin/sh', 'usr/bin/env'])
      assert.ok(!existsSync(join(image, 'root', path)), path)
  })

  test('serves from files that are read-only, as a user without rights, with its data in one volume', async t => {
    const isAllowed = spawnSync('unshare', ['--mount', 'true']).status === 0 && process.getuid?.() === 0
    if (!isAllowed) return t.skip('a file system of its own takes root and unshare(1)')
    const volume = join(image, 'data')
    chownSync(volume, 65532, 65532)
    mkdirSync(join(image, 'root', 'data'), { recursive: true })
    const confined = ['--mount', 'sh', '-euc', CONFINED, 'sh', join(image, 'root'), volume]
    const settings = [
      '--data-dir',
      '/data/casemate',
      '--listen',
      '127.0.0.1:0',
      '--metrics-listen',
      'off',
      '--json',
    ]
    const [broker] = await serving('unshare', [...confined, 'up', ...settings], URL_LINE)
    assert.ok(existsSync(join(volume, 'casemate')))
    const elsewhere = settings.with(1, '/elsewhere')
    const refused = spawnSync('unshare', [...confined, 'up', ...elsewhere], { encoding: 'utf8' })
    assert.equal(refused.status, 2, refused.stdout)
    const ended = once(broker, 'close')
    broker.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  })

  test('is what a builder of images makes of it', t => {
    if (spawnSync('buildah', ['info']).status !== 0) return t.skip('buildah is not here')
    const run = (...args: string[]) => spawnSync('buildah', args, { encoding: 'utf8' })
    const made = run('build', '--quiet', '--file', join(image, 'Containerfile'), image)
    assert.equal(made.status, 0, made.stderr)
    const id = made.stdout.trim()
    try {
      const { OCIv1 } = JSON.parse(run('inspect', '--type', 'image', id).stdout)
      assert.equal(OCIv1.config.User, '65532:65532')
      assert.deepEqual(OCIv1.config.Entrypoint, ['/usr/bin/casemate'])
      assert.deepEqual(OCIv1.config.Cmd, ['up'])
      assert.deepEqual(Object.keys(OCIv1.config.Volumes), ['/data'])
    } finally {
      run('rmi', id)
    }
  })
})
