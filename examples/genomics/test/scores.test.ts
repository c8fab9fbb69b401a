// Everybody's score, to the last bit, and everybody's band, as a reference that shares nothing with the enclave has
// them: on the real file of 3,202 people where it is at hand, and on synthetic ones.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { openAudit } from '../biobank.ts'
import type { Rules } from '../configuration.ts'
import { DEFAULT_RULES } from '../configuration.ts'
import { decodeBand, encodeRequest } from '../insurer.ts'
import { referenceScores } from '../reference.ts'
import { makeCohort } from '../synthetic.ts'
import { openCohort } from './cohort-enclave.ts'

const DATA = process.env['CASEMATE_DATA'] ?? resolve(import.meta.dirname, '../../../../shared/data')
const VCF = join(DATA, 'genomics', 'tiny1000G.vcf.gz')
const SCORE = join(DATA, 'genomics', 'PGS001229_hmPOS_GRCh38.txt.gz')
const skip =
  existsSync(VCF) && existsSync(SCORE) ? false : `there is no ${VCF}; CASEMATE_DATA names its folder`

interface Files {
  readonly vcf: Uint8Array
  readonly score: Uint8Array
}

async function compare(t: TestContext, files: Files, given: Partial<Rules> = {}) {
  const rules = { ...DEFAULT_RULES, ...given }
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  const reference = referenceScores(text(files.score), text(files.vcf), rules)
  const { enclave, cohort, biobank, events } = await openCohort(t, files, rules)
  const audit = openAudit(await enclave.call('audit', new Uint8Array()), biobank)
  assert.deepEqual([...audit.keys()], [...reference.people.keys()])
  const wrong = [...audit].filter(([name, { score, missing, band }]) => {
    const wanted = reference.people.get(name)
    return !(Object.is(score, wanted?.score) && missing === wanted?.missing && band === wanted.band)
  })
  assert.deepEqual(wrong, [])
  // The audit adds up scores in one way; what the insurer gets is the same.
  const requests = [...cohort.consents].map(([name, code]) => encodeRequest(name, code))
  const answers = await enclave.callBatch('score', requests)
  assert.deepEqual(
    answers.map(answer => decodeBand(answer) ?? 0),
    [...reference.people.values()].map(({ band }) => band),
  )
  const counts = JSON.parse(text(await enclave.call('describe', new Uint8Array()))) as Record<string, unknown>
  const { matched, ambiguous, duplicates, unplaced } = reference
  assert.partialDeepStrictEqual(counts, { matched, ambiguous, duplicates, unplaced })
  assert.deepEqual(events, [])
  return reference
}

test('all 3,202 people of the real file have the reference’s score, to the last bit', { skip }, async t => {
  const files = { vcf: gunzipSync(readFileSync(VCF)), score: gunzipSync(readFileSync(SCORE)) }
  const { matched, ambiguous, people } = await compare(t, files)
  // PGScatalog's own pgscatalog-match 0.4.0 matches as many, with strand flips ignored.
  assert.deepEqual([people.size, matched, ambiguous], [3202, 917, 66])
})

for (const [seed, strandAmbiguous] of [
  [1, 'drop'],
  [2, 'keep'],
] as const) {
  test(`synthetic cohort ${seed} has the reference’s scores, to the last bit`, async t => {
    // Not a multiple of four, nor of sixteen.
    const files = makeCohort({ seed, people: 150 + seed, variants: 400 })
    const { matched } = await compare(t, files, { maximumMissingPercent: 1, strandAmbiguous })
    assert.ok(matched > 200)
  })
}

test('genotypes that take many parts give the same scores', async t => {
  const { vcf, score } = makeCohort({ seed: 4, people: 900, variants: 500 })
  assert.ok(vcf.length > 1.5 * 1024 * 1024)
  await compare(t, { vcf, score })
})
