// What a WebAssembly module (core specification, section 5.5) asks for and offers, with types: the JavaScript API names
// imports and exports but tells neither the types of functions nor the limits of memories, which decide what runs.
// Only forms that an enclave needs are read; every other is refused, never skipped.
import { decodeUtf8 } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'

/** Types as in the text format, for example `(i32,i32)->(i64)`. */
export type Signature = string

export interface WasmMemory {
  readonly minPages: number
  /** Null where the module sets no maximum. */
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
}

const SECTION = { custom: 0, type: 1, import: 2, function: 3, memory: 5, export: 7 } as const
const FUNCTION_TYPE = 0x60
const KIND = { function: 0, memory: 2 } as const
const LAST_KIND = 4
const VALUE_TYPES: Readonly<Record<number, string>> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  0x70: 'funcref',
  0x6f: 'externref',
}
const HEADER_SIZE = 8

/** Of a module that the engine has accepted. @throws {EnclaveError} invalid-code, import-undeclared */
export function readWasm(code: Uint8Array): WasmShape {
  const reader = new ShapeReader()
  const sections = new WasmReader(code, HEADER_SIZE)
  while (!sections.isAtEnd) {
    const id = sections.byte()
    const content = sections.part(sections.u32())
    reader.section(id, content)
  }
  return reader.shape()
}

class ShapeReader {
  readonly #types: Signature[] = []
  /** Signatures of all functions, imported ones first. */
  readonly #functions: Signature[] = []
  readonly #imports = new Map<string, Signature>()
  readonly #exports = new Map<string, Signature>()
  readonly #memories: WasmMemory[] = []
  readonly #memoryExports: string[] = []

  section(id: number, content: WasmReader): void {
    const read = this.#readers[id]
    if (read === undefined) return
    const count = content.u32()
    for (let index = 0; index < count; index++) read(content)
    if (!content.isAtEnd) throw invalid(`section ${id} is longer than its items`)
  }

  shape(): WasmShape {
    return {
      imports: this.#imports,
      exports: this.#exports,
      memories: this.#memories,
      memoryExports: this.#memoryExports,
    }
  }

  /** Sections of other numbers neither import nor export anything. */
  readonly #readers: Readonly<Record<number, (content: WasmReader) => void>> = {
    [SECTION.type]: content => this.#types.push(readType(content)),
    [SECTION.import]: content => this.#readImport(content),
    [SECTION.function]: content => this.#functions.push(at(this.#types, content.u32())),
    [SECTION.memory]: content => this.#memories.push(readMemory(content)),
    [SECTION.export]: content => this.#readExport(content),
  }

  #readImport(content: WasmReader): void {
    const name = `${content.name()}.${content.name()}`
    if (content.byte() !== KIND.function) {
      throw new EnclaveError('import-undeclared', `${shown(name)} is imported and is not a function`, {
        hint: 'an enclave has its own memory, table and globals; build without --import-memory',
      })
    }
    const signature = at(this.#types, content.u32())
    const earlier = this.#imports.get(name)
    if (earlier !== undefined && earlier !== signature)
      throw invalid(`${shown(name)} is imported with two types`)
    this.#imports.set(name, signature)
    this.#functions.push(signature)
  }

  #readExport(content: WasmReader): void {
    const name = content.name()
    const kind = content.byte()
    const index = content.u32()
    if (kind === KIND.function) this.#exports.set(name, at(this.#functions, index))
    else if (kind === KIND.memory) this.#memoryExports.push(name)
    else if (kind > LAST_KIND) throw invalid(`the export ${shown(name)} is of unknown kind ${kind}`)
  }
}

function readType(content: WasmReader): Signature {
  const form = content.byte()
  if (form !== FUNCTION_TYPE) throw invalid(`a type of form 0x${form.toString(16)} is not a function type`)
  return `${readTypes(content)}->${readTypes(content)}`
}

function readTypes(content: WasmReader): string {
  const types = Array.from({ length: content.u32() }, () => {
    const type = content.byte()
    const name = VALUE_TYPES[type]
    if (name === undefined) throw invalid(`values of type 0x${type.toString(16)} are not supported`)
    return name
  })
  return `(${types.join(',')})`
}

function readMemory(content: WasmReader): WasmMemory {
  const flags = content.byte()
  if (flags > 1) throw invalid('the memory is shared or addressed with 64 bits', 'one plain 32-bit memory')
  const minPages = content.u32()
  return { minPages, maxPages: flags === 1 ? content.u32() : null }
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw invalid(`there is no item ${index}`)
  return item
}

/** Reads front to back and never past the end. */
class WasmReader {
  readonly #bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.#offset = offset
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length
  }

  byte(): number {
    const byte = this.#bytes[this.#offset++]
    if (byte === undefined) throw invalid('the module ends too early')
    return byte
  }

  /** LEB128. */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw invalid('a number does not fit 32 bits')
  }

  name(): string {
    const size = this.u32()
    const text = decodeUtf8(this.#take(size))
    if (text === null) throw invalid('a name is not UTF-8')
    return text
  }

  part(size: number): WasmReader {
    return new WasmReader(this.#take(size))
  }

  #take(size: number): Uint8Array {
    const end = this.#offset + size
    if (end > this.#bytes.length) throw invalid('the module ends too early')
    const taken = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return taken
  }
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 64))
}

function invalid(message: string, expected?: string): EnclaveError {
  return new EnclaveError('invalid-code', message, expected === undefined ? {} : { expected })
}
