// The index of the sanctions list leaves names out that cannot reach the threshold. Here are those that just reach it, and
// those that just do not, made so on purpose: without their heaviest words, and with words changed as far as is allowed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { screenWith } from '../../bench/recall.ts'
import type { SanctionsFiles } from '../../owner.ts'
import { Random } from '../generate/random.ts'
import { takeApart } from '../reference/names.ts'
import { alike, type Hit } from '../reference/screening.ts'
import { Bank, bytesOf, RULES, referenceList } from './fixture.ts'

/** No doubled letter, no sound that is written as another. */
const CONSONANTS = 'BDFGJKLMNPRSTVZ'
const VOWELS = 'AUI'

/** Words of so many letters, of which no two are alike. */
function differentWords(count: number, letters: number, seed: number): string[] {
  const random = new Random(seed)
  const words: string[] = []
  while (words.length < count) {
    const word = Array.from({ length: letters }, (_, at) =>
      random.text(1, at % 2 === 0 ? CONSONANTS : VOWELS),
    ).join('')
    if (words.every(other => alike(word, other) === 0)) words.push(word)
  }
  return words
}

function listOf(names: readonly string[]): SanctionsFiles {
  const rows = names.map((name, index) => `${index + 1},"${name}","individual"${',-0- '.repeat(9)}`)
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  return { parties: bytes(`${rows.join('\r\n')}\r\n`), aliases: bytes('') }
}

/** The answers of both to each name; they must be the same. */
async function screenTwice(
  list: SanctionsFiles,
  names: readonly string[],
  threshold = RULES.threshold,
): Promise<readonly (Hit | null)[]> {
  const { enclave } = new Bank(list, new Uint8Array(), { ...RULES, threshold })
  const hits = await screenWith(async frame => bytesOf(enclave.call('examine', frame)))(names)
  const reference = referenceList(list)
  for (const [index, name] of names.entries())
    assert.deepEqual(hits[index], reference.screen(name, threshold), `${name} at ${threshold}`)
  return hits
}

/** Words that many names share, so that weights differ: the first are in most of them. */
const SHARED = differentWords(10, 6, 1)
const OWN = differentWords(160, 7, 2)
const HEAVY = Array.from({ length: 60 }, (_, name) => {
  const shared = SHARED.filter((_, index) => (name * 7 + index * 3) % (2 ** index % 11) === 0).slice(
    0,
    name % 5,
  )
  const own = Array.from({ length: 2 + (name % 15) }, (_, at) => OWN[(name * 3 + at) % OWN.length] ?? '')
  return [...shared, ...own].slice(0, 16)
})

/** Each name without its heaviest words: one, two, and so on; words of one weight are left out from the front and from behind. */
function withoutHeaviest(names: readonly (readonly string[])[]): string[] {
  const counts = new Map<string, number>()
  for (const name of names) for (const one of new Set(name)) counts.set(one, (counts.get(one) ?? 0) + 1)
  return names.flatMap(name =>
    [name, name.toReversed()].flatMap(ordered => {
      const byWeight = ordered.toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0))
      return byWeight.slice(1).map((_, left) => {
        const gone = new Set(byWeight.slice(0, left + 1))
        return name.filter(one => !gone.has(one)).join(' ')
      })
    }),
  )
}

for (const threshold of [50, 75, 82, 90]) {
  test(`at ${threshold}% the index finds every name without its heaviest words that still reaches it`, async () => {
    const hits = await screenTwice(
      listOf(HEAVY.map(name => name.join(' '))),
      withoutHeaviest(HEAVY),
      threshold,
    )
    assert.ok(hits.some(hit => hit === null))
    assert.ok(hits.some(hit => hit !== null && hit.score < threshold + 3))
  })
}

test('the score at which a name is held is the threshold itself', async () => {
  const four = differentWords(4, 6, 3)
  const [hit] = await screenTwice(listOf([four.join(' ')]), [four.slice(1).join(' ')], 75)
  assert.deepEqual(hit, { score: 75, id: 1 })
  assert.deepEqual(await screenTwice(listOf([four.join(' ')]), [four.slice(1).join(' ')], 76), [null])
})

/** Every way to slip once: a letter less, another one, one more, two neighbours the other way round. */
function slips(of: string): string[] {
  return Array.from(of, (letter, at) => {
    const [before, after] = [of.slice(0, at), of.slice(at + 1)]
    const turned = after === '' ? [] : [before + after.charAt(0) + letter + after.slice(1)]
    return [before + after, `${before}W${after}`.replace('W', 'N'), `${before}${letter}L${after}`, ...turned]
  }).flat()
}

test('words of every length are alike as far as the reference says, and not one change further', async () => {
  const words = Array.from({ length: 10 }, (_, index) => differentWords(3, 3 + index, index)).flat()
  const once = words.flatMap(slips)
  const twice = words.flatMap((one, index) =>
    slips(slips(one)[index % 5] ?? one).filter((_, at) => at % 3 === 0),
  )
  const thrice = words.flatMap((one, index) =>
    slips(slips(slips(one)[index % 7] ?? one)[index % 3] ?? one).slice(0, 8),
  )
  const hits = await screenTwice(listOf(words), [...words, ...once, ...twice, ...thrice], 50)
  assert.ok(hits.some(hit => hit === null))
  assert.deepEqual(new Set(hits.map(hit => hit?.score)).has(75), true)
})

test('words that are written together are found from eight letters on', async () => {
  const pairs = differentWords(24, 3, 5).map((first, index) => [
    first,
    differentWords(1, 3 + (index % 6), index)[0] ?? '',
  ])
  const joined = pairs.map(pair => pair.join(''))
  const hits = await screenTwice(
    listOf(pairs.map(pair => pair.join(' '))),
    [...joined, ...joined.flatMap(slips)],
    50,
  )
  assert.ok(hits.some(hit => hit === null) && hits.some(hit => hit !== null))
})

test('a word that is like few or very many of the list finds them all', async () => {
  const [base = '', ...own] = differentWords(40, 9, 6)
  const variants = [...new Set(slips(base))].filter(one => one !== base)
  for (const count of [23, 24, 25, 26, variants.length]) {
    const names = variants.slice(0, count).map((variant, index) => `${variant} ${own[index]}`)
    const asked = names.map((_, index) => `${base} ${own[index]}`)
    // The second time it is remembered what the word is like.
    const hits = await screenTwice(listOf(names), [...asked, ...asked], 75)
    // But for those whose letters together are written as another sound.
    assert.ok(hits.filter(hit => hit !== null).length > 2 * (count - 5), `${count} of the list`)
  }
})

test('the sixteenth word counts and no more, 24 letters of a word and 64 of all, and a title alone is a name', () => {
  const { enclave } = new Bank()
  const shown = (name: string): string => bytesOf(enclave.call('words', Buffer.from(name))).toString('latin1')
  const short = [...Array.from(CONSONANTS, letter => `${letter}AM`), 'BUM', 'DUM']
  const long = 'BADU'.repeat(7)
  for (const [name, joined] of [
    [short.join(' '), short.slice(0, 16).join('')],
    [long, long.slice(0, 24)],
    [`${long} ${long} ${long}`, long.slice(0, 24).repeat(3).slice(0, 64)],
    ['MR BADU', 'BADU'],
    ['MR', 'MR'],
    ['INCORPORATED BADU', 'BADU'],
    ['BAH', 'BA'],
    ['AH', 'AH'],
    ['BADUH', 'BADU'],
  ] as const) {
    assert.equal(shown(name), joined)
    assert.equal(takeApart(name).joined, joined)
  }
})

test('words that the list’s name has not count a quarter, those that no name has with the full weight', async () => {
  const [own = '', common = '', ...strange] = differentWords(12, 8, 9)
  const list = listOf([own, ...Array.from({ length: 9 }, (_, index) => `${common} ${strange[index % 5]}`)])
  const asked = Array.from({ length: 8 }, (_, extra) => [own, ...strange.slice(5, 5 + extra)].join(' '))
  const hits = await screenTwice(list, [...asked, ...asked.map(name => `${name} ${common}`)], 50)
  // 15 of 15, 15 of 18, 15 of 22, 15 of 26, 15 of 30.
  assert.deepEqual(
    hits.slice(0, 5).map(hit => hit?.score),
    [100, 83, 68, 57, 50],
  )
})

test('of payment’s words that are equally alike the first is taken, whatever is left for the next', async () => {
  const [base = '', more = ''] = differentWords(2, 9, 10)
  const other = (at: number): string =>
    base.slice(0, at) + (base.charAt(at) === 'M' ? 'N' : 'M') + base.slice(at + 1)
  const [first, second] = [other(0), other(4)]
  const hits = await screenTwice(
    listOf([`${base} ${first} ${more}`, `${base} ${second} ${more}`]),
    [`${more} ${first} ${second}`, `${more} ${second} ${first}`],
    50,
  )
  // The first goes to the word that both are like, so that the name with the second is there in full.
  assert.deepEqual(
    hits.map(hit => hit?.id),
    [2, 1],
  )
})

test('weights fall with every doubling of the names that have a word, down to one', async () => {
  // A common word in n names beside one that each has alone; the common one missing, the score is its weight.
  for (const count of [1, 2, 3, 4, 7, 8, 64, 127, 128]) {
    const [common = '', ...own] = differentWords(count + 1, 9, 8)
    const names = own.map(one => `${common} ${one}`)
    const asked = [own[0] ?? '', common]
    const hits = await screenTwice(listOf(names), asked, 50)
    const weight = 15 - Math.floor(Math.log2(count))
    const alone = Math.floor((100 * 15) / (15 + weight))
    assert.equal(hits[0]?.score ?? 0, alone >= 50 ? alone : 0, `${count} names`)
  }
})

test('settings of the threshold beyond 50 to 100 start no enclave', () => {
  const files = listOf(['BADUFI'])
  for (const threshold of [49, 101, 0])
    assert.throws(() => new Bank(files, new Uint8Array(), { ...RULES, threshold }), WebAssembly.RuntimeError)
  for (const threshold of [50, 100])
    assert.doesNotThrow(() => new Bank(files, new Uint8Array(), { ...RULES, threshold }))
})
