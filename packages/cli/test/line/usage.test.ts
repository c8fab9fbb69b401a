import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { allCommands } from '../../src/commands.ts'
import { parseCommandLine } from '../../src/line/parse.ts'
import { casemate, temporaryDirectory } from '../run.ts'

/** A line as it is typed, what it is refused as, and what the hint leads to. */
const TYPED_WRONG: readonly (readonly [string, string, RegExp])[] = [
  ['verfy quote.bin', 'unknown-command', /did you mean: casemate verify/],
  ['xyzzy', 'unknown-command', /casemate --help/],
  ['hlep', 'unknown-command', /did you mean: casemate help/],
  ['verify a --offline', 'unknown-flag', /nothing is fetched without --online/],
  ['verify /dev/null --policy strct', 'file-not-readable', /did you mean the preset strict/],
  ['--verbose', 'unknown-flag', /casemate --help/],
  ['verify', 'argument-missing', /casemate verify FILE\.\.\./],
  ['verify a --onlin', 'unknown-flag', /did you mean: --online/],
  ['verify a --at', 'flag-value-missing', /--at TIME/],
  ['verify a --at --json', 'flag-value-missing', /--at TIME/],
  ['verify a --online=yes', 'flag-value-unwanted', /^$/],
  ['verify a --at 2025-01-01 --at 2025-01-02', 'flag-repeated', /^$/],
  ['verify a --at yesterday', 'flag-value-invalid', /2025-06-30T12:00:00Z/],
  ['verify a --at 2025-01-01T00:00:00', 'flag-value-invalid', /zone|Z/],
  ['verify /nonexistent/quote.bin', 'file-not-readable', /^$/],
  ['verify /', 'argument-unexpected', /each its own: --endorsements \/$/m],
  ['attest --kind sev', 'flag-value-invalid', /tdx, sgx, snp, sample/],
  ['attest --key-type P-384', 'flag-value-invalid', /P-256, P-521, RSA-2048/],
  ['attest', 'simulator-missing', /casemate up --tour/],
  [
    'policy test x a --endorsements one two three',
    'argument-unexpected',
    /each needs the flag before it: --endorsements two$/m,
  ],
  ['policy test x a b --at 2025-01-01', 'argument-unexpected', /casemate policy test NAME/],
  ['policy test x a --at 2025-01-01 b', 'argument-unexpected', /casemate policy test NAME/],
  ['policy test x --attestation 4f21c09b --at 2025-01-01', 'argument-unexpected', /^$/],
  ['attest now', 'argument-unexpected', /casemate attest/],
  ['attestation list --verdict maybe', 'flag-value-invalid', /any, accepted, refused/],
  ['attestation', 'argument-missing', /casemate attestation --help/],
  ['attestation list --verdict refsed', 'flag-value-invalid', /did you mean refused\? one of/],
  ['attestation list --kind tdxx', 'flag-value-invalid', /did you mean tdx\? one of/],
  ['attest --kind tdxx', 'flag-value-invalid', /did you mean tdx\? one of/],
  ['attest --key-type p256', 'flag-value-invalid', /did you mean P-256\? one of/],
  ['attest --platform hardwre', 'flag-value-invalid', /did you mean hardware\? one of/],
  ['enclave build x.ts --runtime minmal', 'flag-value-invalid', /did you mean minimal\? one of/],
  ['token create ci --role wirter', 'flag-value-invalid', /did you mean writer\? one of/],
  ['key rotate signign', 'argument-unexpected', /did you mean signing\? one of/],
  ['key protect passphrse', 'argument-unexpected', /did you mean passphrase\? one of/],
  ['up --log-level inof', 'config-invalid', /did you mean info\?/],
  ['enclave biuld x.ts', 'unknown-command', /did you mean: casemate enclave build/],
  ['enclave sign x --kye k', 'unknown-flag', /did you mean: --key/],
  ['enclave call 127.0.0.1:7 f --input x', 'argument-missing', /casemate enclave inspect IMAGE/],
  ['enclave call 127.0.0.1:7 f --input x --measurement 00', 'flag-value-invalid', /^$/],
  ['enclave call 127.0.0.1:7 f --input x --signer x', 'flag-value-invalid', /^$/],
  ['enclave call 127.0.0.1 f --input x', 'flag-value-invalid', /127\.0\.0\.1:7000/],
  ['enclave run /nonexistent', 'file-not-readable', /^$/],
  ['secret', 'argument-missing', /casemate secret --help/],
  ['secret pt a/b/c', 'unknown-command', /did you mean: casemate secret put/],
  ['secret put', 'argument-missing', /REPOSITORY\/TYPE\/TAG/],
  ['secret put a/b/c f g', 'argument-unexpected', /casemate secret put/],
  ['secret list', 'token-missing', /CASEMATE_TOKEN/],
  ['secret list --token cmt_x', 'unknown-flag', /did you mean: --token-file/],
  ['secret list --token-file /nonexistent', 'file-not-readable', /^$/],
  ['secret list --token-file /dev/null', 'token-missing', /--token-file/],
  ['secret list --token-file /dev/zero', 'file-not-readable', /^$/],
  ['secret list --ca-file /dev/zero', 'file-not-readable', /^$/],
  ['config show --config /dev/zero', 'file-not-readable', /^$/],
  ['verify /dev/zero', 'file-not-readable', /^$/],
  ['secret put a/b', 'path-invalid', /default\/db\/password/],
  ['secret delete a/b/c --version 0', 'flag-value-invalid', /^$/],
  ['secret list --limit many', 'flag-value-invalid', /^$/],
  ['secret put a/b/c /nonexistent', 'file-not-readable', /^$/],
  ['attestation list --limit x', 'flag-value-invalid', /^$/],
  ['token list --limit 0', 'flag-value-invalid', /^$/],
  ['log show --limit x', 'flag-value-invalid', /^$/],
  ['log show --attestation 4f21c09b --limit x', 'flag-value-invalid', /^$/],
  ['log show 12 --limit x', 'argument-unexpected', /casemate log show 12/],
  ['policy list --limit x', 'flag-value-invalid', /^$/],
  ['policy test x /nonexistent', 'file-not-readable', /^$/],
  ['policy test x --attestation 4f21c09b --endorsements /nonexistent', 'file-not-readable', /^$/],
  ['policy test x /dev/null --at soon', 'flag-value-invalid', /2025-06-30T12:00:00Z/],
  ['rule dry-run db /nonexistent', 'file-not-readable', /^$/],
  ['rule dry-run db --limit x', 'flag-value-invalid', /^$/],
  ['secret list --server http://broker.example', 'url-insecure', /https/],
  ['secret list --server broker', 'url-invalid', /^$/],
  ['policy test default', 'argument-missing', /NAME EVIDENCE/],
  ['policy set next.yaml', 'argument-missing', /casemate policy set NAME next\.yaml/],
  ['policy set p /nonexistent', 'file-not-readable', /^$/],
  ['reference gte demo', 'unknown-command', /did you mean: casemate reference get/],
  ['rule set db --secrets a/b/*', 'argument-missing', /^--expression CEL: must be true/],
  ['rule set db --expression true', 'argument-missing', /^--secrets PATTERN: which secrets/],
  ['rule set db rule.yaml --secrets a/b/c', 'argument-unexpected', /leave out rule\.yaml/],
  ['rule set db', 'file-malformed', /standard input is read where no FILE is named/],
  ['rule dryrun db', 'unknown-command', /did you mean: casemate rule dry-run/],
  ['log verify receipt.json', 'argument-missing', /casemate log key/],
  ['log check --key /nonexistent --since x', 'file-not-readable', /^$/],
  ['log check', 'argument-missing', /--since CHECKPOINT --key KEY/],
  ['log check --since x', 'argument-missing', /casemate log key/],
  ['log check --key name+00000000+AQ==', 'argument-missing', /--since/],
  ['log show first', 'argument-unexpected', /^$/],
  ['token create ci', 'argument-missing', /auditor, writer, admin/],
  ['token create ci --role root', 'flag-value-invalid', /auditor, writer, admin/],
  ['token create ci --role admin --expires 0d', 'flag-value-invalid', /30d/],
  ['token create ci --role admin --expires 5y', 'flag-value-invalid', /30m \(minutes\)/],
  ['token create ci --role admin --expires 2099-02-30', 'flag-value-invalid', /2027-01-31T00:00:00Z/],
  ['token revok x', 'unknown-command', /did you mean: casemate token revoke/],
  ['key rotate all', 'argument-unexpected', /kek, signing/],
  ['key protect hsm', 'argument-unexpected', /passphrase, file/],
  ['key protect passphrase', 'argument-missing', /in one line/],
  ['key protect file --kek-pasphrase-file x', 'unknown-flag', /did you mean: --kek-passphrase-file/],
  ['config shwo', 'unknown-command', /did you mean: casemate config show/],
  ['config show --lisen x', 'unknown-flag', /did you mean: --listen/],
  ['config show --listen nowhere', 'config-invalid', /address/],
  ['up --tuor', 'unknown-flag', /did you mean: --tour/],
  ['up --listen 0.0.0.0:1', 'tls-required', /127\.0\.0\.1/],
  ['demo now', 'argument-unexpected', /casemate demo/],
  ['platform --root /nonexistent', 'flag-value-invalid', /e\.g\. \/host/],
  ['platform --root /dev/null', 'flag-value-invalid', /e\.g\. \/host/],
  ['sael a b', 'unknown-command', /did you mean: casemate seal/],
  ['seal a', 'argument-missing', /casemate seal INPUT OUTPUT/],
  ['seal - b', 'argument-missing', /--image IMAGE --root ROOT/],
  ['seal - b --key-file k', 'argument-missing', /--for-signer HEX/],
  ['seal - b --key-file k --root broker', 'flag-value-invalid', /the owner has --key-file/],
  ['seal - b --key-file k --for i --svn 2', 'flag-value-invalid', /^$/],
  ['seal - b --key-file k --for-signer 12', 'flag-value-invalid', /casemate enclave inspect/],
  ['seal - b --image i --root brokr', 'flag-value-invalid', /did you mean broker/],
  ['seal - b --image i --root broker', 'argument-missing', /REPOSITORY\/TYPE\/TAG/],
  ['seal - b --image i --root gramine --key-path a/b/c', 'flag-value-invalid', /^$/],
  ['seal - b --image /nonexistent --root gramine', 'file-not-readable', /^$/],
  ['seal - b --image i --root gramine --policy mrsigner', 'flag-value-invalid', /did you mean mrSigner/],
  ['unseal a', 'argument-missing', /casemate unseal INPUT OUTPUT/],
  ['unseal a - --key-file k --json', 'flag-value-invalid', /^$/],
  ['reseal', 'argument-missing', /casemate reseal FILE\.\.\./],
  ['reseal a --from simulated', 'argument-missing', /simulated, gramine, broker/],
  ['reseal a --from simulated --to gramine', 'argument-missing', /^the enclave/],
  ['reseal a --from gramine --to broker --image i', 'argument-missing', /REPOSITORY\/TYPE\/TAG/],
  ['reseal a --from gramine --to gramine --to-key-path a/b/c --image i', 'flag-value-invalid', /^$/],
]

describe('a line that is typed wrong', { concurrency: 2 }, () => {
  for (const [line, code, hint] of TYPED_WRONG) {
    test(`casemate ${line} is refused as ${code}`, async () => {
      // Without a token: what was typed wrong is told before what is missing.
      const { code: exitCode, stdout, stderr } = await casemate(line.split(' '), { input: 'x' })
      assert.equal(exitCode, 2, stderr)
      if (line.includes('--json')) {
        assert.equal(JSON.parse(stdout).error.code, code)
        return
      }
      assert.equal(stdout, '')
      assert.ok(stderr.startsWith(`casemate: ${code}: `), stderr)
      assert.match(/^hint: (.*)$/m.exec(stderr)?.[1] ?? '', hint)
      assert.ok(!/\n\s+at /.test(stderr) && !stderr.includes('\u001b'), stderr)
    })
  }
})

test('a policy under the name of a preset is refused with a command that stores it, whatever it calls itself', async () => {
  for (const document of [
    'extends: strict',
    'extends: strict\nname: default',
    'extends: strict\nname: strict',
  ]) {
    const ran = await casemate(['policy', 'set', 'strict'], { input: document })
    assert.match(ran.stderr, /^casemate: argument-unexpected: strict is the name of a preset/)
    const hint = /^hint: casemate (policy set default) FILE puts the file in force, with `(.*)`/m.exec(
      ran.stderr,
    )
    const [, command = '', line = ''] = hint ?? []
    // No further than a token is missed: what the hint says is right as it stands.
    const followed = await casemate([...command.split(' '), '-'], { input: line })
    assert.match(followed.stderr, /^casemate: token-missing/)
  }
})

test('what is typed wrong is said before what this machine lacks: a token, a platform', async () => {
  for (const [line, code] of [
    ['secret get default/db', 'path-invalid'],
    ['secret put default/db', 'path-invalid'],
    ['secret delete default', 'path-invalid'],
    ['secret delete a/b/c --version 0', 'flag-value-invalid'],
    ['log show first', 'argument-unexpected'],
    ['log receipt first', 'argument-unexpected'],
    ['token create ci --role root', 'flag-value-invalid'],
    ['key retire kek first', 'argument-unexpected'],
    ['policy test x', 'argument-missing'],
  ] as const) {
    const ran = await casemate(line.split(' '), { input: 'x' })
    assert.equal(ran.code, 2, line)
    assert.ok(ran.stderr.startsWith(`casemate: ${code}: `), `${line}: ${ran.stderr}`)
  }
})

test('no broker is unavailable, and not a refusal', async () => {
  for (const line of ['secret list', 'log checkpoint', 'token list']) {
    const { code, stderr } = await casemate([...line.split(' '), '--server', 'http://127.0.0.1:1'], {
      env: { CASEMATE_TOKEN: 'cmt_t' },
    })
    assert.equal(code, 3)
    assert.match(stderr, /^casemate: unreachable: .*\nhint: /)
  }
})

test('an error is JSON where --json is said, also in a line that does not parse', async () => {
  const { code, stdout, stderr } = await casemate(['secret', 'lst', '--json'])
  assert.equal(code, 2)
  assert.equal(stderr, '')
  assert.deepEqual(JSON.parse(stdout), {
    error: {
      code: 'unknown-command',
      message: 'there is no command secret lst',
      hint: 'did you mean: casemate secret list',
      exitCode: 2,
    },
  })
})

test('every command explains itself, with its flags and an example', async () => {
  for (const { words, summary, examples } of await allCommands()) {
    assert.ok(examples.length > 0, words.join(' '))
    assert.ok(!summary.endsWith('.'), words.join(' '))
  }
  for (const words of [['verify'], ['secret', 'put'], ['up']]) {
    const { code, stdout } = await casemate([...words, '--help'])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^casemate ${words.join(' ')}  `))
    assert.match(stdout, /\nFlags\n[^]*--json[^]*\nExamples\n/)
  }
})

test('every example is a line that a shell and the parser take as it stands', async t => {
  const cwd = temporaryDirectory(clean => t.after(clean))
  const commands = await allCommands()
  const script = [
    'exec 3>&1 1>/dev/null',
    "casemate() { printf '%s\\0' \"$@\" >&3; printf '\\1\\0' >&3; }",
    'curl() { :; }',
    'openssl() { :; }',
    ...commands.flatMap(({ examples }) => examples),
  ].join('\n')
  const { stdout, status } = spawnSync('sh', ['-eu', '-c', script], {
    cwd,
    encoding: 'utf8',
    env: { PASSWORD: 'p', TLS_KEY: 'k' },
  })
  assert.equal(status, 0)
  const lines = stdout
    .split('\u0001\0')
    .slice(0, -1)
    .map(line => line.split('\0').slice(0, -1))
  assert.ok(lines.length > commands.length)
  for (const words of lines) {
    assert.equal((await parseCommandLine(words)).kind, 'run', words.join(' '))
    assert.doesNotMatch(words.join(' '), /…/)
  }
})

test('no line of any help is wider than 80 columns', async () => {
  const groups = (await allCommands()).map(({ words }) => words)
  for (const words of [[], ...groups, ...groups.map(([first]) => [first])]) {
    const { code, stdout } = await casemate(['help', ...words])
    assert.equal(code, 0)
    assert.deepEqual(
      stdout.split('\n').filter(line => line.length > 80),
      [],
      words.join(' '),
    )
  }
})

test('the overview lists every command, and help finds one', async () => {
  const { code, stdout } = await casemate([])
  assert.equal(code, 0)
  for (const { words } of await allCommands()) assert.match(stdout, new RegExp(`\\n  ${words[0]}[ \\n]`))
  const help = await casemate(['help', 'rule', 'dry-run'])
  assert.match(help.stdout, /^casemate rule dry-run {2}/)
  assert.match((await casemate(['help', 'rules'])).stderr, /did you mean: casemate help rule/)
  for (const word of ['--version', 'version']) {
    assert.match((await casemate([word])).stdout, /^casemate \d+\.\d+\.\d+\n$/)
    assert.match(JSON.parse((await casemate([word, '--json'])).stdout).version, /^\d+\.\d+\.\d+$/)
  }
})

test('help is JSON where that is asked for', async () => {
  for (const args of [
    ['help', '--json'],
    ['help', 'verify', '--json'],
    ['secret', '--help', '--json'],
  ]) {
    const { code, stdout } = await casemate(args)
    assert.equal(code, 0)
    assert.ok(JSON.parse(stdout).help.length > 5, args.join(' '))
  }
})
