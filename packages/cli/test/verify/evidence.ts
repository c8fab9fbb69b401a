// What can be given as evidence: every form of the same quote, several files, and what is none, told as what it is.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { casemate } from '../run.ts'
import { AT, cwd, verify } from './directory.ts'

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
