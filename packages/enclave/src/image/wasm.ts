// The imports and exports of a WebAssembly module (core specification, section 5.5), with types: the JavaScript API names
// imports and exports but tells neither the types of functions nor the limits of memories and tables, which decide what
// runs. It is read before the engine sees a byte of it. Every section is read to its end; what is not known is refused,
// and whatever the engine would allocate for is counted against `wasm-limits.ts` before it is read.
import { EnclaveError } from '../errors.ts'
import { type Arities, readBody, readConstant } from './wasm-body.ts'
import { type WasmLimit, within } from './wasm-limits.ts'
import { invalidCode, WasmReader } from './wasm-reader.ts'
import {
  type FunctionType,
  readFunctionType,
  readRange,
  readReferenceType,
  readValueType,
  type Signature,
} from './wasm-types.ts'

export interface WasmMemory {
  readonly minPages: number
  /** Null if the module sets no maximum. */
  readonly maxPages: number | null
}

export interface WasmShape {
  /** Imported functions by `module.name`. */
  readonly imports: ReadonlyMap<string, Signature>
  /** Exported functions by name. */
  readonly exports: ReadonlyMap<string, Signature>
  readonly memories: readonly WasmMemory[]
  /** Names under which the first memory is exported. */
  readonly memoryExports: readonly string[]
  /** The most that all tables and element segments can hold. */
  readonly references: number
}

const CUSTOM = 0
/** In the order in which they must stand. */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11] as const
const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const
/** In bytes; a declared function has at most 128. */
const MAX_NAME = 1024
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0] as const

/** @throws {EnclaveError} invalid-code, import-undeclared, limit-exceeded */
export function readWasm(code: Uint8Array): WasmShape {
  if (HEADER.some((byte, index) => code[index] !== byte)) {
    throw invalidCode('the code does not begin as a module does', '\\0asm, version 1')
  }
  const shape = new ShapeReader()
  const sections = new WasmReader(code, HEADER.length)
  while (!sections.isAtEnd) {
    const id = sections.byte()
    shape.section(id, sections.part(sections.u32()))
  }
  return shape.shape()
}

class ShapeReader {
  readonly #types: FunctionType[] = []
  /** Types of all functions, imported ones first. */
  readonly #functions: FunctionType[] = []
  readonly #imports = new Map<string, Signature>()
  readonly #exports = new Map<string, Signature>()
  readonly #memories: WasmMemory[] = []
  readonly #memoryExports: string[] = []
  #place = -1
  #importCount = 0
  #tables = 0
  #bodies = 0
  #typeValues = 0
  #references = 0
  #customSections = 0
  #customBytes = 0

  section(id: number, content: WasmReader): void {
    if (id === CUSTOM) {
      this.#customBytes = within('customBytes', this.#customBytes + content.left)
      this.#customSections = within('customSections', this.#customSections + 1)
      return
    }
    const place = ORDER.findIndex(known => known === id)
    const read = this.#sections[id]
    if (read === undefined) throw invalidCode(`section ${id} is not supported`)
    if (place <= this.#place) throw invalidCode(`section ${id} stands twice or out of order`)
    this.#place = place
    read(content)
    if (!content.isAtEnd) throw invalidCode(`section ${id} is longer than its items`)
  }

  shape(): WasmShape {
    if (this.#importCount + this.#bodies !== this.#functions.length) {
      throw invalidCode('there are not as many bodies as functions')
    }
    return {
      imports: this.#imports,
      exports: this.#exports,
      memories: this.#memories,
      memoryExports: this.#memoryExports,
      references: this.#references,
    }
  }

  /** By id. The start and the count of data segments are single numbers, which the engine validates. */
  readonly #sections: Readonly<Record<number, (content: WasmReader) => void>> = {
    1: content => each(content, 'types', () => this.#readType(content)),
    2: content => each(content, 'imports', () => this.#readImport(content)),
    3: content => each(content, 'functions', () => this.#functions.push(at(this.#types, content.u32()))),
    4: content => each(content, 'tables', () => this.#readTable(content)),
    5: content => each(content, 'memories', () => this.#readMemory(content)),
    6: content => each(content, 'globals', () => readGlobal(content)),
    7: content => each(content, 'exports', () => this.#readExport(content)),
    8: content => void content.u32(),
    9: content => each(content, 'elementSegments', () => this.#readElements(content)),
    10: content => this.#readCode(content),
    11: content => each(content, 'dataSegments', () => readData(content)),
    12: content => void within('dataSegments', content.u32()),
  }

  readonly #arities: Arities = {
    ofType: index => at(this.#types, index),
    ofFunction: index => at(this.#functions, index),
  }

  #readType(content: WasmReader): void {
    const type = readFunctionType(content)
    this.#typeValues = within('typeValues', this.#typeValues + type.parameters + type.results)
    this.#types.push(type)
  }

  #readImport(content: WasmReader): void {
    const name = `${content.name(MAX_NAME)}.${content.name(MAX_NAME)}`
    if (content.byte() !== KIND.function) {
      throw new EnclaveError('import-undeclared', `${shown(name)} is imported and is not a function`, {
        hint: 'an enclave has its own memory, table and globals; build without --import-memory',
      })
    }
    const type = at(this.#types, content.u32())
    const earlier = this.#imports.get(name)
    if (earlier !== undefined && earlier !== type.signature)
      throw invalidCode(`${shown(name)} is imported with two types`)
    this.#imports.set(name, type.signature)
    this.#functions.push(type)
    this.#importCount++
  }

  #readTable(content: WasmReader): void {
    readReferenceType(content)
    const { min, max } = readRange(content, 'table')
    if (max === null) {
      throw new EnclaveError('limit-exceeded', `table ${this.#tables} has no maximum`, {
        expected: 'a maximum',
        got: 'no maximum',
        hint: 'build without --growable-table and --exportTable: then the maximum is the minimum',
      })
    }
    this.#tables++
    this.#addReferences(Math.max(min, max))
  }

  #readMemory(content: WasmReader): void {
    const { min, max } = readRange(content, 'memory')
    this.#memories.push({ minPages: min, maxPages: max })
  }

  #readExport(content: WasmReader): void {
    const name = content.name(MAX_NAME)
    const kind = content.byte()
    const index = content.u32()
    if (kind === KIND.function) this.#exports.set(name, at(this.#functions, index).signature)
    else if (kind === KIND.memory) this.#memoryExports.push(name)
    else if (kind > KIND.global) throw invalidCode(`the export ${shown(name)} is of unsupported kind ${kind}`)
  }

  /** Flags: 1 passive or declarative, 2 the table is named (or declarative), 4 expressions instead of indices. */
  #readElements(content: WasmReader): void {
    const flags = content.u32()
    if (flags > 7) throw invalidCode(`an element segment has unknown flags ${flags}`)
    const isActive = (flags & 1) === 0
    const hasExpressions = (flags & 4) !== 0
    if (isActive) {
      if ((flags & 2) !== 0) content.u32()
      readConstant(content)
    }
    if ((flags & 3) !== 0) {
      if (hasExpressions) readReferenceType(content)
      else if (content.byte() !== 0) throw invalidCode('an element segment is of an unknown kind')
    }
    const count = content.u32()
    this.#addReferences(count)
    for (let left = count; left > 0; left--) {
      if (hasExpressions) readConstant(content)
      else content.u32()
    }
  }

  #addReferences(count: number): void {
    this.#references = within('references', this.#references + count)
  }

  #readCode(content: WasmReader): void {
    within('codeBytes', content.left)
    each(content, 'functions', () => {
      const type = at(this.#functions, this.#importCount + this.#bodies++)
      readBody(content.part(content.u32()), type, this.#arities)
    })
  }
}

function each(content: WasmReader, what: WasmLimit, read: () => unknown): void {
  for (let left = within(what, content.u32()); left > 0; left--) read()
}

function readGlobal(content: WasmReader): void {
  readValueType(content)
  if (content.byte() > 1) throw invalidCode('a global is shared', 'constant or mutable')
  readConstant(content)
}

/** Flags: 1 passive, 2 the memory is named. */
function readData(content: WasmReader): void {
  const flags = content.u32()
  if (flags > 2) throw invalidCode(`a data segment has unknown flags ${flags}`)
  if (flags === 2) content.u32()
  if (flags !== 1) readConstant(content)
  content.skip(content.u32())
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw invalidCode(`there is no item ${index}`)
  return item
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 64))
}
