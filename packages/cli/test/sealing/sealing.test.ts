// casemate seal, unseal and reseal: by the owner of data, by an enclave on this machine, and by one that a broker gives
// the data key to; and everything that is refused on the way.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeImage, type Manifest, parseHeader, parseImage, signImage } from '@casemate/enclave'
import { SIGNING, testSigningKey } from '../../../enclave/test/image/keys.ts'
import { EMPTY_MODULE, MANIFEST } from '../../../enclave/test/image/samples.ts'
import { BIN } from '../bin.ts'
import { casemateProcess, type Serving, serving, temporaryDirectory } from '../run.ts'
import { typingIn } from '../typing.ts'

const cwd = temporaryDirectory(after)
const at = (name: string): string => join(cwd, name)
const CONTENT = Buffer.alloc(150_000, 'the plaintext that no other file may hold ')
let broker: Serving | null = null

const {
  ran: command,
  done,
  refused,
} = typingIn(cwd, { env: () => (broker === null ? {} : { CASEMATE_SERVER: broker.url }) })

const signer = SIGNING.privateKey
const stranger = (await testSigningKey('stranger')).privateKey

function writeImage(name: string, manifest: Partial<Manifest>, privateKey = signer): void {
  const image = encodeImage({ ...MANIFEST, exports: [], ...manifest }, EMPTY_MODULE)
  writeFileSync(at(`${name}.enclave`), signImage(image, { date: '20261125', privateKey }))
}

before(() => {
  writeImage('app', {})
  writeImage('newer', { isvSvn: 4 })
  writeImage('older', { isvSvn: 2 })
  writeImage('product', { isvProdId: 8 })
  writeImage('debug', { debug: true })
  writeImage('foreign', {}, stranger)
  writeFileSync(at('unsigned.enclave'), encodeImage({ ...MANIFEST, exports: [] }, EMPTY_MODULE))
  writeFileSync(at('data'), CONTENT)
  mkdirSync(at('stopping'))
})

describe('the owner of data', { concurrency: false }, () => {
  test('makes a key, seals for an enclave, and opens it again', async () => {
    const sealed = await done(
      'seal --new-key --key-file data.key --for app.enclave data owned --label visit-7',
    )
    assert.match(sealed.stderr, /data\.key: a new data key; casemate secret put/)
    assert.deepEqual([statSync(at('data.key')).size, statSync(at('data.key')).mode & 0o777], [32, 0o600])
    assert.ok(!readFileSync(at('owned')).includes('plaintext'))
    await done('unseal --key-file data.key owned opened')
    assert.ok(readFileSync(at('opened')).equals(CONTENT))
    assert.equal(statSync(at('opened')).mode & 0o777, 0o600)
    assert.ok((await done('unseal --key-file data.key --for app.enclave owned -')).bytes.equals(CONTENT))
  })

  test('sees what a file is sealed for without opening it', async () => {
    const { stdout } = await done('seal --inspect owned')
    const measurement = Buffer.from(parseImage(readFileSync(at('app.enclave'))).mrEnclave).toString('hex')
    assert.ok(stdout.includes(`measurement ${measurement}`), stdout)
    assert.match(stdout, /^security version +3, or a newer one$/m)
    assert.match(stdout, /^root +broker [0-9a-f]{32}$/m)
    assert.match(stdout, /^additional data +"visit-7"$/m)
    const json = JSON.parse((await done('seal --inspect owned --json')).stdout)
    assert.deepEqual(
      [json.policy, json.mrEnclave, json.verified, json.fileSize],
      ['mrEnclave', measurement, false, statSync(at('owned')).size],
    )
    await refused('seal --inspect data', 'seal-malformed', 1)
  })

  test('seals from stdin, for a signer’s products from a version on', async () => {
    const { mrSigner } = parseImage(readFileSync(at('app.enclave'))).sigstruct!
    const hex = Buffer.from(mrSigner).toString('hex')
    await done(
      `seal --key-file data.key --for-signer ${hex} --product-id 7 --svn 3 - piped --json`,
      Buffer.from('from a pipe'),
    )
    for (const image of ['app', 'newer'])
      assert.equal(
        (await done(`unseal --key-file data.key --for ${image}.enclave piped -`)).stdout,
        'from a pipe',
      )
    await refused('unseal --key-file data.key --for older.enclave piped -', 'seal-svn-too-new', 1)
    await refused('unseal --key-file data.key --for product.enclave piped -', 'seal-product-mismatch', 1)
    await refused('unseal --key-file data.key --for foreign.enclave piped -', 'seal-signer-mismatch', 1)
    await refused('unseal --key-file data.key --for debug.enclave --debug piped -', 'seal-debug-mismatch', 1)
    await refused('unseal --key-file data.key --for app.enclave owned owned', 'file-exists', 2)
  })

  test('is not served with another key, nor with one that others can read or that is none', async () => {
    await done('seal --new-key --key-file other.key --for app.enclave data other')
    const stderr = await refused('unseal --key-file other.key owned x', 'seal-root-mismatch', 1)
    assert.match(stderr, /hint: it was sealed with another data key/)
    writeFileSync(at('short.key'), Buffer.alloc(31, 1), { mode: 0o600 })
    await refused('unseal --key-file short.key owned x', 'root-invalid', 2)
    writeFileSync(at('long.key'), Buffer.alloc(33, 1), { mode: 0o600 })
    await refused('unseal --key-file long.key owned x', 'root-invalid', 2)
    cpSync(at('data.key'), at('open.key'))
    chmodSync(at('open.key'), 0o640)
    await refused('unseal --key-file open.key owned x', 'key-unsafe', 2)
    const much = await refused('unseal --key-file data owned x', 'key-unsafe', 2)
    assert.match(much, /chmod 600 data/)
    chmodSync(at('data'), 0o600)
    assert.match(
      await refused('unseal --key-file data owned x', 'root-invalid', 2),
      /data is longer than a key/,
    )
    await refused('unseal --key-file missing.key owned x', 'file-not-readable', 2)
    await refused('seal --new-key --key-file none/k --for app.enclave data y', 'file-not-writable', 2)
    await refused('seal --key-file data.key --for app.enclave data -', 'argument-unexpected', 2)
    await refused('seal --key-file data.key --for app.enclave stopping y', 'file-not-readable', 2)
    await refused('seal --new-key --key-file data.key --for app.enclave data y', 'file-exists', 2)
    await refused('seal --key-file data.key --for app.enclave data owned', 'file-exists', 2)
    await refused('seal --key-file data.key --for unsigned.enclave data y', 'image-unsigned', 1)
    await refused('seal --key-file data.key --for debug.enclave data y', 'flag-value-invalid', 2)
    assert.ok(!existsSync(at('x')) && !existsSync(at('y')))
  })

  test('gets nothing at all out of a file that was changed or cut', async () => {
    const sealed = readFileSync(at('owned'))
    for (const [content, code] of [
      [sealed.with(sealed.length - 20, 1 ^ (sealed.at(-20) ?? 0)), 'seal-mac-mismatch'],
      [sealed.subarray(0, sealed.length - 1000), 'seal-mac-mismatch'],
      [sealed.subarray(0, 135 + 65_552), 'seal-truncated'],
    ] as const) {
      writeFileSync(at('bad'), content)
      await refused('unseal --key-file data.key bad x', code, 1)
      await refused('unseal --key-file data.key bad -', code, 1)
      assert.ok(!existsSync(at('x')))
    }
  })
})

describe('a process that is stopped or whose reader goes away', { concurrency: false }, () => {
  const child = (line: string) => {
    const { PATH } = process.env
    const options = { cwd: at('stopping'), env: { PATH }, stdio: 'pipe' } as const
    return spawn(process.execPath, [BIN, ...line.split(' ')], options)
  }

  /** Waits until it works, sends a signal, and gives how it ended. */
  async function signalled(signal: NodeJS.Signals): Promise<unknown[]> {
    const sealing = child('seal --key-file ../data.key --for ../app.enclave - out')
    const closed = once(sealing, 'close')
    let stderr = ''
    sealing.stderr.on('data', chunk => (stderr += chunk))
    // It may be gone before it has read all of this.
    sealing.stdin.on('error', () => undefined)
    sealing.stdin.write(CONTENT)
    const deadline = Date.now() + 60_000
    while (globSync('.casemate-*', { cwd: at('stopping') }).length === 0 && Date.now() < deadline)
      await sleep(10)
    sealing.kill(signal)
    return [...(await closed), /casemate: interrupted: /.test(stderr)]
  }

  for (const [what, signal] of [
    ['Ctrl-C', 'SIGINT'],
    ['its terminal was closed', 'SIGHUP'],
  ] as const) {
    test(`leaves no half of a sealed file after ${what}`, {
      skip: process.platform === 'win32' && 'has no signals',
    }, async () => {
      assert.deepEqual(await signalled(signal), [3, null, true])
      assert.deepEqual(readdirSync(at('stopping')), [])
    })
  }

  test('ends when nobody reads what it opens', async () => {
    const input = Buffer.alloc(5_000_000, 'x')
    await done('seal --key-file data.key --for app.enclave - stopping/large', input)
    const opening = child('unseal --key-file ../data.key large -')
    const closed = once(opening, 'close')
    opening.stdout.once('data', () => opening.stdout.destroy())
    assert.deepEqual(await closed, [2, null])
  })
})

describe('an enclave on this machine', { concurrency: false }, () => {
  const as = (image: string): string => `--image ${image}.enclave --root simulated`

  test('opens what it sealed; another, an older one or another signer’s does not, and is told why', async () => {
    await refused(`unseal ${as('app')} owned x`, 'file-not-readable', 2)
    await done(`seal ${as('app')} data code`)
    await done(`seal ${as('app')} --policy mrSigner data signer`)
    for (const file of ['code', 'signer'])
      assert.ok((await done(`unseal ${as('app')} ${file} -`)).bytes.equals(CONTENT))
    assert.ok((await done(`unseal ${as('newer')} signer -`)).bytes.equals(CONTENT))
    await refused(`unseal ${as('newer')} code x`, 'seal-enclave-mismatch', 1)
    await refused(`unseal ${as('older')} signer x`, 'seal-svn-too-new', 1)
    await refused(`unseal ${as('product')} signer x`, 'seal-product-mismatch', 1)
    await refused(`unseal ${as('foreign')} signer x`, 'seal-signer-mismatch', 1)
    await refused(`unseal ${as('debug')} --debug signer x`, 'seal-debug-mismatch', 1)
    await refused(`unseal ${as('app')} owned x`, 'seal-root-mismatch', 1)
    await refused('unseal --image app.enclave --root gramine code x', 'root-invalid', 2)
  })

  test('moves its files to its newer version, and to no older one', async () => {
    mkdirSync(at('moving'))
    for (const file of ['code', 'signer']) cpSync(at(file), at(`moving/${file}`))
    writeFileSync(at('moving/notes'), 'not sealed')
    const move = (image: string): string =>
      `reseal moving --image app.enclave --to-image ${image}.enclave --from simulated --to simulated`
    const bad = await command(move('older'))
    assert.equal(bad.code, 1)
    assert.equal(bad.stdout.match(/^reseal-forbidden: /gm)?.length, 2, bad.stdout)
    const { stdout } = await done(`${move('newer')} --json`)
    assert.deepEqual(JSON.parse(stdout), { moved: 2, already: 0, left: 1, interrupted: false, failures: [] })
    for (const file of ['code', 'signer'])
      assert.ok((await done(`unseal ${as('newer')} moving/${file} -`)).bytes.equals(CONTENT))
    await refused(`unseal ${as('app')} moving/signer x`, 'seal-svn-too-new', 1)
    assert.equal(
      (await done(move('newer'))).stdout,
      '0 moved, 2 there already, 1 left alone that are not sealed\n',
    )
  })

  test('says of each file why it did not move, and moves the others', async () => {
    cpSync(at('code'), at('moving/bad'))
    writeFileSync(at('moving/bad'), readFileSync(at('moving/bad')).subarray(0, 90_000))
    cpSync(at('code'), at('moving/good'))
    const { code, stdout } = await command(
      'reseal moving missing --image app.enclave --to-image newer.enclave --from simulated --to simulated',
    )
    assert.equal(code, 1)
    assert.match(stdout, /^1 moved, 2 there already, 1 left/)
    assert.match(stdout, /^file-unreadable: missing: there is no such file$/m)
    assert.match(stdout, /^seal-mac-mismatch: .*moving\/bad: /m)
  })

  const isLinux = process.platform === 'linux'
  test('that has no room for a new file keeps the old one', {
    skip: !isLinux && 'needs ulimit',
  }, async () => {
    mkdirSync(at('full'))
    cpSync(at('code'), at('full/code'))
    const line = `ulimit -f 100; exec "$0" "$@"`
    const args =
      'reseal full --image app.enclave --to-image newer.enclave --from simulated --to simulated --json'
    assert.throws(
      () =>
        execFileSync('sh', ['-c', line, process.execPath, BIN, ...args.split(' ')], {
          cwd,
          env: { PATH: process.env['PATH'] },
        }),
      (error: Error & { stdout?: Buffer }) => {
        const { moved, failures } = JSON.parse(String(error.stdout))
        assert.deepEqual([moved, failures[0].code], [0, 'disk-full'])
        return true
      },
    )
    assert.deepEqual(globSync('full/{*,.*}', { cwd }), ['full/code'])
    assert.ok(readFileSync(at('full/code')).equals(readFileSync(at('code'))))
  })
})

describe('an enclave that a broker gives the data key to', { concurrency: false }, () => {
  const AS_APP = '--image app.enclave --root broker --key-path default/key/data'

  before(async () => {
    broker = await serving(['--tour'], /Ctrl-C stops/, { cwd })
    await done('secret put default/key/data data.key')
    await done('secret put default/key/next other.key')
    const { mrEnclave } = parseImage(readFileSync(at('app.enclave')))
    const expression = `claims.enclave != null && claims.enclave.mrEnclave == "${Buffer.from(mrEnclave).toString('hex')}"`
    const rule = ['rule', 'set', 'data', '--secrets', 'default/key/*', '--expression', expression]
    await done(rule)
  })
  after(() => broker?.child.kill('SIGKILL'))

  test('opens what the owner sealed; other code does not get the key', async () => {
    assert.ok((await done(`unseal ${AS_APP} owned -`)).bytes.equals(CONTENT))
    await refused(`unseal ${AS_APP.replace('app.', 'newer.')} owned x`, 'release-denied', 1)
    await refused(`unseal ${AS_APP.replace('data', 'none')} owned x`, 'secret-missing', 1)
    await refused(`unseal ${AS_APP} code x`, 'seal-root-mismatch', 1)
  })

  test('moves files from the machine’s root to the data key, and to another one', async () => {
    mkdirSync(at('kept'))
    for (const file of ['code', 'signer']) cpSync(at(file), at(`kept/${file}`))
    const moved = await done(
      'reseal kept --image app.enclave --from simulated --to broker --key-path default/key/data --policy mrSigner',
    )
    assert.match(moved.stdout, /^2 moved, 0 there already\n$/)
    assert.equal(parseHeader(readFileSync(at('kept/code'))).policy, 'mrSigner')
    const { stdout } = await done(
      'reseal kept --image app.enclave --from broker --to broker --key-path default/key/data --to-key-path default/key/next --json',
    )
    assert.equal(JSON.parse(stdout).moved, 2)
    assert.ok((await done('unseal --key-file other.key kept/code -')).bytes.equals(CONTENT))
    await refused('unseal --key-file data.key kept/code x', 'seal-root-mismatch', 1)
  })

  test('is a process that leaves neither plaintext nor key in any file', async () => {
    const { code, bytes } = await casemateProcess(`unseal ${AS_APP} owned -`.split(' '), {
      cwd,
      env: { CASEMATE_SERVER: broker?.url ?? '' },
    })
    assert.equal(code, 0)
    assert.ok(bytes.equals(CONTENT))
    const [marker, key] = [CONTENT.subarray(0, 42), readFileSync(at('data.key'))]
    const mayHold = new Set(['data', 'opened', 'data.key', 'open.key'].map(at))
    const holding = globSync('**/{*,.*}', { cwd, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
      .filter(path => !mayHold.has(path))
      .filter(path => [marker, key].some(secret => readFileSync(path).includes(secret)))
    assert.deepEqual(holding, [])
  })
})
