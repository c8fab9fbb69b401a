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
  /** Characters that are no value's text: names, numbers, white space. A long text costs next to nothing. */
  readonly beside?: number
  /** Escapes in strings: a string that has one is gone through, and copied by the parser piece by piece. */
  readonly escapes?: number
}

/**
 * Files of evidence and endorsements: an octet can be an element, and in objects that were typed arrays a member; event logs
 * have as many, and TCB info some 2,000 members.
 */
export const FILE_JSON: JsonLimits = { depth: 64, structure: 131_072, elements: 2_097_152 }

/** Why a text is not read: it has more in it than a limit allows, or an object that has a member of this name twice. */
export type JsonFault =
  | { readonly fault: 'too-complex'; readonly limit: keyof JsonLimits }
  | { readonly fault: 'twice'; readonly name: string }

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c]
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d]

/** Names of an object that are compared one by one: to make a set of a few costs more than all of its look-ups. */
const FEW_NAMES = 8

/** A string of up to so many characters is gone through one by one. */
const SHORT_STRING = 64

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

const UNLIMITED = { beside: Number.POSITIVE_INFINITY, escapes: Number.POSITIVE_INFINITY }

/** The names of one object so far; the next object at its depth takes its place. */
class Names {
  readonly #few: string[] = []
  #count = 0
  #many: Set<string> | null = null

  clear(): Names {
    this.#count = 0
    this.#many = null
    return this
  }

  /** False where it is there already. */
  add(name: string): boolean {
    if (this.#many !== null) return !this.#many.has(name) && this.#many.add(name) !== null
    for (let at = 0; at < this.#count; at++) if (this.#few[at] === name) return false
    this.#few[this.#count++] = name
    if (this.#count === FEW_NAMES) this.#many = new Set(this.#few)
    return true
  }
}

class StructureScan {
  readonly #text: string
  readonly #limits: Required<JsonLimits>
  /** Of every object that is open, the names so far; null for an array. */
  readonly #open: (Names | null)[] = []
  /** By depth. */
  readonly #names: Names[] = []
  #structure = 0
  #elements = 0
  #escapes = 0
  /** Where the next ones are. */
  #escape = -1
  #quote = -1

  constructor(text: string, limits: JsonLimits) {
    this.#text = text
    this.#limits = { ...UNLIMITED, ...limits }
  }

  /** The first name that an object has twice, null where there is none. */
  duplicate(): string | null {
    const text = this.#text
    let [isName, inside] = [false, 0]
    for (let at = 0; at < text.length; at++) {
      if (at - inside >= this.#limits.beside) throw new TooComplex('beside')
      const character = text.charCodeAt(at)
      if (character === QUOTE) {
        const escapes = this.#escapes
        const end = this.#endOfString(at)
        if (!isName) inside += end - at
        else if (end - inside > this.#limits.beside) throw new TooComplex('beside')
        const names = isName ? this.#open.at(-1) : null
        if (names) {
          const name = nameOf(text.slice(at, end), this.#escapes > escapes)
          if (!this.#isNew(names, name)) return name.slice(0, MAX_SHOWN)
        }
        isName = false
        at = end - 1
      } else if (character === OPEN_OBJECT || character === OPEN_ARRAY) {
        this.#enter(character === OPEN_OBJECT ? this.#namesHere() : null)
        isName = character === OPEN_OBJECT
      } else if (character === CLOSE_OBJECT || character === CLOSE_ARRAY) {
        this.#open.pop()
      } else if (character === COMMA) {
        this.#elements = this.#count(this.#elements, 'elements')
        isName = this.#open.at(-1) instanceof Names
      }
    }
    return null
  }

  #enter(names: Names | null): void {
    this.#structure = this.#count(this.#structure, 'structure')
    this.#open.push(names)
    if (this.#open.length > this.#limits.depth) throw new TooComplex('depth')
  }

  #namesHere(): Names {
    const depth = this.#open.length
    const names = this.#names[depth]?.clear() ?? new Names()
    this.#names[depth] = names
    return names
  }

  #isNew(names: Names, name: string): boolean {
    this.#structure = this.#count(this.#structure, 'structure')
    return names.add(name)
  }

  #count(counted: number, what: 'structure' | 'elements' | 'escapes'): number {
    if (counted >= this.#limits[what]) throw new TooComplex(what)
    return counted + 1
  }

  /**
   * Names and figures are short, and a search costs as much as some dozen characters; evidence is one long string: beyond
   * its beginning, from quote or escape to the next.
   */
  #endOfString(start: number): number {
    const text = this.#text
    const near = start + SHORT_STRING
    let at = start + 1
    while (at < text.length) {
      const character = text.charCodeAt(at)
      if (character === QUOTE) return at + 1
      if (character === BACKSLASH) {
        this.#escapes = this.#count(this.#escapes, 'escapes')
        at += 2
      } else at = at < near ? at + 1 : this.#nextSpecial(at)
    }
    return text.length
  }

  /** Each is looked for once, or many short strings before the only escape would each look through all of the text. */
  #nextSpecial(at: number): number {
    if (this.#quote < at) this.#quote = indexOrEnd(this.#text, '"', at)
    if (this.#escape < at) this.#escape = indexOrEnd(this.#text, '\\', at)
    return Math.min(this.#quote, this.#escape)
  }
}

/** Names that are spelled differently may be the same; what no parser would read is taken as it stands. */
function nameOf(literal: string, hasEscapes: boolean): string {
  if (!hasEscapes) return literal.slice(1, -1)
  try {
    return JSON.parse(literal) as string
  } catch {
    return literal
  }
}

function indexOrEnd(text: string, wanted: string, from: number): number {
  const found = text.indexOf(wanted, from)
  return found < 0 ? text.length : found
}
