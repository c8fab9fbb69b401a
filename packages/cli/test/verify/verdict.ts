// What is said of genuine evidence: trusted or refused, by which policy, compared with which code.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createIntelPlatform, PREVIOUS_CPU_SVN } from '@casemate/simulator'
import { casemate } from '../run.ts'
import { AT, cwd, MRTD, verify } from './directory.ts'

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

test('a policy without name and version, as `policy set` takes it, goes by its file, and never by the name of a preset', async () => {
  for (const [file, name] of [
    ['fleet.yaml', 'fleet'],
    ['strict.yaml', 'own'],
    ['My Fleet.yaml', 'own'],
  ] as const) {
    writeFileSync(join(cwd, file), 'extends: strict\nsimulated: any\n')
    const args = ['quote.bin', '--trust', 'trust.json', '--policy', file, '--references', 'known.yaml']
    const { code, stdout } = await verify(...args)
    assert.equal(code, 0, stdout)
    assert.match(stdout, new RegExp(`TRUSTED by the policy ${name}, workload mine`))
  }
})

test('a policy of one’s own that wants known code refuses where no reference values are given', async () => {
  const { code, stdout } = await verify('quote.bin', '--trust', 'trust.json', '--policy', 'tour.yaml')
  assert.equal(code, 1)
  assert.match(stdout, /✗ workloads\n/)
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

test('a verdict says where the firmware alone was compared, or who signed the code', async () => {
  const own = (name: string, text: string) => writeFileSync(join(cwd, name), text)
  const policy = 'extends: strict\nname: own\nversion: 1\nsimulated: any\n'
  own('firmware.yaml', `${policy}workloads: any\ntdx: { mrTd: ${MRTD} }\n`)
  const args = ['--trust', 'trust.json', '--policy']
  const firmware = await verify('quote.bin', ...args, 'firmware.yaml')
  assert.equal(firmware.code, 0, firmware.stdout)
  assert.match(
    firmware.stdout,
    /TRUSTED by the policy own, its firmware compared, and nothing that it loads,/,
  )
  assert.match(firmware.stdout, /\n {2}hint: --references FILE says which code is wanted\n/)
  const json = JSON.parse((await verify('quote.bin', ...args, 'firmware.yaml', '--json')).stdout)
  assert.deepEqual([json.files[0].codeCompared, json.files[0].result.codeKnownBy], [false, 'firmware'])
  const shown = JSON.parse((await verify('sgx.bin', ...args, 'firmware.yaml', '--json')).stdout)
  const { mrSigner } = shown.files[0].claims.sgx as { mrSigner: string }
  own(
    'signer.yaml',
    `workloads: [{ kind: sgx, name: ours, mrEnclave: any, mrSigner: '${mrSigner}', isvProdId: any, minIsvSvn: any }]`,
  )
  const signer = await verify('sgx.bin', ...args, 'tour.yaml', '--references', 'signer.yaml')
  assert.equal(signer.code, 0, signer.stdout)
  assert.match(signer.stdout, /by the policy tour, workload ours, its code known by the signer alone, until/)
})

test('registers of a TD without its firmware are no known workload', async () => {
  const registers = `rtmr0: any, rtmr1: ${'bb'.repeat(48)}, rtmr2: '${'00'.repeat(48)}', rtmr3: any`
  writeFileSync(join(cwd, 'kernel.yaml'), `workloads: [{ kind: tdx, name: kernel, mrTd: any, ${registers} }]`)
  const args = ['--trust', 'trust.json', '--policy', 'tour.yaml', '--references', 'kernel.yaml']
  const { code, stdout } = await verify('quote.bin', ...args)
  assert.equal(code, 1)
  assert.match(stdout, /✗ workloads\n[^]*kernel, which leaves open mrTd\n[^]*word of the firmware/)
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
  const whole = `{ mrTd: ${MRTD}, rtmr1: ${'bb'.repeat(48)}, rtmr2: '${'00'.repeat(48)}' }`
  own('[tdx]', whole)
  const compared = await verify(...base, '--policy', 'own-code.yaml')
  assert.equal(compared.code, 0)
  assert.match(compared.stdout, /TRUSTED by the policy own, until/)
  own('[tdx, snp]', whole)
  assert.match(
    (await verify(...base, '--policy', 'own-code.yaml')).stderr,
    /does not say which code it wants for snp/,
  )
  // Firmware loads any kernel.
  own('[tdx]', `{ mrTd: ${MRTD} }`)
  const firmware = await verify(...base, '--policy', 'own-code.yaml')
  assert.match(firmware.stderr, /code-not-compared[^]*of tdx mrTd, rtmr1 and rtmr2/)
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
