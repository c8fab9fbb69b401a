// Secrets that neither whoever asks nor whoever runs the enclave may learn.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBrokerRoot } from '@casemate/enclave'
import { newConsents, openAudit, sealCohort } from '../biobank.ts'
import { decodeBand, encodeRequest } from '../insurer.ts'
import { loadCohort } from '../load.ts'
import { makeCohort } from '../synthetic.ts'
import { bareEnclaves, COHORT, labelled, load } from './bare-enclave.ts'
import { openCohort } from './cohort-enclave.ts'

const NOT_CONSENTED = 7
const SCORE_REVEALING = 23
const COHORT_TOO_SMALL = 41
const files = makeCohort({ seed: 11, people: 120, variants: 300 })
const enclaves = await bareEnclaves()
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

test('a band is all that a request gets: one byte, the same each time', async t => {
  const { enclave, cohort } = await openCohort(t, files)
  const [name, code] = [...cohort.consents][5]!
  const answers = await enclave.callBatch('score', Array<Uint8Array>(3).fill(encodeRequest(name, code)))
  for (const answer of answers) {
    assert.equal(answer.length, 1)
    assert.ok(decodeBand(answer)! >= 1)
    assert.deepEqual(answer, answers[0])
  }
})

test('without the person’s own code there is no answer, and none says who is in the cohort', async t => {
  const { enclave, cohort, biobank } = await openCohort(t, files)
  const [[first, code], [second]] = [...cohort.consents] as [[string, Uint8Array], [string, Uint8Array]]
  const almost = Uint8Array.from(code)
  almost[15]! ^= 1
  for (const [name, given] of [
    [second, code],
    [first, almost],
    [first, new Uint8Array(16)],
    ['nobody', code],
    [`${first} `, code],
    [first.slice(0, -1), code],
  ] as const) {
    const request = enclave.call('score', encodeRequest(name, given))
    await assert.rejects(request, { code: 'call-failed', got: String(NOT_CONSENTED) }, name)
  }
  // Nor does an audit, to anyone who has not the data key.
  const stranger = { ...biobank, root: openBrokerRoot({ path: 'x', key: new Uint8Array(32).fill(1) }) }
  const audit = await enclave.call('audit', new Uint8Array())
  assert.throws(() => openAudit(audit, stranger))
  assert.ok(!Buffer.from(audit).includes(first))
})

test('who has given no consent has no code: not even zeros', () => {
  const enclave = enclaves({ minimumPeople: 1 })
  assert.equal(load(enclave, { vcf: text(files.vcf), score: text(files.score) }), 0)
  assert.equal(enclave.call('score', encodeRequest('SYN00001', new Uint8Array(16))), NOT_CONSENTED)
})

test('consents that are no codes, or are given twice, open nothing; strangers’ are passed over', () => {
  const line = `SYN00001\t${'0f'.repeat(16)}\n`
  const run = (consents: string): number =>
    load(enclaves(), { vcf: text(files.vcf), score: text(files.score), consents })
  assert.equal(run(`${line}somebody\t${'00'.repeat(16)}\n`), 0)
  for (const wrong of [`${line}${line}`, line.slice(0, -2), 'SYN00001\n', line.replace('0f', 'xf'), '\n']) {
    assert.equal(run(wrong), 40, wrong)
  }
  const enclave = enclaves()
  assert.equal(enclave.call('loadConsents', labelled(`consents ${COHORT}`, line)), 1)
})

test('a score of one variant, or that one variant rules, would tell a genotype, and opens nothing', () => {
  const vcf = text(files.vcf)
  const lines = text(files.score).split('\n').slice(0, -1)
  const header = lines.findIndex(line => line.startsWith('rsID'))
  const few = `${lines.slice(0, header + 21).join('\n')}\n`
  // However even its weights are.
  assert.equal(load(enclaves({ maximumSharePercent: 100 }), { vcf, score: few }), SCORE_REVEALING)
  const additive = lines.findIndex(
    (line, index) => index > header && /\t[ACGT]\t[ACGT]\t\S+\tadditive\t/.test(line),
  )
  for (const [weight, status] of [
    ['0.001', 0],
    ['1000', SCORE_REVEALING],
    ['-1000', SCORE_REVEALING],
    ['1.7e308', SCORE_REVEALING],
  ] as const) {
    const ruled = lines.map((line, index) =>
      index === additive ? line.replace(/\t[^\t]+\tadditive/, `\t${weight}\tadditive`) : line,
    )
    assert.equal(load(enclaves(), { vcf, score: `${ruled.join('\n')}\n` }), status, weight)
  }
  const silent = text(files.score).replaceAll(/\t[^\t]+\t(additive|dominant|recessive)/g, '\t0\t$1')
  assert.equal(load(enclaves(), { vcf, score: silent }), SCORE_REVEALING)
})

test('in a cohort of few, a rank would tell too much', () => {
  const few = makeCohort({ seed: 12, people: 99, variants: 300 })
  assert.equal(load(enclaves(), { vcf: text(few.vcf), score: text(few.score) }), COHORT_TOO_SMALL)
})

test('whoever runs the enclave loads only what was sealed for it, whole and as it is', async t => {
  const { enclave, cohort, biobank } = await openCohort(t, files)
  const sealed = sealCohort(cohort, biobank)
  // An instance that is open takes no other cohort.
  await assert.rejects(loadCohort(enclave, sealed), { code: 'call-failed', got: '1' })
  assert.ok(sealed.genotypes.every(part => !Buffer.from(part).includes('#CHROM')))
  const fresh = newConsents(['a', 'b'])
  assert.notDeepEqual(fresh.get('a'), fresh.get('b'))
})
