// casemate enclave: the way of an enclave from its source to an answer, and everything that is refused on it.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  globSync,
  lstatSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseImage } from '@casemate/enclave'
import { PUBLISHED_SIGSTRUCT } from '../../../enclave/test/image/published-sigstruct.ts'
import { BIN } from '../bin.ts'
import { casemate, type Ran, temporaryDirectory } from '../run.ts'
import { typingIn } from '../typing.ts'

const cwd = temporaryDirectory(after)
const at = (name: string): string => join(cwd, name)
const { ran: enclave, done, refused } = typingIn(cwd, { first: ['enclave'] })

/** What a command says is to be typed next, as it can be pasted in the checkout. */
function nextOf({ stdout }: Ran): string {
  const [, line] = /^next: npx --no casemate enclave (.+)\n$/m.exec(stdout) ?? []
  assert.ok(line, stdout)
  return line
}

before(async () => {
  const created = await done('new greet')
  const built = await done(nextOf(created))
  await done('key dev.pem')
  await done(`${nextOf(built).replace('KEY', 'dev.pem')} --date 20261125`)
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

test('what is begun is formatted as formatters want it', () => {
  assert.equal(
    readFileSync(at('greet/enclave.json'), 'utf8'),
    '{\n  "name": "greet",\n  "isvProdId": 0,\n  "isvSvn": 0,\n  "secrets": ["default/greet/phrase"]\n}\n',
  )
})

test('what is no image is named, with what it is', async () => {
  writeFileSync(at('code.wasm'), Buffer.from('\0asm\x01\0\0\0', 'latin1'))
  writeFileSync(at('it is.sealed'), 'CMSB and so on')
  writeFileSync(at('published.sig'), PUBLISHED_SIGSTRUCT)
  writeFileSync(at('nothing'), '')
  for (const [file, got, hint] of [
    ['code.wasm', 'a WebAssembly module', 'casemate enclave build code.wasm'],
    ['published.sig', 'a SIGSTRUCT', 'casemate enclave inspect published.sig'],
    ['greet/greet.ts', 'a source', 'casemate enclave build greet/greet.ts'],
    ['dev.pem', 'a PEM file: PRIVATE KEY', null],
    ['nothing', 'an empty file', null],
    ['greeting', 'something else', null],
  ] as const) {
    for (const line of [`sign ${file} --key dev.pem`, `digest ${file}`, `run ${file} --input x`]) {
      const stderr = await refused(line, 'invalid-image', 1)
      assert.match(stderr, new RegExp(`^casemate: invalid-image: ${file} is no enclave image$`, 'm'))
      assert.equal(/^ {2}got +(.*)$/m.exec(stderr)?.[1], got, line)
      assert.equal(/^hint: (.*)$/m.exec(stderr)?.[1] ?? null, hint, line)
    }
  }
  await refused('inspect code.wasm', 'invalid-image', 1)
  const { stderr } = await casemate(['enclave', 'inspect', 'it is.sealed'], { cwd })
  assert.match(stderr, /^hint: casemate seal --inspect 'it is\.sealed'$/m)
  writeFileSync(at('cut.enclave'), readFileSync(at('greet.enclave')).subarray(0, 1000))
  for (const line of ['inspect cut.enclave', 'sign cut.enclave --key dev.pem', 'run cut.enclave --input x'])
    assert.match(await refused(line, 'invalid-image', 1), /: cut\.enclave: the image has 1000 bytes/)
})

test('what is made takes the place of an older one, and of nothing else', async () => {
  await done('build echo.ts --out out.enclave')
  const isWindows = process.platform === 'win32'
  chmodSync(at('out.enclave'), 0o640)
  if (!isWindows) symlinkSync('out.enclave', at('link.enclave'))
  await done(`sign out.enclave --key dev.pem --out ${isWindows ? 'out' : 'link'}.enclave`)
  assert.ok(parseImage(readFileSync(at('out.enclave'))).sigstruct !== null)
  if (!isWindows) {
    assert.equal(statSync(at('out.enclave')).mode & 0o777, 0o640)
    assert.ok(lstatSync(at('link.enclave')).isSymbolicLink())
  }
  writeFileSync(at('empty.enclave'), '')
  await done('build echo.ts --out empty.enclave')
  const kept = ['echo.ts', 'dev.pem', 'greet.enclave', 'greeting']
  const before = kept.map(name => readFileSync(at(name)))
  for (const line of [
    'build echo.ts --out echo.ts',
    'build echo.ts --out dev.pem',
    'sign greet.enclave --key dev.pem --out dev.pem',
    'digest greet.enclave --out greet.enclave',
    'digest greet.enclave --out greeting',
  ]) {
    assert.match(await refused(line, 'file-exists', 2), /is left as it is\nhint: name another file/)
  }
  await done('digest greet.enclave --out again.bin')
  await done('digest greet.enclave --out again.bin --date 20261126')
  assert.match(
    await refused('build echo.ts --out greet', 'file-not-writable', 2),
    /: greet: it is a directory/,
  )
  assert.match(await refused('key none/dev.pem', 'file-not-writable', 2), /: there is no such directory/)
  assert.deepEqual(
    kept.map(name => readFileSync(at(name))),
    before,
  )
  assert.deepEqual(globSync('.casemate-*', { cwd }), [])
})

test('a disk without room keeps the image that was to be signed, and holds no half of a key', {
  skip: process.platform !== 'linux' && 'needs ulimit',
}, async () => {
  await done('build echo.ts --out large.enclave')
  const before = readFileSync(at('large.enclave'))
  const limited = (line: string) =>
    spawnSync(
      'sh',
      ['-c', 'ulimit -f 1; exec "$0" "$@"', process.execPath, BIN, 'enclave', ...line.split(' ')],
      {
        cwd,
        env: { PATH: process.env['PATH'] },
        encoding: 'utf8',
      },
    )
  for (const line of ['sign large.enclave --key dev.pem', 'key large.pem']) {
    const { status, stderr } = limited(line)
    assert.match(stderr, /^casemate: file-not-writable: .*: files may not be as large here$/m)
    assert.equal(status, 2)
  }
  assert.deepEqual(readFileSync(at('large.enclave')), before)
  assert.deepEqual([existsSync(at('large.pem')), globSync('.casemate-*', { cwd })], [false, []])
})

test('only keys of RSA-3072 with exponent 3 sign', { skip: !hasOpenssl && 'needs openssl' }, async () => {
  for (const [name, line] of [
    ['wrong.pem', 'genrsa -out wrong.pem 3072'],
    ['ec.pem', 'ecparam -name prime256v1 -genkey -noout -out ec.pem'],
    ['locked.pem', 'rsa -in dev.pem -aes128 -passout pass:x -out locked.pem'],
  ] as const) {
    execFileSync('openssl', line.split(' '), { cwd, stdio: 'pipe' })
    chmodSync(at(name), 0o600)
  }
  await refused('sign greet.enclave --key wrong.pem', 'invalid-key', 2)
  assert.match(await refused('sign greet.enclave --key ec.pem', 'invalid-key', 2), /the signing key is ec,/)
  const sign = (key: string): Promise<string> =>
    refused(`sign greet.enclave --key ${key}`, 'file-malformed', 2)
  assert.match(await sign('locked.pem'), /is protected by a passphrase.*\nhint: sign with it elsewhere/)
  execFileSync('openssl', ['rsa', '-in', 'dev.pem', '-pubout', '-out', 'pub.pem'], { cwd, stdio: 'pipe' })
  execFileSync('openssl', ['rsa', '-in', 'dev.pem', '-outform', 'DER', '-out', 'dev.der'], {
    cwd,
    stdio: 'pipe',
  })
  // What is no private key may be read by everybody.
  assert.match(await sign('pub.pem'), /: pub\.pem holds PUBLIC KEY, want a private key in PEM/)
  assert.match(await sign('dev.der'), /: dev\.der holds no PEM, .*\nhint: is it in DER\? openssl pkey/)
  const attach = 'attach greet.enclave --signature greeting --public-key'
  assert.match(await refused(`${attach} greeting`, 'file-malformed', 2), /: greeting holds no key in PEM/)
  assert.match(await refused(`${attach} locked.pem`, 'file-malformed', 2), /is protected by a passphrase/)
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
  for (const pages of [0, 65_537]) {
    const stderr = await refused(`build echo.ts --memory-pages ${pages}`, 'flag-value-invalid', 2)
    assert.match(stderr, /want a whole number from 1 to 65536$/m)
  }
  await refused('build echo.ts --runtime stub', 'flag-value-invalid', 2)
  await refused('build echo.ts --set mode', 'flag-value-invalid', 2)
  await refused('build echo.ts --secret a/b/c', 'settings-invalid', 2)
  await refused('build echo.ts --out nowhere/x.enclave', 'file-not-writable', 2)
  await refused('sign greet.enclave', 'argument-missing', 2)
  await refused('sign greet.enclave --key dev.pem --date today', 'invalid-parameter', 2)
  await refused('new ../up', 'argument-unexpected', 2)
})
