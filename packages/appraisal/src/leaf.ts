// The kinds of values that a field of a policy or of a reference value can have. One definition each gives the
// JSON Schema, the error messages, the normal form and the comparison with a claim, so that they cannot disagree.
// "Don't check" is the value 'any'; nothing else means it: an empty list, null and a missing field are refused.

import { nearest } from '@casemate/evidence'
import { Check } from 'typebox/schema'
import { anyOf, type JsonSchema, listOf, objectOf, textOf, wordOf } from './json-schema.ts'
import { brief } from './problem.ts'

/** What is wrong with a value, relative to its field. */
export interface Flaw {
  /** `[3]` for an item of a list, else empty. */
  readonly at: string
  readonly expected: string
  readonly got: string
  readonly hint: string
}

/** A value without structure of its own that a document can have at some path. */
export interface Leaf<T> {
  readonly is: 'leaf'
  readonly schema: JsonSchema
  /** The accepted values, as an error message says them. */
  readonly wanted: string
  /** The words among the accepted values: what a slip of the hand is compared with. */
  readonly words: readonly string[]
  flaws(value: unknown): readonly Flaw[]
  /** The one form that the rest of the package sees; called only on values without flaws. */
  normalise(value: unknown): T
  /** The comparison with a claim; never true of a claim that is missing or of another type. */
  comparison(value: T): (claim: unknown) => boolean
  /** The expectation, for a person. */
  show(value: T): string
}

/** Items that one list may hold. */
export const MAX_LIST_ITEMS = 1024

/** An item of a list, or a value that stands alone. */
interface Item<T> {
  readonly schema: JsonSchema
  readonly wanted: string
  readonly words?: readonly string[]
  normalise(value: unknown): T
}

/** Lower-case hex of any of the given sizes in bytes; upper case is accepted and lowered. */
function hexItem(...sizes: readonly number[]): Item<string> {
  return {
    schema: textOf(hexPattern(sizes)),
    wanted: `hex of ${sizes.join(' or ')} bytes`,
    normalise: value => String(value).toLowerCase(),
  }
}

function hexPattern(sizes: readonly number[]): string {
  return `^(?:${sizes.map(size => `[0-9A-Fa-f]{${size * 2}}`).join('|')})$`
}

function integerItem(minimum: number, maximum: number): Item<number> {
  return {
    schema: { type: 'integer', minimum, maximum },
    wanted: `an integer from ${minimum} to ${maximum}`,
    normalise: Number,
  }
}

function wordItem<const W extends readonly string[]>(words: W): Item<W[number]> {
  return {
    schema: alternativesOf(words),
    wanted: words.join(' | '),
    words,
    normalise: String,
  }
}

/** One of them; a choice of one is no choice. */
function alternativesOf(words: readonly string[]): JsonSchema {
  const literals = words.map(wordOf)
  const [only] = literals
  return only !== undefined && literals.length === 1 ? only : anyOf(literals)
}

function textItem(pattern: string, wanted: string): Item<string> {
  return { schema: textOf(pattern), wanted, normalise: String }
}

function single<T>(item: Item<T>, compare: Pick<Leaf<T>, 'comparison' | 'show'>): Leaf<T> {
  return {
    is: 'leaf',
    ...item,
    words: item.words ?? [],
    ...compare,
    flaws: value => (Check(item.schema, value) ? [] : [flaw('', item, value)]),
  }
}

/** One or more items; a single one may stand without its list. */
function list<T>(item: Item<T>): Leaf<readonly T[]> {
  const { words = [] } = item
  const wanted = `one or a list of ${item.wanted}`
  return {
    is: 'leaf',
    schema: anyOf([item.schema, listOf(item.schema, { minItems: 1, maxItems: MAX_LIST_ITEMS })]),
    wanted,
    words,
    flaws: value => {
      if (!Array.isArray(value)) return Check(item.schema, value) ? [] : [flaw('', { wanted, words }, value)]
      if (value.length === 0 || value.length > MAX_LIST_ITEMS) return [flaw('', { wanted, words }, value)]
      return value.flatMap((entry: unknown, index) =>
        Check(item.schema, entry) ? [] : [flaw(`[${index}]`, item, entry)],
      )
    },
    normalise: value => [
      ...new Set((Array.isArray(value) ? value : [value]).map(entry => item.normalise(entry))),
    ],
    comparison: values => {
      const known = new Set<unknown>(values)
      return claim => known.has(claim)
    },
    show: showList,
  }
}

/** How many values of a list a message spells out. */
const SHOWN_ITEMS = 3

function showList(values: readonly unknown[]): string {
  const shown = values.slice(0, SHOWN_ITEMS).join(', ')
  const more = values.length - SHOWN_ITEMS
  return more > 0 ? `one of ${shown} and ${more} more` : values.length > 1 ? `one of ${shown}` : shown
}

/** Adds words, first of all 'any', to what a leaf accepts. A word compares as never met: its meaning is its field's. */
export function orWord<T, const W extends readonly string[]>(words: W, leaf: Leaf<T>): Leaf<T | W[number]> {
  const isWord = (value: unknown): value is W[number] =>
    typeof value === 'string' && (words as readonly string[]).includes(value)
  const wanted = `${words.map(word => `'${word}'`).join(' or ')}, or ${leaf.wanted}`
  const all = { wanted, words: [...words, ...leaf.words] }
  return {
    is: 'leaf',
    schema: anyOf([...words.map(wordOf), leaf.schema]),
    ...all,
    flaws: value =>
      isWord(value) ? [] : leaf.flaws(value).map(found => (found.at === '' ? flaw('', all, value) : found)),
    normalise: value => (isWord(value) ? value : leaf.normalise(value)),
    comparison: value => (isWord(value) ? () => value === 'any' : leaf.comparison(value)),
    show: value => (isWord(value) ? value : leaf.show(value)),
  }
}

const ANY = ['any'] as const
type Any = 'any'

/** Hex values of which the claim must be one; not `'any'`. */
export const hexList = (...sizes: readonly number[]): Leaf<readonly string[]> => list(hexItem(...sizes))

/** `'any'` or the hex values of which the claim must be one. */
export const hexes = (...sizes: readonly number[]): Leaf<readonly string[] | Any> =>
  orWord(ANY, hexList(...sizes))

const CHIP_ID_HEX_LENGTH = 128
const TURIN_CHIP_ID_HEX_LENGTH = 16

/** `'any'` or machines. Turin's chip ids have 8 bytes, which a report pads with zeros to CHIP_ID's 64. */
export function hardwareIds(): Leaf<readonly string[] | Any> {
  const leaf = hexes(8, 16, 64)
  const pad = (id: string) =>
    id.length === TURIN_CHIP_ID_HEX_LENGTH ? id.padEnd(CHIP_ID_HEX_LENGTH, '0') : id
  return {
    ...leaf,
    normalise: value => {
      const ids = leaf.normalise(value)
      return ids === 'any' ? ids : [...new Set(ids.map(pad))]
    },
  }
}

/** `'any'` or the integers of which the claim must be one. */
export const integers = (minimum: number, maximum: number): Leaf<readonly number[] | Any> =>
  orWord(ANY, list(integerItem(minimum, maximum)))

/** `'any'` or the words of which the claim must be one. */
export const words = <const W extends readonly string[]>(known: W): Leaf<readonly W[number][] | Any> =>
  orWord(ANY, wordList(known))

/** The words of which the claim must be one; not `'any'`. */
export const wordList = <const W extends readonly string[]>(known: W): Leaf<readonly W[number][]> =>
  list(wordItem(known))

/** Texts of which the claim must be one. */
export const texts = (pattern: string, wanted: string): Leaf<readonly string[]> =>
  list(textItem(pattern, wanted))

/** `'any'` or the value that the claim must have. */
export const flag = (): Leaf<boolean | Any> =>
  orWord(
    ANY,
    single(
      { schema: { type: 'boolean' }, wanted: 'true or false', normalise: Boolean },
      { comparison: value => claim => claim === value, show: String },
    ),
  )

/** A number that the claim must reach. */
export const atLeast = (maximum: number): Leaf<number> =>
  single(integerItem(0, maximum), {
    comparison: value => claim => typeof claim === 'number' && claim >= value,
    show: value => `at least ${value}`,
  })

/** `'any'` or a number that the claim must reach. */
export const minimum = (maximum: number): Leaf<number | Any> => orWord(ANY, atLeast(maximum))

const RFC3339 = '^[0-9]{4}-[01][0-9]-[0-3][0-9](?:T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:\\.[0-9]{1,9})?Z)?$'

/** `'any'` or the date before which the claimed date must not lie. */
export const notBefore = (): Leaf<string> => {
  const date = single(textItem(RFC3339, 'a date as 2026-05-01 or 2026-05-01T00:00:00Z'), {
    comparison: value => claim => typeof claim === 'string' && Date.parse(claim) >= Date.parse(value),
    show: value => `${value} or later`,
  })
  // Date.parse takes 30 February for 2 March.
  const real = (value: unknown): boolean => {
    const time = Date.parse(String(value))
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(String(value).slice(0, 10))
  }
  return orWord(ANY, {
    ...date,
    flaws: value => (typeof value !== 'string' || real(value) ? date.flaws(value) : [flaw('', date, value)]),
  })
}

const DURATION = '^[1-9][0-9]{0,5}[smhd]$'
const MS_PER: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `7d`, `12h`, `30m` or `90s` in milliseconds. */
export function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * (MS_PER[text.slice(-1)] ?? Number.NaN)
}

/** `'any'` or an age in milliseconds that is not to be exceeded; what is from the future has none. */
export const maxAge = (): Leaf<string> =>
  orWord(
    ANY,
    single(textItem(DURATION, 'a duration as 7d, 12h, 30m or 90s'), {
      comparison: value => age => typeof age === 'number' && age >= 0 && age <= durationMs(value),
      show: value => `at most ${value} old`,
    }),
  )

/** One of some words that only its own field gives a meaning to. */
export const word = <const W extends readonly string[]>(...known: W): Leaf<W[number]> =>
  single(wordItem(known), { comparison: () => () => false, show: String })

/** A version: 1, 2, 3…; only carried. */
export const counter = (): Leaf<number> =>
  single(integerItem(1, 2_147_483_647), { comparison: value => claim => claim === value, show: String })

/** One text that is only carried, e.g. a name. */
export const text = (pattern: string, wanted: string): Leaf<string> =>
  single(textItem(pattern, wanted), { comparison: value => claim => claim === value, show: String })

/** Bits of a little-endian field: those set in `mask` must be as in `value`. */
export interface MaskedBits {
  readonly value: string
  readonly mask: string
}

/** `'any'` or `{ value, mask }`, both hex of `size` bytes in the order of the wire. */
export const bits = (size: number): Leaf<MaskedBits | Any> => {
  const item = hexItem(size)
  const hex = new RegExp(hexPattern([size]))
  const wanted = `{ value, mask }, each hex of ${size} bytes, with no bit in value that mask leaves out`
  const schema = objectOf({ value: item.schema, mask: item.schema }, ['value', 'mask'])
  const covered = ({ value, mask }: MaskedBits): boolean => (number(value) & ~number(mask)) === 0n
  const pair = (value: unknown): value is MaskedBits => Check(schema, value)
  return orWord(ANY, {
    is: 'leaf',
    schema,
    wanted,
    words: [],
    flaws: value => (pair(value) && covered(value) ? [] : [flaw('', { wanted }, value)]),
    normalise: value => {
      const { value: set, mask } = value as MaskedBits
      return { value: item.normalise(set), mask: item.normalise(mask) }
    },
    comparison: ({ value, mask }) => {
      const [wantedBits, maskBits] = [number(value), number(mask)]
      // Not `Check`, which reads the schema anew for each claim.
      return claim =>
        typeof claim === 'string' && hex.test(claim) && (number(claim) & maskBits) === wantedBits
    },
    show: ({ value, mask }) => `${value} under mask ${mask}`,
  })
}

function number(hex: string): bigint {
  return BigInt(`0x${hex}`)
}

/** What is accepted, for a message. */
type Accepted = Pick<Item<unknown>, 'wanted' | 'words'>

function flaw(at: string, { wanted, words = [] }: Accepted, value: unknown): Flaw {
  return { at, expected: wanted, got: brief(value), hint: meantHint(value, words) ?? mistake(value, wanted) }
}

/** A slip of a word; not where only the case of `any` is wrong, which has a hint of its own. */
export function meantHint(value: unknown, words: readonly string[]): string | null {
  if (typeof value !== 'string' || value.toLowerCase() === 'any') return null
  const meant = nearest(value, words)
  return meant === null ? null : `did you mean ${meant}?`
}

/** The usual mistakes, each with its correction. */
function mistake(value: unknown, expected: string): string {
  const takesAny = expected.includes("'any'")
  if (takesAny && (value === null || (Array.isArray(value) && value.length === 0))) {
    return "nothing and an empty list are not expectations; write 'any' to leave this unchecked"
  }
  if (typeof value === 'number' && expected.includes('hex')) return 'put quotes around hex'
  if (typeof value !== 'string') return `write ${expected}`
  if (value.toLowerCase() === 'any') {
    return takesAny ? "write 'any' in lower case" : `any is not among what this takes; write ${expected}`
  }
  if (expected.includes('hex') && value.startsWith('0x')) return 'write hex without 0x'
  if (expected.includes('hex') && /^[0-9A-Fa-f]+$/.test(value)) return `it has ${value.length / 2} bytes`
  return `write ${expected}`
}
