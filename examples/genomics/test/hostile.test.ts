// Files that are not what they should be: each has its status, nothing traps, and the instance takes nothing more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { STATUSES } from '../statuses.ts'
import { makeCohort } from '../synthetic.ts'
import { bareEnclaves, COHORT, labelled, load, SCORE } from './bare-enclave.ts'

const STATUS = {
  outOfOrder: 1,
  configuration: 2,
  notSealed: 3,
  wrongLabel: 4,
  spoilt: 5,
  requestMalformed: 6,
  notConsented: 7,
  scoreMalformed: 20,
  scoreColumns: 21,
  scoreUnsupported: 22,
  scoreRevealing: 23,
  vcfMalformed: 30,
  vcfHeader: 31,
  vcfSamples: 32,
  vcfNoGenotypes: 33,
  vcfTruncated: 34,
  consentsMalformed: 40,
  cohortTooSmall: 41,
} as const
const LENIENT = { minimumVariants: 1, minimumPeople: 1, maximumSharePercent: 100 }

const enclaves = await bareEnclaves()
const HEADER = '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n'
const RECORD = '1\t5\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1|1\n'
const COLUMNS = 'chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\teffect_type\n'
const ROW = '1\t5\tG\tA\t0.5\tadditive\n'
const VCF = `##fileformat=VCFv4.3\n${HEADER}${RECORD}`
const SCORE_TEXT = `${COLUMNS}${ROW}`

test('every status has words', () => {
  assert.deepEqual(Object.keys(STATUSES), Object.values(STATUS).map(String))
})

test('the files that the others are made from are accepted', () => {
  assert.equal(load(enclaves(LENIENT), { vcf: VCF, score: SCORE_TEXT }), 0)
})

const SCORES: readonly [string, string, number][] = [
  ['an empty file', '', STATUS.scoreColumns],
  ['nothing but comments', '#pgs_id=X\n', STATUS.scoreColumns],
  ['no position', 'rsID\teffect_allele\teffect_weight\n', STATUS.scoreColumns],
  ['no weight', 'chr_name\tchr_position\teffect_allele\n', STATUS.scoreColumns],
  ['a column twice', COLUMNS.replace('effect_type', 'effect_weight'), STATUS.scoreColumns],
  ['a row that is too short', `${COLUMNS}1\t5\tG\tA\n`, STATUS.scoreMalformed],
  ['a row that is too long', `${COLUMNS}${ROW.trim()}\tx\n`, STATUS.scoreMalformed],
  ['a weight that is none', SCORE_TEXT.replace('0.5', 'NaN'), STATUS.scoreMalformed],
  ['an empty weight', SCORE_TEXT.replace('0.5', ''), STATUS.scoreMalformed],
  ['an infinite weight', SCORE_TEXT.replace('0.5', '1e999'), STATUS.scoreMalformed],
  ['a position that is none', SCORE_TEXT.replace('\t5\t', '\t5.0\t'), STATUS.scoreMalformed],
  ['a huge position', SCORE_TEXT.replace('\t5\t', `\t${'9'.repeat(40)}\t`), STATUS.scoreMalformed],
  ['no effect allele', SCORE_TEXT.replace('\tG\t', '\t\t'), STATUS.scoreMalformed],
  ['an unknown effect type', SCORE_TEXT.replace('additive', 'magic'), STATUS.scoreUnsupported],
  ['two thousand columns', `${'x\t'.repeat(2000)}\n`, STATUS.scoreMalformed],
  [
    'an interaction',
    `chr_name\tchr_position\teffect_allele\teffect_weight\tis_interaction\n1\t5\tG\t1\tTrue\n`,
    STATUS.scoreUnsupported,
  ],
]
for (const [what, score, status] of SCORES) {
  test(`a score with ${what} has status ${status}`, () => {
    assert.equal(load(enclaves(LENIENT), { vcf: VCF, score }), status)
  })
}

const FILES: readonly [string, string, number][] = [
  ['nothing', '', STATUS.vcfHeader],
  ['no header line', RECORD, STATUS.vcfHeader],
  ['two header lines', `${HEADER}${HEADER}`, STATUS.vcfHeader],
  ['a header line of another format', VCF.replace('#CHROM', '#CHR'), STATUS.vcfHeader],
  ['a comment among the records', `${VCF}##late=1\n`, STATUS.vcfHeader],
  ['no FORMAT', VCF.replace('\tFORMAT\ta\tb', ''), STATUS.vcfSamples],
  ['no samples', VCF.replace('\ta\tb', ''), STATUS.vcfSamples],
  ['a sample twice', VCF.replace('\ta\tb', '\ta\ta'), STATUS.vcfSamples],
  ['a sample without a name', VCF.replace('\ta\tb', '\ta\t'), STATUS.vcfSamples],
  ['an empty line', `${VCF}\n`, STATUS.vcfMalformed],
  ['a record of three columns', `${HEADER}1\t5\tx\n`, STATUS.vcfMalformed],
  ['a position that is none', VCF.replace('\t5\t', '\t-5\t'), STATUS.vcfMalformed],
  ['a huge position', VCF.replace('\t5\t', '\t99999999999999999999\t'), STATUS.vcfMalformed],
  ['a record without FORMAT', `${HEADER}1\t5\t.\tA\tG\t.\t.\t.\n`, STATUS.vcfNoGenotypes],
  ['a record whose FORMAT has no GT', VCF.replace('\tGT\t', '\tDP\t'), STATUS.vcfNoGenotypes],
  ['a record whose GT is not first', VCF.replace('\tGT\t', '\tDP:GT\t'), STATUS.vcfNoGenotypes],
  ['an allele that the record has not', VCF.replace('1|1', '1|2'), STATUS.vcfMalformed],
  ['an allele of forty digits', VCF.replace('1|1', `1|${'9'.repeat(40)}`), STATUS.vcfMalformed],
  ['a call that is none', VCF.replace('1|1', 'x|1'), STATUS.vcfMalformed],
  ['an empty call', VCF.replace('0|1', ''), STATUS.vcfMalformed],
  ['three alleles in a call', VCF.replace('1|1', '1|1|1'), STATUS.vcfMalformed],
  ['too few genotypes', VCF.replace('\t1|1', ''), STATUS.vcfTruncated],
  ['too many genotypes', VCF.replace('\t1|1', '\t1|1\t1|1'), STATUS.vcfTruncated],
  ['a last line without an end', VCF.trimEnd(), STATUS.vcfTruncated],
]
for (const [what, vcf, status] of FILES) {
  test(`genotypes with ${what} have status ${status}`, () => {
    const enclave = enclaves(LENIENT)
    assert.equal(load(enclave, { vcf, score: SCORE_TEXT }), status)
    assert.equal(enclave.call('open'), STATUS.spoilt)
    assert.equal(enclave.call('score', new Uint8Array(20)), STATUS.spoilt)
  })
}

test('files that are cut off or changed anywhere have a status or an answer, and never trap', () => {
  const { vcf, score } = makeCohort({ seed: 3, people: 11, variants: 30 })
  const change = fc.record({
    file: fc.constantFrom('vcf', 'score'),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    kind: fc.constantFrom('cut', 'byte', 'remove', 'repeat'),
    byte: fc.oneof(
      fc.constantFrom(...Buffer.from('\t\n\r#.|/:,0123456789ACGTchrX-')),
      fc.integer({ min: 0, max: 255 }),
    ),
    length: fc.integer({ min: 1, max: 40 }),
  })
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), changes => {
      const files = { vcf: Buffer.from(vcf), score: Buffer.from(score) }
      for (const { file, at, kind, byte, length } of changes) {
        const bytes = files[file]
        const offset = Math.floor(at * bytes.length)
        const [before, after] = [bytes.subarray(0, offset), bytes.subarray(offset)]
        const changed = {
          cut: before,
          byte: Buffer.concat([before, Buffer.of(byte), after.subarray(1)]),
          remove: Buffer.concat([before, after.subarray(length)]),
          repeat: Buffer.concat([before, after.subarray(0, length), after]),
        }[kind]
        files[file] = changed ?? bytes
      }
      const enclave = enclaves(LENIENT)
      const status = load(enclave, {
        vcf: files.vcf.toString('latin1'),
        score: files.score.toString('latin1'),
      })
      assert.ok(Object.values<number>({ ...STATUS, ok: 0 }).includes(status), `status ${status}`)
    }),
    { numRuns: process.env['CASEMATE_LONG_TESTS'] === '1' ? 20_000 : 500 },
  )
})

test('loads come in order, each once, and none after the enclave is open', () => {
  const enclave = enclaves(LENIENT)
  const score = labelled(`score ${SCORE}`, SCORE_TEXT)
  const genotypes = labelled(`genotypes ${COHORT} 1/1 set`, VCF)
  const consents = labelled(`consents ${COHORT}`, '')
  const steps = [
    ['loadScore', score],
    ['loadGenotypes', genotypes],
    ['loadConsents', consents],
    ['open', new Uint8Array()],
  ] as const
  for (const [index, [name, input]] of steps.entries()) {
    for (const [other, wrong] of steps) {
      if (other !== name) assert.equal(enclave.call(other, wrong), STATUS.outOfOrder, `${other} for ${name}`)
    }
    for (const early of ['score', 'describe', 'audit'])
      assert.equal(enclave.call(early, score), STATUS.outOfOrder)
    assert.equal(typeof enclave.call(name, input), 'object', `step ${index}`)
  }
  for (const [name, input] of steps) assert.equal(enclave.call(name, input), STATUS.outOfOrder)
})

test('what does not open, or is labelled as something else, is refused and spoils nothing', () => {
  const enclave = enclaves(LENIENT)
  assert.equal(enclave.call('loadScore', Uint8Array.of(1, 2)), STATUS.notSealed)
  for (const label of ['score other', `consents ${COHORT}`, `score ${SCORE} `, '']) {
    assert.equal(enclave.call('loadScore', labelled(label, SCORE_TEXT)), STATUS.wrongLabel, label)
  }
  enclave.call('loadScore', labelled(`score ${SCORE}`, SCORE_TEXT))
  assert.equal(enclave.call('loadGenotypes', Uint8Array.of(1, 2)), STATUS.notSealed)
  for (const part of [
    '1/0 s',
    '0/2 s',
    '2/2 s',
    '1/ s',
    '1 s',
    '1/-1 s',
    '1/99999999999 s',
    '01/2 s',
    '1/2',
    '',
  ]) {
    const label = `genotypes ${COHORT} ${part}`
    assert.equal(enclave.call('loadGenotypes', labelled(label, VCF)), STATUS.wrongLabel, part)
  }
  assert.equal(enclave.call('loadGenotypes', labelled(`genotypes another 1/2 s`, VCF)), STATUS.wrongLabel)
  assert.deepEqual(
    enclave.call('loadGenotypes', labelled(`genotypes ${COHORT} 1/2 s`, VCF)),
    new Uint8Array(),
  )
  // The first again, one of other sets, and going on without the last.
  for (const part of ['1/2 s', '2/3 s', '2/2 t', '2/2'])
    assert.equal(
      enclave.call('loadGenotypes', labelled(`genotypes ${COHORT} ${part}`, RECORD)),
      STATUS.wrongLabel,
    )
  assert.equal(enclave.call('loadConsents', labelled(`consents ${COHORT}`, '')), STATUS.outOfOrder)
  assert.deepEqual(
    enclave.call('loadGenotypes', labelled(`genotypes ${COHORT} 2/2 s`, RECORD)),
    new Uint8Array(),
  )
  assert.equal(enclave.call('loadConsents', Uint8Array.of(1, 2)), STATUS.notSealed)
  assert.equal(enclave.call('loadConsents', labelled(`consents another`, '')), STATUS.wrongLabel)
})

test('a configuration that lacks a rule, or has one that is out of range, opens nothing', () => {
  for (const rules of [
    { minimumVariants: 0 },
    { minimumPeople: -1 },
    { maximumSharePercent: 101 },
    { maximumMissingPercent: 1.5 },
    { strandAmbiguous: 'perhaps' as 'drop' },
  ]) {
    assert.equal(
      load(enclaves({ ...LENIENT, ...rules }), { vcf: VCF, score: SCORE_TEXT }),
      STATUS.configuration,
    )
  }
})
