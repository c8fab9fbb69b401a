// Screening: letters of any script, and an index that loses nothing of what an exhaustive search finds.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import {
  countDifferences,
  measureFalsePositives,
  measureRecall,
  type Screen,
  screenWith,
} from '../../bench/recall.ts'
import { readSanctions, type SanctionsFiles } from '../../owner.ts'
import { takeApart } from '../reference/names.ts'
import { Bank, bytesOf, DATA, RULES, referenceList, SANCTIONS } from './fixture.ts'

const { threshold } = RULES
const NAMES = process.env['CASEMATE_LONG_TESTS'] === '1' ? 600 : 200

function screenOf(files: SanctionsFiles): Screen {
  const { enclave } = new Bank(files)
  return screenWith(async frame => bytesOf(enclave.call('examine', frame)))
}

const screen = screenOf(SANCTIONS)

test('the index leaves out nothing: every name has the answer of the exhaustive search', async () => {
  const list = referenceList(SANCTIONS)
  assert.equal(await countDifferences(screen, list, { files: SANCTIONS, count: NAMES, threshold }), 0)
})

test('listed names are found in whatever order, script and spelling, and others are not', async () => {
  const rates = await measureRecall(screen, SANCTIONS, 150)
  const recall = new Map(rates.map(({ what, names, held }) => [what, held / names]))
  assert.equal(recall.get('as it stands in the list'), 1)
  assert.equal(recall.get('words in another order'), 1)
  for (const what of ['one slip of the pen', 'one other romanisation', 'in Cyrillic letters']) {
    assert.ok((recall.get(what) ?? 0) > 0.8, `${what}: ${recall.get(what)}`)
  }
  for (const { names, held } of await measureFalsePositives(screen, 1000)) assert.ok(held / names < 0.02)
})

test('every letter up to U+1FFF is folded as Unicode takes it apart', async () => {
  // A list whose names are the letters, each between two that every reader knows.
  const points = Array.from({ length: 0x2000 - 0xa1 }, (_, index) => 0xa1 + index).filter(
    point => !(point >= 0xd800 && point < 0xe000),
  )
  const wrong = points.filter(point => {
    const name = `QUARTZ${String.fromCodePoint(point)}JAMB`
    return foldedByEnclave.get(point) !== takeApart(name).joined
  })
  assert.deepEqual(
    wrong.map(point => point.toString(16)),
    [],
  )
})

const foldedByEnclave = foldAll()

/** Of every code point what `takeApart` of the enclave makes of it. */
function foldAll(): Map<number, string> {
  const { enclave } = new Bank()
  const folded = new Map<number, string>()
  for (let point = 0xa1; point < 0x2000; point++) {
    const name = Buffer.from(`QUARTZ${String.fromCodePoint(point)}JAMB`)
    folded.set(point, bytesOf(enclave.call('words', name)).toString('latin1'))
  }
  return folded
}

const skip = existsSync(DATA) ? false : 'no real data: set CASEMATE_DATA'

test('on the real list, too, the index leaves out nothing', { skip }, async () => {
  const files = readSanctions(DATA)
  const differences = await countDifferences(screenOf(files), referenceList(files), {
    files,
    count: 40,
    threshold,
  })
  assert.equal(differences, 0)
})
