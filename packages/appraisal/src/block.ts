// Fields with names: reads an object against a table of fields, collecting every problem. Unknown keys are refused
// with the known name that was probably meant; a missing field comes from the base (a preset) or is refused.
// Only own, known keys are ever read or copied, so that `__proto__` is an unknown key like any other.

import { nearest } from '@casemate/evidence'
import { anyOf, type JsonSchema, type ObjectSchema, objectOf, wordOf } from './json-schema.ts'
import { type Leaf, meantHint } from './leaf.ts'
import { brief, type ConfigProblem } from './problem.ts'

/** A leaf with what it means, for the published schema. */
export interface Field<T> {
  readonly is: 'field'
  readonly leaf: Leaf<T>
  readonly meaning: string
}

/** An object whose keys are all known. */
export interface Block<F extends Fields = Fields> {
  readonly is: 'block'
  readonly meaning: string
  readonly fields: F
  readonly short: ShortForm | null
}

/** One value that may be written for a whole block. */
export interface ShortForm {
  readonly leaf: Leaf<unknown>
  /** The block that it stands for. */
  expand(value: unknown): Readonly<Record<string, unknown>>
}

/** One of some words, or a block that replaces them as a whole. */
export interface Choice<W extends string = string, F extends Fields = Fields> {
  readonly is: 'choice'
  readonly meaning: string
  readonly words: readonly W[]
  readonly block: Block<F>
}

// oxlint-disable-next-line typescript/no-explicit-any -- a table holds fields of every value type
export type Node = Field<any> | Block | Choice
export type Fields = { readonly [name: string]: Node }

/** What a node looks like once it is read. */
export type ValueOf<N> =
  N extends Field<infer T>
    ? T
    : N extends Choice<infer W, infer F>
      ? W | ValuesOf<F>
      : N extends Block<infer F>
        ? ValuesOf<F>
        : never
export type ValuesOf<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> }

export const field = <T>(leaf: Leaf<T>, meaning: string): Field<T> => ({ is: 'field', leaf, meaning })

export const block = <F extends Fields>(
  meaning: string,
  fields: F,
  short: ShortForm | null = null,
): Block<F> => ({ is: 'block', meaning, fields, short })

export const choice = <const W extends string, F extends Fields>(
  meaning: string,
  alternatives: readonly W[],
  fields: F,
): Choice<W, F> => ({ is: 'choice', meaning, words: alternatives, block: block(meaning, fields) })

/** JSON Schema of a block; without `complete`, fields may be left to a preset. */
export function schemaOf(node: Block, complete: boolean): ObjectSchema {
  const children = Object.entries(node.fields)
  const properties = Object.fromEntries(children.map(([name, child]) => [name, nodeSchema(child, complete)]))
  return objectOf(properties, complete ? Object.keys(properties) : [], { description: node.meaning })
}

function nodeSchema(node: Node, complete: boolean): JsonSchema {
  switch (node.is) {
    case 'field':
      return { ...node.leaf.schema, description: node.meaning }
    case 'block':
      return node.short === null ? schemaOf(node, complete) : shortSchema(node, node.short, complete)
    case 'choice': {
      const alternatives = node.words.map(wordOf)
      return anyOf([...alternatives, schemaOf(node.block, true)], { description: node.meaning })
    }
    default:
      return node satisfies never
  }
}

function shortSchema(node: Block, { leaf }: ShortForm, complete: boolean): JsonSchema {
  return anyOf([leaf.schema, schemaOf(node, complete)], { description: node.meaning })
}

/** How a reading goes on: problems found so far, and what to say of a field that is nowhere. */
export interface Reading {
  readonly problems: ConfigProblem[]
  readonly missingHint: (path: string, takesAny: boolean) => string
}

/** Objects of any realm without a class: a Map, or an instance that inherits fields, would read as empty. */
function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** An object, or a problem; never an array, never something with behaviour. */
export function plainObject(
  value: unknown,
  path: string,
  problems: ConfigProblem[],
): Record<string, unknown> | null {
  if (isObject(value)) return value
  const hint = 'write its fields as names and values'
  problems.push({ path, expected: 'an object', got: brief(value), hint })
  return null
}

/** Where a value stands, and what stands there in the base (a preset) if there is one. */
export interface Place {
  readonly path: string
  readonly base: unknown
}

/** Reads `value` as the block at its place; what it does not say is taken from `base`, where there is one. */
export function readBlock<F extends Fields>(
  node: Block<F>,
  value: unknown,
  { path, base }: Place,
  reading: Reading,
): ValuesOf<F> {
  const read: Record<string, unknown> = {}
  const given = plainObject(value, path, reading.problems)
  if (given === null) return read as ValuesOf<F>
  refuseUnknown(given, meaningsOf(node.fields), path, reading.problems)
  for (const [name, child] of Object.entries(node.fields)) {
    const from = isObject(base) ? base[name] : undefined
    read[name] = readNode(
      child,
      Object.hasOwn(given, name) ? given[name] : undefined,
      { path: join(path, name), base: from },
      reading,
    )
  }
  return read as ValuesOf<F>
}

/** A path and a name, with a dot between. */
export function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function meaningsOf(fields: Fields): Meanings {
  return Object.fromEntries(Object.entries(fields).map(([name, { meaning }]) => [name, meaning]))
}

/** What each known key means, by its name. */
type Meanings = Readonly<Record<string, string>>

/** Problems for keys that nobody knows; at most a few dozen are spelt out. */
export function refuseUnknown(
  given: Record<string, unknown>,
  meanings: Meanings,
  path: string,
  problems: ConfigProblem[],
): void {
  const names = Object.keys(meanings)
  const unknown = Object.keys(given).filter(key => !names.includes(key))
  for (const whole of unknown.slice(0, MAX_UNKNOWN_KEYS)) {
    const key = whole.slice(0, MAX_KEY)
    problems.push({
      path: join(path, key),
      expected: `one of ${names.join(', ')}`,
      got: 'an unknown field',
      hint: unknownHint(key, meanings),
    })
  }
}

/** A vendor's word for several fields is in what they mean: `idBlock` is the ID block's. */
function unknownHint(key: string, meanings: Meanings): string {
  const near = nearest(key, Object.keys(meanings))
  if (near !== null) return `did you mean ${near}?`
  const words = key
    .replaceAll(/[A-Z]/g, letter => ` ${letter}`)
    .toLowerCase()
    .trim()
  const about = Object.entries(meanings).filter(([, meaning]) => meaning.toLowerCase().includes(words))
  if (about.length === 0 || words.length < MIN_WORDS) return 'remove it'
  return `what there is of it: ${about.map(([name]) => name).join(', ')}`
}

const MAX_KEY = 64
/** Shorter words are in what everything means. */
const MIN_WORDS = 4

const MAX_UNKNOWN_KEYS = 20

function readNode(node: Node, value: unknown, place: Place, reading: Reading): unknown {
  const { path, base } = place
  if (value === undefined) {
    if (base !== undefined) return base
    const expected = node.is === 'field' ? node.leaf.wanted : 'an object'
    reading.problems.push({ path, expected, got: 'nothing', hint: reading.missingHint(path, takesAny(node)) })
    return undefined
  }
  switch (node.is) {
    case 'field':
      return readLeaf(node.leaf, value, path, reading)
    case 'block':
      return readBlockOrShort(node, value, place, reading)
    case 'choice':
      return readChoice(node, value, path, reading)
    default:
      return node satisfies never
  }
}

function readLeaf(leaf: Leaf<unknown>, value: unknown, path: string, reading: Reading): unknown {
  const flaws = leaf.flaws(value)
  for (const { at, ...rest } of flaws) reading.problems.push({ path: `${path}${at}`, ...rest })
  return flaws.length === 0 ? leaf.normalise(value) : undefined
}

/** A block, or the one value that stands for it. */
function readBlockOrShort(node: Block, value: unknown, place: Place, reading: Reading): unknown {
  const { short } = node
  if (short === null || isObject(value)) return readBlock(node, value, place, reading)
  const read = readLeaf(short.leaf, value, place.path, reading)
  return read === undefined ? undefined : readBlock(node, short.expand(read), place, reading)
}

function readChoice(node: Choice, value: unknown, path: string, reading: Reading): unknown {
  if (typeof value === 'string' && node.words.includes(value)) return value
  if (!isObject(value)) {
    const expected = `${node.words.map(word => `'${word}'`).join(' or ')}, or an object`
    const hint = meantHint(value, node.words) ?? `write ${expected}`
    reading.problems.push({ path, expected, got: brief(value), hint })
    return undefined
  }
  const whole = { ...reading, missingHint: togetherHint }
  return readBlock(node.block, value, { path, base: undefined }, whole)
}

/** What replaces a word is stated whole, whatever a preset has there. */
function togetherHint(_path: string, isAnyTaken: boolean): string {
  return `state it too: these stand together${isAnyTaken ? "; 'any' leaves it unchecked" : ''}`
}

function takesAny(node: Node): boolean {
  if (node.is === 'choice') return node.words.includes('any')
  const leaf = node.is === 'field' ? node.leaf : node.short?.leaf
  return leaf?.flaws('any').length === 0
}

/** Freezes a value and all that it holds. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
