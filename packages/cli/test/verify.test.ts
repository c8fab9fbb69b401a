import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createAmdPlatform, createIntelPlatform, PREVIOUS_CPU_SVN } from '@casemate/simulator'
import { casemate, temporaryDirectory } from './run.ts'

const AT = '2026-11-22T12:00:00Z'
const cwd = temporaryDirectory(after)
const MRTD = 'aa'.repeat(48)

before(async () => {
  const now = new Date(AT)
  const intel = await createIntelPlatform({ now })
  const amd = await createAmdPlatform({ now, modulusBits: 2048 })
  const reportData = new Uint8Array(64).fill(7)
  const zeros = '00'.repeat(48)
  const tdx = intel.tdxQuote({
    reportData,
    mrTd: MRTD,
    rtmr0: zeros,
    rtmr1: 'bb'.repeat(48),
    rtmr2: zeros,
    rtmr3: zeros,
  })
  writeFileSync(join(cwd, 'quote.bin'), tdx)
  writeFileSync(join(cwd, 'quote.hex'), Buffer.from(tdx).toString('hex'))
  writeFileSync(join(cwd, 'quote.b64'), Buffer.from(tdx).toString('base64'))
  writeFileSync(
    join(cwd, 'kbs.json'),
    JSON.stringify({ quote: Buffer.from(tdx).toString('base64'), cc_eventlog: null }),
  )
  writeFileSync(join(cwd, 'tampered.bin'), intel.tdxQuote({ reportData, tamper: ['quoteSignature'] }))
  writeFileSync(join(cwd, 'sgx.bin'), intel.sgxQuote({ reportData }))
  writeFileSync(join(cwd, 'snp.bin'), amd.snpReport({ reportData }))
  writeFileSync(join(cwd, 'masked.bin'), amd.snpReport({ reportData, chipId: new Uint8Array(64) }))
  writeFileSync(join(cwd, 'noise.bin'), 'this is no evidence')
  writeFileSync(join(cwd, 'trust.json'), JSON.stringify(intel.publicTrust()))
  const root = { ...intel.publicTrust(), endorsements: [] }
  writeFileSync(join(cwd, 'root.json'), JSON.stringify(root))
  writeFileSync(join(cwd, 'amd-trust.json'), JSON.stringify(amd.publicTrust()))
  mkdirSync(join(cwd, 'collateral'))
  for (const { name, bytes } of intel.endorsements) writeFileSync(join(cwd, 'collateral', name), bytes)
  writeFileSync(join(cwd, 'collateral', 'README.md'), 'where these are from')
  writeFileSync(join(cwd, 'tour.yaml'), 'extends: strict\nname: tour\nversion: 1\nsimulated: any\n')
  const workload = (name: string, mrTd: string): string =>
    `workloads:\n  - kind: tdx\n    name: ${name}\n    mrTd: [${mrTd}]\n    rtmr0: any\n    rtmr1: any\n    rtmr2: any\n    rtmr3: any\n`
  writeFileSync(join(cwd, 'known.yaml'), workload('mine', MRTD))
  writeFileSync(join(cwd, 'other.yaml'), workload('another', 'cc'.repeat(48)))
})

function verify(...args: string[]): ReturnType<typeof casemate> {
  return casemate(['verify', '--at', AT, ...args], { cwd })
}

/** Random parts of a simulated platform, made equal. */
function steady(text: string): string {
  return text
    .replaceAll(/0x[0-9a-f]{10,}/g, '0x…')
    .replaceAll(/(?<=hardware id {2})[0-9a-f]{32}/g, '…')
    .replaceAll(/valid until \S+/g, 'valid until …')
}

test('a simulated quote is told step by step, and refused by the strict policy', async () => {
  const { code, stdout, stderr } = await verify('quote.bin', '--trust', 'trust.json')
  assert.equal(stderr, '')
  assert.equal(code, 1)
  const golden = readFileSync(new URL('./verify.golden.txt', import.meta.url), 'utf8')
  assert.equal(steady(stdout), golden)
})

test('known code is trusted by a policy that accepts simulation by name', async () => {
  const args = ['quote.bin', '--trust', 'trust.json', '--policy', 'tour.yaml', '--references', 'known.yaml']
  const { code, stdout } = await verify(...args)
  assert.equal(code, 0)
  assert.match(stdout, /\nVerdict {2}TRUSTED by the policy tour, workload mine, until 2026-/)
})

test('collateral that is older than the policy allows is refused by its kind, and what is accepted ends with it', async () => {
  const policy = (age: string) => {
    const text = `extends: strict\nname: fresh\nversion: 1\nsimulated: any\ntcb: { maxCollateralAge: ${age} }\n`
    writeFileSync(join(cwd, 'fresh.yaml'), text)
  }
  const args = ['quote.bin', '--trust', 'trust.json', '--policy', 'fresh.yaml', '--references', 'known.yaml']
  const later = { at: '2026-12-17T12:00:00Z' }
  policy('7d')
  const { code, stdout } = await casemate(['verify', '--at', later.at, ...args], { cwd })
  assert.equal(code, 1)
  assert.match(
    stdout,
    /✗ tcb\.maxCollateralAge\.tcbInfo\n {6}expected {2}issued 7d ago at most, as of 2026-12-17.*\n {6}got {7}2026-11-22T12:00:00Z\n/,
  )
  policy('26d')
  const accepted = await casemate(['verify', '--at', later.at, ...args], { cwd })
  assert.equal(accepted.code, 0, accepted.stdout)
  assert.match(accepted.stdout, /until 2026-12-18 12:00:00Z/)
})

test('the edition of Intel’s collateral is chosen by a flag, one at a time, and only where something is fetched', async () => {
  const asked: string[] = []
  const pccs = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(404).end()
  })
  pccs.listen(0, '127.0.0.1')
  await once(pccs, 'listening')
  const { port } = pccs.address() as AddressInfo
  const env = { CASEMATE_PCS_URL: `http://127.0.0.1:${port}/pccs`, XDG_CACHE_HOME: join(cwd, 'cache') }
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
    pccs.closeAllConnections()
    pccs.close()
  }
})

test('a platform that is out of date is told which versions are short, in the text and in JSON', async () => {
  const old = await createIntelPlatform({ now: new Date(AT), cpuSvn: PREVIOUS_CPU_SVN, pceSvn: 11 })
  writeFileSync(join(cwd, 'old.bin'), old.tdxQuote({ reportData: new Uint8Array(64) }))
  writeFileSync(join(cwd, 'old-trust.json'), JSON.stringify(old.publicTrust()))
  const { code, stdout } = await verify('old.bin', '--trust', 'old-trust.json')
  assert.equal(code, 1)
  const flat = stdout.replaceAll(/\s+/g, ' ')
  assert.match(
    flat,
    /✗ tcb\.statuses expected UpToDate got OutOfDate short of UpToDate \(2024-11-13\): SGX component 1 \(BIOS, Early Microcode Update\) is 2, want 3; [^✗]*PCESVN is 11, want 13; update the platform/,
  )
  const json = await verify('old.bin', '--trust', 'old-trust.json', '--json')
  const [file] = JSON.parse(json.stdout).files
  assert.deepEqual(
    file.claims.platform.tcbShortfalls.map((it: { part: string; index: number | null }) => [
      it.part,
      it.index,
    ]),
    [
      ['sgx', 1],
      ['sgx', 2],
      ['sgx', 5],
      ['pce', null],
    ],
  )
})

test('unknown code is refused with the closest known workload', async () => {
  const args = ['quote.bin', '--trust', 'trust.json', '--policy', 'tour.yaml', '--references', 'other.yaml']
  const { code, stdout } = await verify(...args)
  assert.equal(code, 1)
  assert.match(stdout, /✗ workloads\n/)
  assert.match(stdout, /closest known workload: another\n {4}\S*mrTd: expected c+, got a+/)
})

test('a policy of one’s own that wants known code refuses where no reference values are given', async () => {
  const { code, stdout } = await verify('quote.bin', '--trust', 'trust.json', '--policy', 'tour.yaml')
  assert.equal(code, 1)
  assert.match(stdout, /✗ workloads\n/)
})

test('hex, base64, KBS evidence and stdin are the same quote as the binary', async () => {
  const binary = await verify('quote.bin', '--trust', 'trust.json')
  for (const file of ['quote.hex', 'quote.b64', 'kbs.json']) {
    const { stdout } = await verify(file, '--trust', 'trust.json')
    assert.equal(stdout, binary.stdout.replaceAll('quote.bin', file))
  }
  const input = readFileSync(join(cwd, 'quote.bin'))
  const piped = await casemate(['verify', '-', '--at', AT, '--trust', 'trust.json'], { cwd, input })
  assert.equal(piped.stdout, binary.stdout.replaceAll('quote.bin', '-'))
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

test('evidence whose code is compared with nothing is told so in the verdict itself', async () => {
  writeFileSync(
    join(cwd, 'any-code.yaml'),
    'name: lab\nversion: 1\nextends: standard\nsimulated: any\nworkloads: any\n',
  )
  const { code, stdout } = await verify('quote.bin', '--trust', 'trust.json', '--policy', 'any-code.yaml')
  assert.equal(code, 0, stdout)
  assert.match(stdout, /\nVerdict {2}TRUSTED by the policy lab, its code compared with nothing, until 2026-/)
  assert.match(stdout, /\n {2}hint: --references FILE says which code is wanted\n/)
})

test('with --require-code, or its variable, nothing is verified whose code would be compared with nothing', async () => {
  const demand = 'CASEMATE_REQUIRE_CODE'
  const known = ['--policy', 'tour.yaml', '--references', 'known.yaml']
  const base = ['quote.bin', '--trust', 'trust.json', '--require-code']
  const bare = await verify(...base)
  assert.equal(bare.code, 2)
  assert.match(bare.stderr, /^casemate: code-not-compared: --require-code demands .*neither --references/)
  const open = await verify(...base, '--policy', 'any-code.yaml', '--references', 'known.yaml')
  assert.equal(open.code, 2)
  assert.match(open.stderr, /the policy lab says workloads: any/)
  assert.equal((await verify(...base, ...known)).code, 0)
  const own = (kinds: string, tdx: string) =>
    writeFileSync(
      join(cwd, 'own-code.yaml'),
      `extends: strict\nname: own\nversion: 1\nsimulated: any\nworkloads: any\nkinds: ${kinds}\ntdx: ${tdx}\n`,
    )
  own('[tdx]', `{ mrTd: ${MRTD} }`)
  const compared = await verify(...base, '--policy', 'own-code.yaml')
  assert.equal(compared.code, 0)
  assert.match(compared.stdout, /TRUSTED by the policy own, until/)
  own('[tdx, snp]', `{ mrTd: ${MRTD} }`)
  assert.match(
    (await verify(...base, '--policy', 'own-code.yaml')).stderr,
    /names no measurement or signer for snp/,
  )
  // Whoever's code runs can extend a register as it likes.
  own('[tdx]', `{ rtmr1: ${'bb'.repeat(48)} }`)
  assert.match((await verify(...base, '--policy', 'own-code.yaml')).stderr, /code-not-compared/)
  const args = ['verify', '--at', AT, 'quote.bin', '--trust', 'trust.json', '--policy', 'any-code.yaml']
  const byVariable = await casemate(args, { cwd, env: { [demand]: 'true' } })
  assert.equal(byVariable.code, 2)
  assert.match(byVariable.stderr, /CASEMATE_REQUIRE_CODE=true demands/)
  assert.equal((await casemate(args, { cwd, env: { [demand]: 'false' } })).code, 0)
  const typo = await casemate(args, { cwd, env: { [demand]: 'yes' } })
  assert.match(typo.stderr, /CASEMATE_REQUIRE_CODE is yes, want true or false/)
})

test('a second path after --endorsements is explained, and never taken for evidence that was accepted', async () => {
  const directory = await verify('quote.bin', '--endorsements', 'collateral/pck-crl.der', 'collateral')
  assert.equal(directory.code, 2)
  assert.match(directory.stderr, /collateral is a directory.*\nhint: .*--endorsements collateral\n/)
  const file = await verify(
    'quote.bin',
    '--trust',
    'trust.json',
    '--endorsements',
    'collateral',
    'collateral/pck-crl.der',
  )
  assert.equal(file.code, 1)
  assert.match(file.stdout, /the flag stands before\s+each path/)
  const document = await verify(
    'quote.bin',
    '--trust',
    'trust.json',
    '--references',
    'known.yaml',
    'other.yaml',
  )
  assert.equal(document.code, 1)
  assert.match(
    document.stdout,
    /it is reference values, and no evidence[^]*give it by --references FILE, once/,
  )
})

test('evidence in YAML is read, and what YAML cut off is told to be cut by it', async () => {
  const base64 = readFileSync(join(cwd, 'quote.b64'), 'utf8')
  const rows = base64.match(/.{1,80}/g) ?? []
  const folded = `# from the machine\nmachine: a1\nquote: >-\n  ${rows.join('\n  ')}\n`
  writeFileSync(join(cwd, 'evidence.yaml'), folded)
  const known = ['--trust', 'trust.json', '--policy', 'tour.yaml', '--references', 'known.yaml']
  assert.equal((await verify('evidence.yaml', ...known)).code, 0)
  writeFileSync(join(cwd, 'half.yaml'), `quote: ${rows.slice(0, 4).join(' ')} # ${rows.slice(4).join('')}\n`)
  const half = await verify('half.yaml', ...known)
  assert.equal(half.code, 1)
  assert.match(half.stdout, /it is YAML, and what was read out of it is not whole:\s/)
  assert.match(half.stdout, /hint: YAML ends a text at a line/)
  writeFileSync(join(cwd, 'outdented.yaml'), folded.replace(`\n  ${rows[3]}`, `\n${rows[3]}`))
  const outdented = await verify('outdented.yaml', ...known)
  assert.equal(outdented.code, 1)
  assert.match(outdented.stdout, /it begins like YAML and is not/)
  assert.match(outdented.stdout, /hint: YAML ends a text at a line/)
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
  assert.match(stdout, /Verdict {2}NOT TO BE TRUSTED: chain-untrusted\n/)
})

test('a tampered signature is named, after the steps that had passed', async () => {
  const { stdout } = await verify('tampered.bin', '--trust', 'trust.json')
  assert.match(stdout, / {2}✓ qe-binding .*\n {3,}.*\n {2}✗ quote-signature-invalid {2}/)
  assert.match(
    stdout,
    /NOT TO BE TRUSTED: quote-signature-invalid\n {2}it was altered after it was signed, or/,
  )
})

test('an endorsement in the place of evidence is told to be one', async () => {
  const { code, stdout } = await verify('collateral/pck-crl.der')
  assert.equal(code, 1)
  assert.match(stdout, /✗ evidence-malformed {2}it is an endorsement[^]*hint: give it by --endorsements/)
  const damaged = join(cwd, 'damaged.bin')
  writeFileSync(damaged, readFileSync(join(cwd, 'quote.bin')).subarray(0, -40))
  assert.doesNotMatch((await verify(damaged)).stdout, /endorsement or/)
})

test('a file without any content is told to be empty', async () => {
  writeFileSync(join(cwd, 'empty.bin'), '')
  const { code, stdout } = await verify('empty.bin')
  assert.equal(code, 1)
  assert.match(stdout, /✗ evidence-malformed {2}it is empty: 0 bytes\n/)
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
})

test('several files are all told, and one that is no evidence spoils the exit code only', async () => {
  const files = ['sgx.bin', 'noise.bin', 'snp.bin']
  const trust = ['--trust', 'trust.json', '--trust', 'amd-trust.json']
  const { code, stdout, stderr } = await verify(...files, ...trust)
  assert.equal(code, 1)
  assert.equal(stderr, '')
  assert.match(stdout, /^sgx\.bin\n {2}Intel SGX quote, version 3\n/)
  assert.match(stdout, /\nnoise\.bin\n {2}not recognised\n/)
  assert.match(stdout, /\nsnp\.bin\n {2}AMD SEV-SNP attestation report, version \d\n/)
})

test('JSON says the same as the text', async () => {
  const { code, stdout } = await verify('quote.bin', 'noise.bin', '--trust', 'trust.json', '--json')
  assert.equal(code, 1)
  const { files } = JSON.parse(stdout)
  assert.deepEqual(
    files.map((one: Record<string, unknown>) => [one['file'], one['kind'], one['verdict'], one['genuine']]),
    [
      ['quote.bin', 'tdx', 'refused', true],
      ['noise.bin', null, 'refused', false],
    ],
  )
  const [quote, noise] = files
  assert.equal(quote.claims.simulated, true)
  assert.equal(quote.claims.tdx.mrTd, MRTD)
  assert.deepEqual(
    quote.result.violations.map((one: { path: string }) => one.path),
    ['simulated'],
  )
  assert.equal(noise.refusal.code, 'evidence-malformed')
})

test('a policy with mistakes is told with all of them', async () => {
  writeFileSync(join(cwd, 'bad.yaml'), 'extends: strict\nname: bad\nversion: none\ndebugg: false\n')
  const { code, stderr } = await verify('quote.bin', '--policy', 'bad.yaml')
  assert.equal(code, 2)
  assert.match(stderr, /^casemate: policy-invalid: 2 problems\n/)
  assert.match(stderr, /\n {2}debugg: got/)
  assert.match(stderr, /\n {2}version: got/)
})

const vectors =
  process.env['CASEMATE_VECTORS'] ?? fileURLToPath(new URL('../../../../shared/vectors', import.meta.url))

test('a quote captured from real hardware is trusted at its time', async t => {
  if (!existsSync(vectors)) return t.skip(`no vectors at ${vectors}`)
  const intel = join(vectors, 'collateral', 'intel')
  const paths = [
    join(intel, 'tcbinfo', 'tdx-b0c06f000000-v3-e17-20250619.json'),
    join(intel, 'qeidentity', 'td_qe-e17-20250619.json'),
    join(intel, 'crl', 'root-20250320.der'),
    join(intel, 'crl', 'platform-20250619.der'),
    join(vectors, 'roots', 'intel'),
  ]
  const quote = join(vectors, 'tdx', 'phala-tdx-quote-c42f91', 'quote.bin')
  const endorsements = paths.flatMap(path => ['--endorsements', path])
  const { code, stdout, stderr } = await casemate([
    'verify',
    quote,
    '--at',
    '2025-07-04T10:24:15Z',
    ...endorsements,
  ])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /TCB status +UpToDate \(oldest TCB level of 2024-03-13\)/)
  const nothing = 'its code compared with nothing'
  assert.match(
    stdout,
    new RegExp(`Verdict {2}TRUSTED by the policy strict, ${nothing}, until 2025-07-19 10:00:35Z\\n`),
  )
})

test('a whole tree of collateral serves, the malformed beside the good', async t => {
  if (!existsSync(vectors)) return t.skip(`no vectors at ${vectors}`)
  const quote = join(vectors, 'tdx', 'phala-quote-hex', 'quote.bin')
  const trees = ['collateral', 'roots'].flatMap(name => ['--endorsements', join(vectors, name)])
  const { code, stderr } = await casemate(['verify', quote, '--at', '2025-09-17T07:26:01Z', ...trees])
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^(?:warning: left out: .*\n){4}$/)
})

test('a revocation list that does not cover the time is told with whose it is', async t => {
  if (!existsSync(vectors)) return t.skip(`no vectors at ${vectors}`)
  const quote = join(vectors, 'tdx', 'phala-quote-hex', 'quote.bin')
  const trees = ['--endorsements', join(vectors, 'collateral')]
  const { stdout } = await casemate(['verify', quote, '--at', '2030-01-01', ...trees])
  assert.match(stdout, /✗ crl-expired {2}the nearest revocation list of Intel SGX [\w\s]+ expired\s+at/)
})
