// Where endorsements come from: files, directories and the vendors' services; and what is said where they are missing, too
// old or malformed.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startService } from '../../../evidence/test/node/fetch-server.ts'
import { casemate } from '../run.ts'
import { AT, cwd, verify } from './directory.ts'

test('the edition of Intel’s collateral is chosen by a flag, one at a time, and only where something is fetched', async () => {
  const pccs = await startService({})
  const { asked } = pccs
  const env = { CASEMATE_PCS_URL: `${pccs.url}/pccs`, XDG_CACHE_HOME: join(cwd, 'cache') }
  const online = (...args: string[]) =>
    casemate(['verify', 'quote.bin', '--at', AT, '--trust', 'root.json', ...args], { cwd, env })
  const identity = '/pccs/tdx/certification/v4/qe/identity?'
  try {
    await online('--online', '--tcb-update', 'early')
    await online('--online', '--tcb-evaluation-data-number', '17')
    await online('--online')
    assert.deepEqual(
      asked.filter(path => path.startsWith(identity)),
      ['update=early', 'tcbEvaluationDataNumber=17', 'update=standard'].map(query => identity + query),
    )
    asked.length = 0
    for (const [code, ...flags] of [
      ['flag-value-unwanted', '--online', '--tcb-update', 'standard', '--tcb-evaluation-data-number', '20'],
      ['flag-value-unwanted', '--tcb-update', 'early'],
      ['flag-value-unwanted', '--tcb-evaluation-data-number', '20'],
      ['flag-value-invalid', '--online', '--tcb-update', 'soon'],
      ['flag-value-invalid', '--online', '--tcb-evaluation-data-number', '0'],
    ] as const) {
      const refused = await online('--json', ...flags)
      assert.equal(refused.code, 2)
      assert.equal(JSON.parse(refused.stdout).error.code, code, flags.join(' '))
    }
    assert.deepEqual(asked, [])
  } finally {
    await pccs.close()
  }
})

test('endorsements are taken from a directory of all sorts, and missing ones leave it undecided', async () => {
  const trusted = await verify(
    'quote.bin',
    '--trust',
    'root.json',
    '--endorsements',
    'collateral',
    '--policy',
    'tour.yaml',
    '--references',
    'known.yaml',
  )
  assert.equal(trusted.code, 0, trusted.stderr)
  const { code, stdout } = await verify('quote.bin', '--trust', 'root.json')
  assert.equal(code, 1)
  assert.match(stdout, /Verdict {2}UNDECIDED, and so not to be trusted: crl-missing\n {2}hint: --online/)
  assert.match(stdout, /Measurements, as stated and not verified\n {2}mrTd +a{96}\n/)
  const json = await verify('quote.bin', '--trust', 'root.json', '--json')
  assert.equal(json.code, 1)
  const [file] = JSON.parse(json.stdout).files
  assert.equal(file.verdict, 'undecided')
  assert.match(file.refusal.hint, /^--online fetches/)
})

test('--online is the hint where it would fetch what is missing, and not where the vendor gives it to nobody', async () => {
  for (const [file, hint] of [
    ['snp.bin', /hint: --online/],
    ['masked.bin', /hint: AMD gives no VCEK for this report/],
  ] as const) {
    const { stdout } = await verify(file)
    assert.match(stdout, /UNDECIDED, and so not to be trusted: endorsement-missing/)
    assert.match(stdout, hint)
    const json = JSON.parse((await verify(file, '--json')).stdout) as {
      files: readonly { refusal: { hint: string } }[]
    }
    assert.match(`hint: ${json.files[0]?.refusal.hint}`, hint)
  }
})

test('directories are descended into, links out of them are not followed, and hidden files are not read', async () => {
  const outer = join(cwd, 'nested')
  mkdirSync(join(outer, 'a', 'b'), { recursive: true })
  cpSync(join(cwd, 'collateral'), join(outer, 'a', 'b'), { recursive: true })
  symlinkSync(outer, join(outer, 'a', 'loop'))
  const wanted = ['--trust', 'root.json', '--policy', 'tour.yaml', '--references', 'known.yaml']
  assert.equal((await verify('quote.bin', '--endorsements', 'nested', ...wanted)).code, 0)
  const linked = join(cwd, 'linked')
  mkdirSync(linked)
  for (const name of readdirSync(join(cwd, 'collateral'))) {
    symlinkSync(join(cwd, 'collateral', name), join(linked, name))
    writeFileSync(join(linked, `.${name}`), readFileSync(join(cwd, 'collateral', name)))
  }
  const { code, stderr } = await verify('quote.bin', '--endorsements', 'linked', ...wanted)
  assert.equal(code, 2)
  assert.match(stderr, /^casemate: file-malformed: no endorsements in linked\nhint: /)
})

test('a malformed endorsement is a warning beside good ones, and after a few they are only counted', async () => {
  const bad = join(cwd, 'bad')
  mkdirSync(bad)
  for (let index = 0; index < 5; index += 1) {
    writeFileSync(join(bad, `${index}.json`), '{"enclaveIdentity":{"id":"QE"},"signature":"00"}')
  }
  const alone = await verify('quote.bin', '--endorsements', 'bad')
  assert.equal(alone.code, 2)
  assert.match(
    alone.stderr,
    /^casemate: file-malformed: no endorsements in bad; 5 are malformed, such as bad/,
  )
  const wanted = ['--trust', 'root.json', '--policy', 'tour.yaml', '--references', 'known.yaml']
  const paths = ['--endorsements', 'bad', '--endorsements', 'collateral']
  const { code, stderr } = await verify('quote.bin', ...wanted, ...paths)
  assert.equal(code, 0)
  assert.match(
    stderr,
    /^(?:warning: left out: bad\/\d\.json: .*\n){3}warning: left out: 2 more malformed files\n$/,
  )
})

test('a file that is named as an endorsement has to be one', async () => {
  const { code, stderr } = await verify('quote.bin', '--endorsements', 'collateral/README.md')
  assert.equal(code, 1)
  assert.match(stderr, /^casemate: endorsement-malformed: collateral\/README\.md/)
})

test('without a simulator’s trust its quote does not lead to a pinned root', async () => {
  const { code, stdout } = await verify('quote.bin', '--endorsements', 'collateral')
  assert.equal(code, 1)
  assert.match(stdout, /✗ chain-untrusted {2}/)
  assert.match(
    stdout,
    /Verdict {2}NOT TO BE TRUSTED: chain-untrusted\n[^]*hint: by its name it is a simulator’s: --trust FILE/,
  )
})

test('collateral that is too old at the time in question is refused for that', async () => {
  const { code, stdout } = await casemate(
    ['verify', 'quote.bin', '--trust', 'trust.json', '--at', '2029-01-01'],
    { cwd },
  )
  assert.equal(code, 1)
  assert.match(stdout, /✗ (crl|endorsement)-expired/)
  assert.match(
    stdout,
    /Verdict {2}UNDECIDED, and so not to be trusted: \S+-expired\n {2}hint: the collateral does/,
  )
  assert.match(
    stdout.replaceAll(/\s+/g, ' '),
    /That of a simulated machine lasts 30 days: casemate up or attest/,
  )
})
