// JSON (RFC 8259) before it is built: one pass over the text counts what a parser would make of it and finds what is too
// deep, too much, or has an object that names a member twice. JSON.parse takes the last one and drops the others, so a
// text could say one thing to whoever reads it and another to the program.

/** What a text may be made of. A parser's work and memory grow with these, not with the bytes. */
export interface JsonLimits {
  /** Objects and arrays in each other. */
  readonly depth: number
  /** Objects and arrays, and members of objects. */
  readonly structure: number
  /** Commas, which is all members and elements but the first. */
  readonly elements: number
}

/** Why a text is not read: it has more in it than a limit allows, or an object that has a member of this name twice. */
export type JsonFault =
  | { readonly fault: 'too-complex'; readonly limit: keyof JsonLimits }
  | { readonly fault: 'twice'; readonly name: string }

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d]

/** Longest name that is shown. */
const MAX_SHOWN = 64

/** The first fault, as soon as it is there; null where there is none. What is not JSON is for the parser to say. */
export function jsonFault(text: string, limits: JsonLimits): JsonFault | null {
  try {
    const name = new StructureScan(text, limits).duplicate()
    return name === null ? null : { fault: 'twice', name }
  } catch (error) {
    if (error instanceof TooComplex) return { fault: 'too-complex', limit: error.limit }
    throw error
  }
}

class TooComplex extends Error {
  readonly limit: keyof JsonLimits

  constructor(limit: keyof JsonLimits) {
    super()
    this.limit = limit
  }
}

class StructureScan {
  readonly #text: string
  readonly #limits: JsonLimits
  /** Of every object that is open, the names so far; null for an array. */
  readonly #open: (Set<string> | null)[] = []
  #structure = 0
  #elements = 0

  constructor(text: string, limits: JsonLimits) {
    this.#text = text
    this.#limits = limits
  }

  /** The first name that an object has twice, null where there is none. */
  duplicate(): string | null {
    const text = this.#text
    let isName = false
    for (let at = 0; at < text.length; at++) {
      const character = text.charCodeAt(at)
      if (character === QUOTE) {
        const end = endOfString(text, at)
        const names = isName ? this.#open.at(-1) : null
        if (names && !this.#isNew(names, at, end)) return nameOf(text, at, end).slice(0, MAX_SHOWN)
        isName = false
        at = end - 1
      } else if (character === OPEN_OBJECT || character === OPEN_ARRAY) {
        this.#enter(character === OPEN_OBJECT ? new Set() : null)
        isName = character === OPEN_OBJECT
      } else if (character === CLOSE_OBJECT || character === CLOSE_ARRAY) {
        this.#open.pop()
      } else if (character === COMMA) {
        this.#elements = this.#count(this.#elements, 'elements')
        isName = this.#open.at(-1) instanceof Set
      }
    }
    return null
  }

  #enter(names: Set<string> | null): void {
    this.#structure = this.#count(this.#structure, 'structure')
    this.#open.push(names)
    if (this.#open.length > this.#limits.depth) throw new TooComplex('depth')
  }

  #isNew(names: Set<string>, start: number, end: number): boolean {
    this.#structure = this.#count(this.#structure, 'structure')
    const name = nameOf(this.#text, start, end)
    return !names.has(name) && names.add(name) === names
  }

  #count(counted: number, what: 'structure' | 'elements'): number {
    if (counted >= this.#limits[what]) throw new TooComplex(what)
    return counted + 1
  }
}

/** Names that are spelled differently may be the same; what no parser would read is taken as it stands. */
function nameOf(text: string, start: number, end: number): string {
  const literal = text.slice(start, end)
  if (!literal.includes('\\')) return literal.slice(1, -1)
  try {
    return JSON.parse(literal) as string
  } catch {
    return literal
  }
}

/** To the next quote in one step, since evidence is one long string; what has escapes is gone through. */
function endOfString(text: string, start: number): number {
  const quote = text.indexOf('"', start + 1)
  if (quote < 0) return text.length
  if (text.charCodeAt(quote - 1) !== BACKSLASH) return quote + 1
  let at = start + 1
  while (at < text.length) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) return at + 1
    at += character === BACKSLASH ? 2 : 1
  }
  return text.length
}
