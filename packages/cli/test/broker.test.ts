import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createIntelPlatform } from '@casemate/simulator'
import { listenForServerStop } from '../src/stop-signal.ts'
import { casemate, casemateProcess, type Ran, type Serving, serving, temporaryDirectory } from './run.ts'

const READY = /Ctrl-C stops/
const cwd = temporaryDirectory(after)
let broker: Serving

/** Runs a command beside the broker, as the newcomer would in another terminal. */
function beside(line: string | readonly string[], input?: string): Promise<Ran> {
  const args = typeof line === 'string' ? line.split(' ') : line
  return casemate(args, {
    cwd,
    env: { CASEMATE_SERVER: broker.url },
    ...(input === undefined ? {} : { input }),
  })
}

async function jsonOf(line: string): Promise<never> {
  const { code, stdout, stderr } = await beside(`${line} --json`)
  assert.equal(code, 0, stdout + stderr)
  return JSON.parse(stdout) as never
}

describe('a newcomer’s first start', () => {
  before(async () => {
    broker = await serving(['--tour'], READY, { cwd })
  })
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

  test('an enabled rule releases a secret octet for octet, and without one nothing is', async () => {
    const content = '\u0000binary\n\u00ff'
    writeFileSync(join(cwd, 'secret.bin'), content)
    assert.equal((await beside('secret put default/db/password secret.bin')).code, 0)
    const denied = await beside('secret get default/db/password')
    assert.equal(denied.code, 1)
    assert.match(
      denied.stderr,
      /^casemate: release-denied: .* \(attestation ([0-9a-f-]{36})\)\nhint: .*casemate log show --attestation \1\n/,
    )
    const id = /\(attestation ([0-9a-f-]{36})\)/.exec(denied.stderr)?.[1] ?? ''
    const why = await beside(['log', 'show', '--attestation', id])
    assert.match(
      why.stdout,
      /release\.denied +…[0-9a-f]{8} +default\/db\/password: no enabled rule is for it/,
    )
    assert.equal(why.stdout.trimEnd().split('\n').length, 3, why.stdout)
    const short = await beside(['log', 'show', '--attestation', `…${id.slice(-8)}`])
    assert.equal(short.stdout, why.stdout)
    const index = /^(\d+) .*release\.denied/m.exec(why.stdout)?.[1] ?? ''
    assert.match(
      (await beside(['log', 'show', index])).stdout,
      /in words: default\/db\/password: no enabled rule/,
    )
    const rule = ['rule', 'set', 'db', '--secrets', 'default/db/*', '--expression', 'claims.kind == "tdx"']
    assert.equal((await beside(rule)).code, 0)
    const tried = await beside('rule dry-run db')
    assert.match(tried.stdout, /\btdx +allows\n/)
    assert.equal(tried.code, 0)
    // Of a TDX guest, nothing of SGX can be read: a rule that does not ask for the kind first errs.
    const flags = ['--secrets', 'default/db/*', '--expression', 'claims.sgx.isvSvn >= 1']
    const errs = await beside(['rule', 'dry-run', 'db', ...flags])
    assert.match(errs.stdout, /denies \(error\)/)
    assert.equal(errs.code, 1)
    const misspelt = await beside([
      'rule',
      'set',
      'db',
      '--secrets',
      '*/*/*',
      '--expression',
      'claims.tdx.rtmr9 == ""',
    ])
    assert.match(
      misspelt.stderr,
      /^casemate: rule-invalid: .*claims\.tdx\.rtmr9[^]*hint: did you mean: claims\.tdx\.rtmr0/,
    )
    const got = await beside('secret get default/db/password')
    assert.deepEqual(got.bytes, Buffer.from(content))
    assert.equal((await beside('secret get default/db/missing')).code, 1)
  })

  test('a secret comes from stdin as well, and --new refuses to replace one', async () => {
    assert.match(
      (await beside('secret put default/db/other', 'x')).stdout,
      /as version 1 \(ledger entry \d+\)\n$/,
    )
    assert.match((await beside('secret put default/db/other', 'y')).stdout, /as version 2 /)
    const refused = await beside('secret put default/db/other --new', 'z')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /^casemate: precondition-failed: /)
    assert.equal((await beside('secret put default/db/other', '')).code, 2)
    assert.equal((await beside('secret delete default/db/other --version 1')).code, 0)
    assert.match(
      (await beside('secret list')).stdout,
      /^SECRET +VERSION +UPDATED\n[^]*default\/db\/other +2 /,
    )
    assert.equal((await beside('secret delete default/db/other')).code, 0)
    assert.doesNotMatch((await beside('secret list')).stdout, /default\/db\/other/)
  })

  test('attest tells who was believed, and other code or another TEE is refused with a way to learn why', async () => {
    for (const keyType of ['P-256', 'P-521', 'RSA-2048']) {
      const { code, stdout } = await beside(`attest --key-type ${keyType}`)
      assert.equal(code, 0)
      assert.match(stdout, /^attested as +tdx, simulated\nstatus +warning\n/)
    }
    const refused = await beside('attest --code other')
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /^casemate: appraisal-refused: [^]*\(attestation ([0-9a-f-]{36})\)[^]*hint: .*casemate attestation show \1,/,
    )
    for (const kind of ['sgx', 'snp', 'sample']) assert.equal((await beside(`attest --kind ${kind}`)).code, 1)
    const { items } = (await jsonOf('attestation list --verdict refused')) as {
      items: { id: string; kind: string }[]
    }
    const tdx = items.find(item => item.kind === 'tdx')
    assert.ok(refused.stderr.includes(`(attestation ${tdx?.id})`), refused.stderr)
    const shown = await beside(['attestation', 'show', `…${tdx?.id.slice(-8)}`])
    assert.match(shown.stdout, /claims\.tdx\.rtmr3 +"[0-9a-f]{96}"\n/)
    assert.match(shown.stdout, /result\.trustVector\["instance-identity"\] +-?\d/)
    assert.match(shown.stdout, /where it differs from demo[^]*\n {2}\w+\n {6}expected {2}[^]*\n {6}got {7}/)
    const none = await beside('attestation show 00000000')
    assert.match(
      none.stderr,
      /^casemate: argument-unexpected: no attestation has an id that ends with 00000000/,
    )
    const sgx = await beside('attestation list --kind sgx --client 127.0.0.1')
    assert.match(sgx.stdout, / sgx +refused .* 127\.0\.0\.1 +/)
    assert.doesNotMatch(sgx.stdout, / tdx /)
    assert.match((await beside('attestation list --client 192.0.2.1')).stdout, /nothing is so/)
    assert.match(
      shown.stdout,
      /✗ workloads\n {6}expected .*\n {6}got .*\n[^]*Verdict: refused by the policy default\n/,
    )
  })

  test('a policy is read, changed under its etag, tested and deleted', async () => {
    const read = await beside('policy get default')
    assert.match(read.stdout, /^extends: strict\nname: default\n/)
    writeFileSync(join(cwd, 'next.yaml'), 'extends: strict\nname: next\nversion: 1\n')
    const other = await beside('policy set next next.yaml')
    assert.match(
      other.stdout,
      /^policy next is set .*\nit decides nothing: guests are judged by default alone/,
    )
    const listed = await beside('policy list')
    assert.match(listed.stdout, /presets, to be read and tested by name: strict, standard\n$/)
    const preset = await beside('policy get strict')
    assert.match(
      preset.stdout,
      /^# built in, the preset strict: no policy named strict is stored\nversion: 1\n/,
    )
    const again = await beside('policy set edited', preset.stdout)
    assert.equal(again.code, 0, again.stderr)
    assert.match((await beside('policy get edited')).stdout, /^version: 1\nkinds:\n[^]*^name: edited$/m)
    assert.equal((await beside('policy test strict .casemate/tour/quote.bin')).code, 1)
    const early = await beside('policy test default .casemate/tour/quote.bin --at 2020-01-01')
    assert.equal(early.code, 1)
    assert.match(early.stdout, /not-yet-valid/)
    const [paper] = (await createIntelPlatform()).endorsements
    mkdirSync(join(cwd, 'papers'))
    writeFileSync(join(cwd, 'papers', paper!.name), paper!.bytes)
    const papers = await beside('policy test default .casemate/tour/quote.bin --endorsements papers')
    assert.equal(papers.code, 0, papers.stderr)
    const none = await beside('policy test default .casemate/tour/quote.bin --endorsements next.yaml')
    assert.match(none.stderr, /next\.yaml is no endorsement/)
    writeFileSync(join(cwd, 'plain.yaml'), 'extends: standard\n')
    const taken = await beside('policy set strict plain.yaml')
    assert.match(taken.stderr, /policy-invalid: strict is the name of a preset[^]*extends: strict/)
    const refused = await beside('policy test next .casemate/tour/quote.bin')
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, /✗ simulated\n[^]*Verdict: refused by the policy next\n$/)
    assert.equal((await beside('policy test default .casemate/tour/quote.bin')).code, 0)
    const { items } = (await jsonOf('attestation list --verdict accepted')) as { items: { id: string }[] }
    assert.equal((await beside(`policy test next --attestation ${items[0]?.id}`)).code, 1)
    const { etag } = (await jsonOf('policy get next')) as { etag: string }
    assert.equal((await beside(['policy', 'set', 'next', 'next.yaml', '--etag', etag])).code, 0)
    const stale = await beside(['policy', 'set', 'next', 'next.yaml', '--etag', etag])
    assert.equal(stale.code, 1)
    assert.match(stale.stderr, /^casemate: precondition-failed: /)
    assert.equal((await beside('policy delete next')).code, 0)
    assert.doesNotMatch((await beside('policy list')).stdout, /next/)
    assert.match((await beside('reference list')).stdout, /^REFERENCE +UPDATED\ndemo /)
    assert.match((await beside('reference get demo')).stdout, /^workloads:\n {2}- kind: tdx\n/)
  })

  test('a policy takes its name from where it is stored, and a next version, and contradicts neither', async () => {
    assert.equal((await beside('policy set apple', 'extends: strict\n')).code, 0)
    assert.match((await beside('policy get apple')).stdout, /^name: apple\nversion: 1\n/m)
    assert.equal((await beside('policy set apple', 'extends: strict\nname: apple\n')).code, 0)
    assert.match((await beside('policy get apple')).stdout, /^version: 2\n/m)
    const { code, stderr } = await beside('policy set apple', 'extends: strict\nname: banana\nversion: 3\n')
    assert.equal(code, 2)
    assert.match(
      stderr,
      /^casemate: file-malformed: the policy calls itself banana, and would be stored as apple\n/,
    )
    assert.equal((await beside('policy delete apple')).stdout, 'policy apple is deleted\n')
  })

  test('a policy with mistakes is refused with every one of them', async () => {
    const { code, stderr } = await beside(
      'policy set bad',
      'extends: strict\nname: bad\nversion: 0\nsimulatd: any\n',
    )
    assert.equal(code, 1)
    assert.match(stderr, /^casemate: policy-invalid: 2 problems\n {2}\S+: got/)
  })

  test('the log shows who did what, and a receipt is proved offline by the log’s key alone', async () => {
    const shown = await beside('log show --limit 500')
    assert.match(shown.stdout, /^INDEX +AT +WHAT +WHO +ABOUT\n/)
    // An id of an attestation would take half of the row.
    assert.match(shown.stdout, / …[0-9a-f]{8} /)
    const env = { CASEMATE_SERVER: broker.url }
    const onScreen = await casemate(['log', 'show', '--limit', '500'], { cwd, env, screen: true })
    assert.deepEqual(
      onScreen.stdout.split('\n').filter(line => line.length > 80),
      [],
    )
    assert.match(onScreen.stdout, /admin\.used +first\n {7}PUT \/v1\/secrets\/\S+ → 412\n/)
    const newest = (await jsonOf('log show --limit 2')) as { items: { index: number }[]; more: boolean }
    assert.equal(newest.more, true)
    assert.equal(newest.items[0]!.index, newest.items[1]!.index + 1)
    assert.ok(newest.items[1]!.index >= Number(/\n(\d+) /.exec(shown.stdout)?.[1]))
    const [, index] = /^(\d+) .*release\.granted .*default\/demo\/greeting$/m.exec(shown.stdout) ?? []
    const receipt = await beside(`log receipt ${index}`)
    const key = (await beside('log key')).stdout.trim()
    const verify = (text: string, by: string): Promise<Ran> =>
      casemate(['log', 'verify', '-', '--key', by], { cwd, input: text })
    const proved = await verify(receipt.stdout, key)
    assert.equal(proved.code, 0, proved.stderr)
    assert.match(
      proved.stdout,
      /what +release\.granted\n[^]*about +default\/demo\/greeting\n[^]*Verdict: proved/,
    )
    const changed = await verify(
      receipt.stdout.replace('default/demo/greeting', 'default/demo/breeding'),
      key,
    )
    assert.equal(changed.code, 1)
    assert.match(changed.stderr, /^casemate: receipt-invalid: /)
    const otherKey = 'casemate+00000000+AZ46NgP0Pqmipb8FnI7m1EVeCACw5inJg+IPdIMZ9tpg'
    assert.equal((await verify(receipt.stdout, otherKey)).code, 2)
    assert.match((await beside('log show 0')).stdout, /"index": 0/)
  })

  test('growth is proved from an old checkpoint, and a forged one is refused', async () => {
    const old = (await beside('log checkpoint')).stdout
    writeFileSync(join(cwd, 'checkpoint.txt'), old)
    await beside('secret put default/db/more', 'x')
    const key = (await beside('log key')).stdout.trim()
    const check = (file: string): Promise<Ran> => beside(['log', 'check', '--since', file, '--key', key])
    const grown = await check('checkpoint.txt')
    assert.equal(grown.code, 0, grown.stderr)
    assert.match(grown.stdout, /Verdict: consistent, nothing was removed or changed, \d+ added\n$/)
    writeFileSync(
      join(cwd, 'forged.txt'),
      old.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) - 1}\n`),
    )
    const forged = await check('forged.txt')
    assert.equal(forged.code, 1)
    assert.match(forged.stderr, /^casemate: checkpoint-untrusted: /)
  })

  test('tokens are shown once, do what their role may, and are worthless when revoked', async () => {
    const made = (await jsonOf('token create reader --role auditor --expires 24h')) as {
      id: string
      token: string
    }
    writeFileSync(join(cwd, 'token'), `${made.token}\n`)
    const as = (line: string): Promise<Ran> => beside([...line.split(' '), '--token-file', 'token'])
    assert.equal((await as('secret list')).code, 0)
    const written = await as('secret put default/db/more')
    assert.equal(written.code, 2, 'an empty secret is a usage error before anyone is asked')
    const denied = await as('secret delete default/db/more')
    assert.match(denied.stderr, /^casemate: role-insufficient: /)
    const used = (await beside('log show --limit 5')).stdout
    assert.match(used, /admin\.used +reader +DELETE \/v1\/secrets\/\S+ → 403\n/)
    const list = await beside('token list')
    assert.match(list.stdout, new RegExp(`\\n${made.id} +reader +auditor `))
    assert.ok(!list.stdout.includes(made.token))
    assert.equal((await beside(`token revoke ${made.id}`)).code, 0)
    const gone = await as('secret list')
    assert.equal(gone.code, 1)
    assert.match(gone.stderr, /^casemate: token-invalid: /)
  })

  test('keys are rotated while secrets stay readable', async () => {
    assert.match((await beside('key rotate kek')).stdout, /^kek is rotated: 2 is current\n$/)
    assert.match((await beside('key rotate signing')).stdout, /^signing is rotated: \S+ signs from /)
    assert.match((await beside('key list')).stdout, /\nkek +2 +current /)
    assert.equal(
      (await beside('secret get default/demo/greeting')).stdout,
      'Good morning from inside the vault.',
    )
  })

  test('every list is JSON that parses', async () => {
    for (const line of [
      'policy list',
      'rule list',
      'key list',
      'log receipt 0',
      'secret get default/demo/greeting',
      'attest',
    ]) {
      assert.equal(typeof (await jsonOf(line)), 'object', line)
    }
  })

  test('a second broker on the same data or address is refused with a way out', async () => {
    const same = await casemate(['up', '--listen', '127.0.0.1:0', '--metrics-listen', 'off'], { cwd })
    assert.equal(same.code, 2)
    assert.match(same.stderr, /^casemate: data-directory-in-use: [^]*hint: /)
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const taken = await casemate(
      [
        'up',
        '--listen',
        `127.0.0.1:${port}`,
        '--data-dir',
        join(cwd, 'elsewhere'),
        '--metrics-listen',
        'off',
      ],
      { cwd },
    )
    server.close()
    assert.equal(taken.code, 2)
    assert.match(
      taken.stderr,
      /casemate: address-in-use: [^]*something listens there already[^]*hint: .*--listen/,
    )
  })

  test('after kill -9 the same data is there, with no new token, and Ctrl-C stops it cleanly', async () => {
    const before = (await jsonOf('log show')) as { items: { index: number }[] }
    await broker.stop('SIGKILL')
    broker = await serving(['--tour'], READY, { cwd })
    assert.doesNotMatch(broker.text, /cmt_/)
    assert.match(broker.text, /1 {2}Still there\n[^]*“Good morning from inside the vault\.”/)
    const later = (await jsonOf('log show')) as { items: { index: number }[] }
    assert.ok(later.items[0]!.index > before.items[0]!.index)
    assert.match((await beside('secret list')).stdout, /default\/db\/password/)
    const { code, text } = await broker.stop('SIGINT')
    assert.equal(code, 0)
    assert.match(text, /casemate: stopped; everything that was acknowledged is on disk\n$/)
  })

  test('what an administrator has changed since ends the tour and not the broker', async () => {
    writeFileSync(join(cwd, 'strict.yaml'), 'extends: strict\nname: default\nversion: 2\n')
    broker = await serving(['--tour'], READY, { cwd })
    assert.equal((await beside('policy set default strict.yaml')).code, 0)
    assert.match(
      (await beside('policy delete default')).stdout,
      /^policy default is deleted\nwarning: handshakes use it; .* the preset strict decides\n$/,
    )
    assert.equal((await beside('policy set default strict.yaml')).code, 0)
    const unknown = await beside('token revoke ci')
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /^casemate: token-unknown: [^]*hint: .*casemate token list/)
    await broker.stop('SIGTERM')
    broker = await serving(['--tour'], READY, { cwd })
    assert.match(broker.text, /1 {2}Changed since\n[^]*appraisal-refused/)
    assert.equal((await broker.stop('SIGTERM')).code, 0)
  })
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

test('a broker whose log nobody reads any more goes on', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  const up = await serving([], /the broker serves/, { cwd: directory })
  up.child.stdout?.destroy()
  up.child.stderr?.destroy()
  up.child.kill('SIGHUP')
  for (let n = 0; n < 3; n++) assert.equal((await fetch(`${up.url}/v1/info`)).status, 200)
  assert.equal((await up.stop('SIGTERM')).code, 0)
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

test('config show says where each value comes from, and refuses an unknown key', async t => {
  const directory = temporaryDirectory(clean => t.after(clean))
  writeFileSync(join(directory, 'casemate.yaml'), 'issuer: from-file\nlogLevel: warn\n')
  const args = ['config', 'show', '--config', 'casemate.yaml', '--log-level', 'error']
  const { code, stdout } = await casemate(args, { cwd: directory, env: { CASEMATE_DATA_DIR: '/data' } })
  assert.equal(code, 0)
  assert.match(stdout, /^issuer +from-file +file casemate\.yaml$/m)
  assert.match(stdout, /^logLevel +error +flag --log-level$/m)
  assert.match(stdout, /^dataDir +\/data +environment CASEMATE_DATA_DIR$/m)
  assert.match(stdout, /^listen +127\.0\.0\.1:8080 +default$/m)
  writeFileSync(join(directory, 'casemate.yaml'), 'isuer: x\n')
  const bad = await casemate(['config', 'show', '--config', 'casemate.yaml'], { cwd: directory })
  assert.equal(bad.code, 2)
  assert.match(bad.stderr, /^casemate: config-unknown: isuer in casemate\.yaml[^]*hint: did you mean issuer/)
})
