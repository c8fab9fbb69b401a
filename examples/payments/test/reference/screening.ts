// Screening without an index: every name is held against every name of the list. Slow, and therefore the measure of what
// the enclave may leave out: nothing.
import { EXTRA_PARTS } from '../../assembly/screening-rules.ts'
import { type Name, takeApart } from './names.ts'

export interface Hit {
  readonly score: number
  /** OFAC's number of the party. */
  readonly id: number
}

interface Listed extends Name {
  readonly id: number
  readonly weight: number
}

const MAX_WEIGHT = 15

export class ReferenceList {
  readonly #names: readonly Listed[]
  readonly #weights: ReadonlyMap<string, number>
  readonly #banks: ReadonlyMap<string, number>
  readonly #likeness = new Map<string, ReadonlyMap<string, number>>()

  /** OFAC's two files. */
  constructor(parties: string, aliases: string) {
    const rows = parseCsv(parties)
    const isVehicle = (type: string | undefined) =>
      type?.startsWith('vess') === true || type?.startsWith('airc') === true
    const leftOut = new Set(rows.filter(row => isVehicle(row[2])).map(row => row[0]))
    const named = [
      ...rows.filter(row => !leftOut.has(row[0])).map(row => [Number(row[0]), row[1] ?? ''] as const),
      ...parseCsv(aliases)
        .filter(row => !leftOut.has(row[0]))
        .map(row => [Number(row[0]), row[3] ?? ''] as const),
    ].map(([id, name]) => ({ id, ...takeApart(name) }))
    const listed = named.filter(({ words }) => words.length > 0)
    const counts = new Map<string, number>()
    for (const { words } of listed)
      for (const word of new Set(words)) counts.set(word, (counts.get(word) ?? 0) + 1)
    this.#weights = new Map(
      [...counts].map(([word, count]) => [word, Math.max(1, 15 - Math.floor(Math.log2(count)))]),
    )
    this.#names = listed.map(name => ({
      ...name,
      weight: name.words.reduce((sum, word) => sum + this.#weight(word), 0),
    }))
    const banks = new Map<string, number>()
    for (const row of rows) {
      for (const [, bic = ''] of (row[11] ?? '').matchAll(/SWIFT\/BIC (.{8})/g)) {
        if (!banks.has(bic)) banks.set(bic, Number(row[0]))
      }
    }
    this.#banks = banks
  }

  #weight(word: string): number {
    return this.#weights.get(word) ?? MAX_WEIGHT
  }

  /** The best score, of equal ones the first of the list; null below `threshold`. */
  screen(name: string, threshold: number): Hit | null {
    const query = takeApart(name)
    if (query.words.length === 0) return null
    const likeness = query.words.map(word => this.#likenessOf(word))
    let best: Hit | null = null
    for (const listed of this.#names) {
      const words = this.#wordScore(query, likeness, listed, threshold)
      const score = Math.max(words, alikeJoined(query.joined, listed.joined))
      if (score >= threshold && score > (best?.score ?? 0)) best = { score, id: listed.id }
    }
    return best
  }

  /** How alike every word of the list is to this one, those that are not at all left out. */
  #likenessOf(word: string): ReadonlyMap<string, number> {
    const known = this.#likeness.get(word)
    if (known !== undefined) return known
    const likeness = new Map<string, number>()
    for (const other of this.#weights.keys()) {
      const score = alike(other, word)
      if (score > 0) likeness.set(other, score)
    }
    this.#likeness.set(word, likeness)
    return likeness
  }

  #wordScore(
    query: Name,
    likeness: readonly ReadonlyMap<string, number>[],
    listed: Listed,
    threshold: number,
  ): number {
    const free = new Set(query.words.keys())
    let sum = 0
    for (const word of listed.words) {
      let best = 0
      let place = -1
      for (const at of free) {
        const score = likeness[at]?.get(word) ?? 0
        if (score > best) {
          best = score
          place = at
        }
      }
      free.delete(place)
      sum += best * this.#weight(word)
    }
    if (sum < threshold * listed.weight) return 0
    const extra = [...free].reduce((sum, at) => sum + this.#weight(query.words[at] ?? ''), 0)
    return Math.floor(sum / (listed.weight + Math.floor(extra / EXTRA_PARTS)))
  }

  bank(bic: string): Hit | null {
    const id = this.#banks.get(bic.slice(0, 8))
    return id === undefined ? null : { score: 100, id }
  }
}

/** Percent; 0 beyond the changes that the shorter one allows. */
export function alike(a: string, b: string): number {
  const [longer, shorter] = a.length >= b.length ? [a.length, b.length] : [b.length, a.length]
  const allowed = shorter < 4 ? 0 : shorter < 8 ? 1 : 2
  if (a === b) return 100
  if (longer - shorter > allowed || allowed === 0) return 0
  const distance = osa(a, b, allowed)
  return distance > allowed ? 0 : 100 - Math.floor((100 * distance) / longer)
}

function alikeJoined(a: string, b: string): number {
  if (a === b) return 100
  if (Math.min(a.length, b.length) < 8 || Math.abs(a.length - b.length) > 1) return 0
  return osa(a, b, 1) > 1 ? 0 : 100 - Math.floor(100 / Math.max(a.length, b.length))
}

/** Optimal string alignment: insert, delete, change, swap two neighbours. Beyond `most`, some number beyond it. */
function osa(a: string, b: string, most: number): number {
  let [before, last, row] = rowsFor(b.length + 1)
  for (let j = 0; j <= b.length; j++) last[j] = j
  let lastLeast = 0
  for (let i = 1; i <= a.length; i++) {
    row[0] = i
    let rowLeast = i
    for (let j = 1; j <= b.length; j++) {
      const [letter, other] = [a.charCodeAt(i - 1), b.charCodeAt(j - 1)]
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (letter === other ? 0 : 1))
      const isSwapped = i > 1 && j > 1 && letter === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === other
      if (isSwapped) least = Math.min(least, before[j - 2]! + 1)
      row[j] = least
      rowLeast = Math.min(rowLeast, least)
    }
    // A row is made of the one before it and, with one change more, of the one before that.
    if (Math.min(rowLeast, lastLeast + 1) > most) return most + 1
    lastLeast = rowLeast
    ;[before, last, row] = [last, row, before]
  }
  return last[b.length]!
}

type Rows = readonly [Uint16Array, Uint16Array, Uint16Array]
let rows: Rows = [new Uint16Array(), new Uint16Array(), new Uint16Array()]

/** Used again and again, since distances are computed by the million. */
function rowsFor(length: number): Rows {
  if (rows[0].length < length) {
    rows = [new Uint16Array(length), new Uint16Array(length), new Uint16Array(length)]
  }
  return rows
}

/** Rows that begin with a number. */
function parseCsv(text: string): string[][] {
  return text
    .split('\n')
    .filter(line => /^\d/.test(line))
    .map(line => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field = '']) => unquote(field)))
}

function unquote(field: string): string {
  return field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field
}
