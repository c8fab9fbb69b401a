// Which record a weight takes, and how often it counts for a person: README.md's rules, one by one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rules } from '../configuration.ts'
import { auditLines, bareEnclaves, describe, load } from './bare-enclave.ts'

const enclaves = await bareEnclaves()
const LENIENT: Partial<Rules> = {
  minimumVariants: 1,
  minimumPeople: 1,
  maximumSharePercent: 100,
  maximumMissingPercent: 100,
}
const HEADER = ['#CHROM', 'POS', 'ID', 'REF', 'ALT', 'QUAL', 'FILTER', 'INFO', 'FORMAT']
const COLUMNS = 'chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\teffect_type'

/** A record of chromosome 1. */
function record(position: number, alleles: string, ...calls: string[]): string {
  const [ref, alt] = alleles.split('>')
  return ['1', position, '.', ref, alt, '.', '.', '.', 'GT', ...calls].join('\t')
}

function vcf(people: readonly string[], ...records: string[]): string {
  return `##fileformat=VCFv4.3\n${[...HEADER, ...people].join('\t')}\n${records.map(line => `${line}\n`).join('')}`
}

function score(...rows: string[]): string {
  return `#pgs_id=TEST\n${COLUMNS}\n${rows.map(row => `${row.split(' ').join('\t')}\n`).join('')}`
}

/** Scores by the order of people, and the enclave's own counts. */
function run(vcfText: string, scoreText: string, rules: Partial<Rules> = {}) {
  const enclave = enclaves({ ...LENIENT, ...rules })
  assert.equal(load(enclave, { vcf: vcfText, score: scoreText }), 0)
  const scores = auditLines(enclave).map(([, bits = '']) =>
    bits === '-' ? null : Buffer.from(bits, 'hex').readDoubleBE(),
  )
  return { scores, counts: describe(enclave) }
}

test('a copy of the effect allele counts, phased or not, be it ALT or REF', () => {
  const text = vcf(['a', 'b', 'c'], record(5, 'A>G', '0|1', '1/1', '0|0'))
  assert.deepEqual(run(text, score('1 5 G A 0.5 additive')).scores, [0.5, 1, 0])
  assert.deepEqual(run(text, score('1 5 A G 0.5 additive')).scores, [0.5, 0, 1])
})

test('a weight whose alleles the record has not both does not count, nor does its complement', () => {
  const text = vcf(['a'], record(5, 'A>G', '1|1'), record(6, 'A>G', '1|1'))
  const { scores, counts } = run(
    text,
    score('1 5 G C 4 additive', '1 5 C T 8 additive', '1 6 G A 1 additive'),
  )
  assert.deepEqual(scores, [2])
  assert.equal(counts['matched'], 1)
})

test('without another allele in the score, a weight takes an ALT, or REF where there is one ALT', () => {
  const text = vcf(['a'], record(5, 'A>G', '0|1'), record(6, 'A>G,T', '0|2'))
  assert.deepEqual(
    run(text, score('1 5 G  1 additive', '1 5 A  2 additive', '1 6 T  4 additive')).scores,
    [3],
  )
  assert.equal(run(text, score('1 5 G  1 additive', '1 6 A  4 additive')).counts['matched'], 1)
})

test('of several ALT alleles, the weight’s own counts, and also beyond the ninth', () => {
  const alts = ['C', 'G', 'T', 'AC', 'AG', 'AT', 'AA', 'ACC', 'ACG', 'ACT', 'AGG']
  const text = vcf(
    ['a', 'b', 'c', 'd', 'e', 'f'],
    record(5, `A>${alts.join(',')}`, '2|2', '1|2', '2|11', '11|11', '0|10', '0|0'),
  )
  assert.deepEqual(run(text, score('1 5 G A 1 additive')).scores, [2, 1, 1, 0, 0, 0])
  assert.deepEqual(run(text, score('1 5 AGG A 1 additive')).scores, [0, 0, 1, 2, 0, 0])
  // Two ALT alleles: neither is the reference that the weight was measured against.
  assert.equal(run(text, score('1 5 G T 1 additive', '1 5 C A 1 additive')).counts['matched'], 1)
})

test('strand-ambiguous weights are left out, or kept where the configuration says so', () => {
  const text = vcf(['a'], record(5, 'A>T', '0|1'), record(6, 'C>G', '0|1'), record(7, 'A>G', '0|1'))
  const rows = score('1 5 T A 1 additive', '1 6 G  2 additive', '1 7 G A 4 additive')
  const dropped = run(text, rows)
  assert.deepEqual(dropped.scores, [4])
  assert.equal(dropped.counts['ambiguous'], 2)
  assert.deepEqual(run(text, rows, { strandAmbiguous: 'keep' }).scores, [7])
})

test('dominant weights count once, recessive ones where every copy is there', () => {
  const text = vcf(
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
    record(5, 'A>G', '0|0', '0|1', '1|0', '1|1', '1', '0', '1|1'),
  )
  assert.deepEqual(run(text, score('1 5 G A 1 dominant')).scores, [0, 1, 1, 1, 1, 0, 1])
  assert.deepEqual(run(text, score('1 5 G A 1 recessive')).scores, [0, 0, 0, 1, 1, 0, 1])
  assert.deepEqual(run(text, score('1 5 G A 1 additive')).scores, [0, 1, 1, 2, 1, 0, 2])
  const columns =
    'chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\tis_dominant\tis_recessive'
  assert.deepEqual(run(text, `${columns}\n1\t5\tG\tA\t1\tFalse\tTrue\n`).scores, [0, 0, 0, 1, 1, 0, 1])
})

test('a missing call, also half of one, counts nothing, and too many leave a person without a band', () => {
  const text = vcf(
    ['a', 'b', 'c', 'd'],
    record(5, 'A>G', './.', '.|1', '.', '1|1'),
    record(6, 'A>G', '1|1', '1|1', '1|1', '0|0'),
  )
  const rows = score('1 5 G A 1 additive', '1 6 G A 4 additive')
  assert.deepEqual(run(text, rows).scores, [8, 8, 8, 2])
  const enclave = enclaves({ ...LENIENT, maximumMissingPercent: 49 })
  assert.equal(load(enclave, { vcf: text, score: rows }), 0)
  assert.deepEqual(auditLines(enclave), [
    ['a', '-', '1', '0'],
    ['b', '-', '1', '0'],
    ['c', '-', '1', '0'],
    ['d', '4000000000000000', '0', '1'],
  ])
  assert.equal(describe(enclave)['scored'], 1)
})

test('the first record of a place and its alleles counts, and a repeated row counts once', () => {
  const text = vcf(['a'], record(5, 'A>C', '1|1'), record(5, 'A>G', '0|1'), record(5, 'A>G', '1|1'))
  const { scores, counts } = run(
    text,
    score('1 5 G A 1 additive', '1 5 G A 1 additive', '1 5 G A 8 dominant', '1 5 C A 16 additive'),
  )
  assert.deepEqual(scores, [41])
  assert.equal(counts['duplicates'], 1)
})

test('harmonised positions win, and a row without a place is placed nowhere', () => {
  const columns = 'chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\thm_chr\thm_pos'
  const text = vcf(['a'], record(5, 'A>G', '1|1'), record(6, 'A>G', '1|1'))
  const { scores, counts } = run(text, `${columns}\n9\t9\tG\tA\t1\t1\t5\n1\t6\tG\tA\t4\t\t\n`)
  assert.deepEqual(scores, [2])
  assert.equal(counts['unplaced'], 1)
})

test('chr before a chromosome’s name, small letters, CR LF and more than GT change nothing', () => {
  const rows = score('1 5 G A 1 additive', 'X 9 T C 2 additive')
  const plain = vcf(['a', 'b'], record(5, 'A>G', '0|1', '1|1'), `X${record(9, 'C>T', '1', '0|1').slice(1)}`)
  const odd = plain
    .replace(/^1\t5/m, 'chr1\t5')
    .replace(/^X/m, 'chrx')
    .replace('A\tG', 'a\tg')
    .replace('GT\t0|1\t1|1', 'GT:DP:GQ\t0|1:3:.\t1/1')
  assert.deepEqual(run(plain, rows).scores, [3, 4])
  assert.deepEqual(run(odd, rows).scores, [3, 4])
  assert.deepEqual(run(odd.replaceAll('\n', '\r\n'), rows.replaceAll('\n', '\r\n')).scores, [3, 4])
})

test('equal scores are in one band, and bands are tenths of the cohort by rank', () => {
  const people = Array.from({ length: 20 }, (_, index) => `p${index}`)
  const calls = people.map((_, index) => (index < 12 ? '0|0' : index < 18 ? '0|1' : '1|1'))
  const enclave = enclaves(LENIENT)
  assert.equal(
    load(enclave, { vcf: vcf(people, record(5, 'A>G', ...calls)), score: score('1 5 G A 1 additive') }),
    0,
  )
  const bands = auditLines(enclave).map(([, , , band]) => Number(band))
  // 0 people are below the first twelve, 12 below the next six, 18 below the last two: tenths 1, 7 and 10.
  assert.deepEqual(bands, [...Array(12).fill(1), ...Array(6).fill(7), ...Array(2).fill(10)])
})
