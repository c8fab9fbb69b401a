// The schema's text, read once into tables that the reader walks: complex types, their particles, simple types, codes.
import { CAPTURES } from './layout'
import { reserve } from './memory'
import { SCHEMA } from './schema'
import { ROLES } from './wire'

const MAX_TYPES = 128
const MAX_PARTICLES = 512
const MAX_SIMPLE = 128
const MAX_CODES = 256

/** Particle: name as three words, then its length, min, max (0: any number), whether complex, type, capture, role. */
export const PARTICLE: usize = 32
export const particles: usize = reserve(MAX_PARTICLES * PARTICLE)
/** Type: first particle, end, whether a choice; u16 each. */
const TYPE: usize = 8
const types: usize = reserve(MAX_TYPES * TYPE)
/** Simple type: kind, and two numbers of it; u16 each. */
const SIMPLE: usize = 8
const simples: usize = reserve(MAX_SIMPLE * SIMPLE)
/** Codes of four letters, as words. */
const codes: usize = reserve(MAX_CODES * 4)

export namespace Kind {
  export const text: u16 = 1
  export const date: u16 = 2
  export const dateTime: u16 = 3
  export const time: u16 = 4
  export const boolean: u16 = 5
  export const decimal: u16 = 6
  export const numeric: u16 = 7
  export const amount: u16 = 8
  export const bic: u16 = 9
  export const country: u16 = 10
  export const currency: u16 = 11
  export const iban: u16 = 12
  export const phone: u16 = 13
  export const codes: u16 = 14
  export const any: u16 = 15
}
const KIND_NAMES: string[] = ['date', 'dateTime', 'time', 'boolean', 'amount', 'bic', 'country', 'currency', 'iban', 'phone', 'any']
const KIND_VALUES: u16[] = [Kind.date, Kind.dateTime, Kind.time, Kind.boolean, Kind.amount, Kind.bic, Kind.country, Kind.currency, Kind.iban, Kind.phone, Kind.any]

// @ts-ignore: decorator
@inline
export function typeFirst(type: u32): u32 {
  return load<u16>(types + type * TYPE)
}
// @ts-ignore: decorator
@inline
export function typeEnd(type: u32): u32 {
  return load<u16>(types + type * TYPE, 2)
}
// @ts-ignore: decorator
@inline
export function isChoice(type: u32): bool {
  return load<u16>(types + type * TYPE, 4) != 0
}
// @ts-ignore: decorator
@inline
export function simpleKind(simple: u32): u16 {
  return load<u16>(simples + simple * SIMPLE)
}
// @ts-ignore: decorator
@inline
export function simpleA(simple: u32): u32 {
  return load<u16>(simples + simple * SIMPLE, 2)
}
// @ts-ignore: decorator
@inline
export function simpleB(simple: u32): u32 {
  return load<u16>(simples + simple * SIMPLE, 4)
}

/** Whether a word of four letters is one of the simple type's codes. */
export function isCode(simple: u32, word: u32): bool {
  const first = simpleA(simple)
  const end = first + simpleB(simple)
  for (let at = first; at < end; at++) if (load<u32>(codes + at * 4) == word) return true
  return false
}

let simpleCount: u32 = 0
let codeCount: u32 = 0
const simpleNames: string[] = []
const typeNames: string[] = []

build()

function build(): void {
  const lines = SCHEMA.trim().split('\n')
  for (let index = 0; index < lines.length; index++) typeNames.push(headOf(lines[index]))
  let next: u32 = 0
  for (let index = 0; index < lines.length; index++) {
    const head = typeNames[index]
    const rest = lines[index].slice(head.length + 2).split(' ')
    store<u16>(types + index * TYPE, <u16>next)
    for (let at = 0; at < rest.length; at++) addParticle(rest[at], next++)
    store<u16>(types + index * TYPE, <u16>next, 2)
    store<u16>(types + index * TYPE, lines[index].charAt(head.length) == '|' ? 1 : 0, 4)
  }
}

function headOf(line: string): string {
  const colon = line.indexOf(':')
  const bar = line.indexOf('|')
  return line.slice(0, colon < 0 || (bar >= 0 && bar < colon) ? bar : colon)
}

/** `Name#capture=Type?` and so on. */
function addParticle(text: string, index: u32): void {
  const at = particles + index * PARTICLE
  const equals = text.indexOf('=')
  let name = text.slice(0, equals)
  store<u8>(at, mark(name, '#', CAPTURES), 30)
  store<u8>(at, mark(name, '@', ROLES), 31)
  name = name.split('#')[0].split('@')[0]
  // `*` stands for any name and has none.
  const length = name == '*' ? 0 : name.length
  for (let letter = 0; letter < length; letter++) store<u8>(at + letter, <u8>name.charCodeAt(letter))
  store<u8>(at, <u8>length, 24)
  const type = occurrence(text.slice(equals + 1), at)
  const complex = typeNames.indexOf(type)
  store<u8>(at, complex >= 0 ? 1 : 0, 27)
  store<u16>(at, <u16>(complex >= 0 ? complex : simpleOf(type)), 28)
}

function mark(name: string, sign: string, known: string[]): u8 {
  const parts = name.split(sign)
  return parts.length < 2 ? 0 : <u8>(known.indexOf(parts[1]) + 1)
}

/** Stores how often, and gives the type that is left. */
function occurrence(text: string, at: usize): string {
  const last = text.charAt(text.length - 1)
  store<u8>(at, last == '?' || last == '*' || last == '}' ? 0 : 1, 25)
  store<u8>(at, last == '*' || last == '+' ? 0 : 1, 26)
  if (last == '}') {
    const brace = text.indexOf('{')
    store<u8>(at, <u8>parseInt(text.slice(brace + 1)), 26)
    return text.slice(0, brace)
  }
  return last == '?' || last == '*' || last == '+' ? text.slice(0, text.length - 1) : text
}

function simpleOf(name: string): u32 {
  const known = simpleNames.indexOf(name)
  if (known >= 0) return known
  simpleNames.push(name)
  const at = simples + simpleCount * SIMPLE
  const named = KIND_NAMES.indexOf(name)
  if (named >= 0) store<u16>(at, KIND_VALUES[named])
  else if (name.startsWith('text')) storeKind(at, Kind.text, name.slice(4), '0')
  else if (name.startsWith('numeric')) storeKind(at, Kind.numeric, name.slice(7), '0')
  else if (name.startsWith('decimal')) storeKind(at, Kind.decimal, name.slice(7), name.split('.')[1])
  else storeCodes(at, name.split('/'))
  return simpleCount++
}

function storeKind(at: usize, kind: u16, a: string, b: string): void {
  store<u16>(at, kind)
  store<u16>(at, <u16>parseInt(a), 2)
  store<u16>(at, <u16>parseInt(b), 4)
}

function storeCodes(at: usize, words: string[]): void {
  store<u16>(at, Kind.codes)
  store<u16>(at, <u16>codeCount, 2)
  store<u16>(at, <u16>words.length, 4)
  for (let index = 0; index < words.length; index++) {
    for (let letter = 0; letter < 4; letter++) {
      store<u8>(codes + codeCount * 4 + letter, <u8>words[index].charCodeAt(letter))
    }
    codeCount++
  }
}
