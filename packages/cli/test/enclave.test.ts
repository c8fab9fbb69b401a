// casemate enclave: the way of an enclave from its source to an answer, and everything that is refused on it.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseImage } from '@casemate/enclave'
import { PUBLISHED_SIGSTRUCT } from '../../enclave/test/image/published-sigstruct.ts'
import { casemate, type Ran, temporaryDirectory } from './run.ts'

const cwd = temporaryDirectory(after)
const at = (name: string): string => join(cwd, name)
const enclave = (line: string, input?: Uint8Array): Promise<Ran> =>
  casemate(['enclave', ...line.split(' ')], { cwd, ...(input === undefined ? {} : { input }) })

async function done(line: string, input?: Uint8Array): Promise<Ran> {
  const ran = await enclave(line, input)
  assert.equal(ran.code, 0, ran.stderr)
  return ran
}

async function refused(line: string, code: string, exitCode: number): Promise<string> {
  const { code: exited, stdout, stderr } = await enclave(line)
  assert.equal(stdout, '', line)
  assert.ok(stderr.includes(`casemate: ${code}: `), `${line}: ${stderr}`)
  assert.equal(exited, exitCode, line)
  return stderr
}

before(async () => {
  await done('new greet')
  await done('build greet/greet.ts')
  await done('key dev.pem')
  await done('sign greet.enclave --key dev.pem --date 20261125')
  writeFileSync(at('greeting'), 'Hello')
  writeFileSync(
    at('echo.ts'),
    `import { log, text } from 'casemate'
     export function echo(input: Uint8Array): Uint8Array { log('got ' + text.decode(input)); return input }
     export function trap(input: Uint8Array): Uint8Array { throw new Error('told to') }`,
  )
  await done('build echo.ts --debug --svn 3 --product-id 9 --threads 2 --memory-pages 32 --set mode=fast')
})

test('a new enclave is built, signed, run and called in five lines', async () => {
  const { bytes } = await done('run greet.enclave --input Zoë --secret-file default/greet/phrase=greeting')
  assert.equal(bytes.toString(), 'Hello, Zoë!')
  const ran = await done(
    'run greet.enclave --call greet --input-file - --secret-file default/greet/phrase=greeting --json',
    Buffer.from('you'),
  )
  assert.deepEqual(JSON.parse(ran.stdout), {
    output: Buffer.from('Hello, you!').toString('base64'),
    text: 'Hello, you!',
  })
})

test('building twice gives the same bytes, and flags reach the manifest', async () => {
  const first = readFileSync(at('echo.enclave'))
  const { stdout } = await done(
    'build echo.ts --debug --svn 3 --product-id 9 --threads 2 --memory-pages 32 --set mode=fast --out again.enclave --json',
  )
  assert.deepEqual(readFileSync(at('again.enclave')), first)
  const { manifest, measurement } = JSON.parse(stdout)
  assert.equal(measurement, Buffer.from(parseImage(first).mrEnclave).toString('hex'))
  assert.deepEqual(manifest, {
    name: 'echo',
    isvProdId: 9,
    isvSvn: 3,
    debug: true,
    memoryPages: 32,
    threads: 2,
    exports: ['echo', 'trap'],
    imports: ['casemate.log'],
    configuration: { mode: 'fast' },
    secrets: [],
  })
})

test('inspect shows what the world will see', async () => {
  const { stdout } = await done('inspect greet.enclave')
  const { mrEnclave, sigstruct } = parseImage(readFileSync(at('greet.enclave')))
  for (const wanted of [
    `measurement       ${Buffer.from(mrEnclave).toString('hex')}`,
    `signer            ${Buffer.from(sigstruct!.mrSigner).toString('hex')}`,
    'signed on         2026-11-25',
    'debug             no',
    'calls in          greet',
    'calls out         casemate.secret',
    'secrets           default/greet/phrase',
  ]) {
    assert.ok(stdout.split('\n').includes(wanted), `${wanted}\n${stdout}`)
  }
  assert.equal(stdout.match(/✓/g)?.length, 2)
  const unsigned = await done('inspect echo.enclave')
  assert.match(unsigned.stdout, /^signer +nobody yet/m)
  assert.match(unsigned.stdout, /^debug +YES/m)
})

test('inspect reads a SIGSTRUCT that others published, and says when it does not hold', async () => {
  writeFileSync(at('test_enclave.sig'), PUBLISHED_SIGSTRUCT)
  const { stdout } = await done('inspect test_enclave.sig --json')
  const { mrEnclave, date, checks } = JSON.parse(stdout).sigstructs[0]
  assert.equal(mrEnclave, '784acfd7d5096a8f0fbd3265760bff21b120f62407a9a9e5ba31aa3c8ed198fc')
  assert.equal(date, '20161214')
  assert.deepEqual(checks, [{ what: 'signed by the key that it carries', passed: true }])
  const changed = Buffer.from(PUBLISHED_SIGSTRUCT)
  changed[960]! ^= 1
  writeFileSync(at('changed.sig'), changed)
  const ran = await enclave('inspect changed.sig')
  assert.equal(ran.code, 1)
  assert.match(ran.stdout, /✗ invalid-signature: /)
})

test('inspect refuses an image that was changed after it was signed', async () => {
  const image = readFileSync(at('greet.enclave'))
  const changed = Buffer.from(image)
  changed[image.indexOf('default/greet/phrase')]! ^= 1
  writeFileSync(at('changed.enclave'), changed)
  const ran = await enclave('inspect changed.enclave')
  assert.equal(ran.code, 1)
  assert.match(ran.stdout, /✗ invalid-measurement: /)
  await refused('run changed.enclave --input x', 'invalid-measurement', 1)
  await refused('inspect greeting', 'invalid-image', 1)
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

test('an image is signed apart, by a key that only openssl sees', {
  skip: !hasOpenssl && 'needs openssl',
}, async () => {
  const openssl = (line: string): Buffer => execFileSync('openssl', line.split(' '), { cwd, stdio: 'pipe' })
  await done('build echo.ts --out apart.enclave')
  openssl('genrsa -3 -out hsm.pem 3072')
  openssl('rsa -in hsm.pem -pubout -out public.pem')
  const { stdout } = await done('digest apart.enclave --date 20261124 --out to-sign.bin --json')
  openssl('dgst -sha256 -sign hsm.pem -out signature.bin to-sign.bin')
  const digest = openssl('dgst -sha256 to-sign.bin').toString().trim().split(' ').at(-1)
  assert.equal(JSON.parse(stdout).digest, digest)
  const attach = 'attach apart.enclave --public-key public.pem --signature signature.bin --date'
  await refused(`${attach} 20261125`, 'invalid-signature', 1)
  await done(`${attach} 20261124`)
  assert.equal((await done('run apart.enclave --call echo --input hi')).stdout, 'hi')
  await refused(
    'attach apart.enclave --public-key dev.pem --signature signature.bin --date 20261124',
    'invalid-signature',
    1,
  )
})

test('keys and sources are never replaced, and keys are for their owner alone', async () => {
  const before = readFileSync(at('dev.pem'))
  assert.equal(statSync(at('dev.pem')).mode & 0o777, 0o600)
  await refused('key dev.pem', 'file-exists', 2)
  await refused('new greet', 'file-exists', 2)
  assert.deepEqual(readFileSync(at('dev.pem')), before)
  writeFileSync(at('open.pem'), before)
  chmodSync(at('open.pem'), 0o644)
  assert.match(
    await refused('sign greet.enclave --key open.pem', 'key-unsafe', 2),
    /hint: chmod 600 open\.pem/,
  )
})

test('only keys of RSA-3072 with exponent 3 sign', { skip: !hasOpenssl && 'needs openssl' }, async () => {
  for (const [name, line] of [
    ['wrong.pem', 'genrsa -out wrong.pem 3072'],
    ['ec.pem', 'ecparam -name prime256v1 -genkey -noout -out ec.pem'],
    ['locked.pem', 'genrsa -3 -aes128 -passout pass:x -out locked.pem 3072'],
  ] as const) {
    execFileSync('openssl', line.split(' '), { cwd, stdio: 'pipe' })
    chmodSync(at(name), 0o600)
  }
  await refused('sign greet.enclave --key wrong.pem', 'invalid-key', 2)
  await refused('sign greet.enclave --key ec.pem', 'invalid-key', 2)
  await refused('sign greet.enclave --key locked.pem', 'file-malformed', 2)
})

describe('a run is refused', () => {
  const secret = '--secret-file default/greet/phrase=greeting'
  for (const [what, line, code, exitCode] of [
    ['of an unsigned image', 'run echo.enclave --call echo --input x --debug', 'image-unsigned', 1],
    ['without the secrets that it declares', 'run greet.enclave --input x', 'secret-unavailable', 2],
    [
      'of another signer',
      `run greet.enclave --input x ${secret} --signer ${'0'.repeat(64)}`,
      'signer-untrusted',
      1,
    ],
    [
      'of another measurement',
      `run greet.enclave --input x ${secret} --measurement ${'0'.repeat(64)}`,
      'invalid-measurement',
      1,
    ],
    [
      'of a production image as a debug one',
      `run greet.enclave --input x ${secret} --debug`,
      'debug-mismatch',
      1,
    ],
    ['of a debug image', 'run debug.enclave --call echo --input x', 'debug-mismatch', 1],
    [
      'with a function that is not there',
      'run debug.enclave --call ecko --input x --debug',
      'flag-value-invalid',
      2,
    ],
    ['without saying which function', 'run debug.enclave --input x --debug', 'argument-missing', 2],
    ['without input', 'run debug.enclave --call echo --debug', 'argument-missing', 2],
    [
      'with two inputs',
      'run debug.enclave --call echo --debug --input x --input-file y',
      'flag-value-invalid',
      2,
    ],
    [
      'with half a secret',
      'run debug.enclave --call echo --debug --input x --secret-file a/b/c',
      'flag-value-invalid',
      2,
    ],
  ] as const) {
    test(what, async () => {
      if (!existsSync(at('debug.enclave'))) await done('sign echo.enclave --key dev.pem --out debug.enclave')
      await refused(line, code, exitCode)
    })
  }
})

test('what the code logs is for stderr, and a trap is told as the enclave’s', async () => {
  if (!existsSync(at('debug.enclave'))) await done('sign echo.enclave --key dev.pem --out debug.enclave')
  const ran = await done('run debug.enclave --call echo --input hi --debug')
  assert.equal(ran.stdout, 'hi')
  assert.equal(ran.stderr, 'log: got hi\n')
  const stderr = await refused('run debug.enclave --call trap --input hi --debug', 'enclave-crashed', 1)
  assert.match(stderr, /^log: told to \(echo\.ts:3:/)
})

test('a build says what is wrong, and where', async () => {
  writeFileSync(at('bad.ts'), 'export function f(input: Uint8Array): Uint8Array {\n  return inptu\n}\n')
  const stderr = await refused('build bad.ts', 'compile-failed', 2)
  assert.match(stderr, /^ {2}bad\.ts:2:10: Cannot find name 'inptu'\.$/m)
  await refused('build nowhere.ts', 'source-unreadable', 2)
  await refused('build echo.ts --svn 65536', 'invalid-manifest', 2)
  await refused('build echo.ts --svn two', 'flag-value-invalid', 2)
  await refused('build echo.ts --runtime stub', 'flag-value-invalid', 2)
  await refused('build echo.ts --set mode', 'flag-value-invalid', 2)
  await refused('build echo.ts --secret a/b/c', 'settings-invalid', 2)
  await refused('build echo.ts --out nowhere/x.enclave', 'file-not-writable', 2)
  await refused('sign greet.enclave', 'argument-missing', 2)
  await refused('sign greet.enclave --key dev.pem --date today', 'invalid-parameter', 2)
  await refused('new ../up', 'argument-unexpected', 2)
})
