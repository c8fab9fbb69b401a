// Policies, and the reference values beside them: stored, changed, tested, refused.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createIntelPlatform } from '@casemate/simulator'
import { beside, cwd, jsonOf } from './broker.ts'

export function policyTests(): void {
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
    assert.match(
      early.stdout,
      /\n {6}the collateral does not cover [^]*\nVerdict: undecided, and so refused: \S+-not-yet-valid/,
    )
    const asJson = await beside('policy test default .casemate/tour/quote.bin --at 2020-01-01 --json')
    assert.equal((JSON.parse(asJson.stdout) as { verdict: string }).verdict, 'undecided')
    const [paper] = (await createIntelPlatform()).endorsements
    mkdirSync(join(cwd, 'papers'))
    writeFileSync(join(cwd, 'papers', paper!.name), paper!.bytes)
    const papers = await beside('policy test default .casemate/tour/quote.bin --endorsements papers')
    assert.equal(papers.code, 0, papers.stderr)
    const none = await beside('policy test default .casemate/tour/quote.bin --endorsements next.yaml')
    assert.match(none.stderr, /next\.yaml is no endorsement/)
    writeFileSync(join(cwd, 'plain.yaml'), 'extends: standard\n')
    const taken = await beside('policy set strict plain.yaml')
    assert.match(taken.stderr, /argument-unexpected: strict is the name of a preset[^]*extends: strict/)
    const refused = await beside('policy test next .casemate/tour/quote.bin')
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, /✗ simulated\n[^]*Verdict: refused by the policy next, workload demo\n$/)
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
    const kernel = `workloads: [{ kind: tdx, name: kernel, mrTd: any, rtmr0: any, rtmr1: ${'bb'.repeat(48)}, rtmr2: any, rtmr3: any }]`
    const partial = await beside('reference set partial', kernel)
    assert.match(
      partial.stdout,
      /^reference partial is set.*\nwarning: kernel leaves open mrTd and rtmr2: registers are/,
    )
    assert.equal((await beside('reference delete partial')).code, 0)
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
}
