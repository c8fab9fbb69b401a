// Types of WebAssembly (core specification, section 5.3) that an enclave can have: numbers, vectors, plain references.
import { within } from './wasm-limits.ts'
import { invalidCode, type WasmReader } from './wasm-reader.ts'

/** Types as in the text format, for example `(i32,i32)->(i64)`. */
export type Signature = string

export interface FunctionType {
  readonly signature: Signature
  readonly parameters: number
  readonly results: number
}

/** Of a table or a memory, in its own units. */
export interface WasmRange {
  readonly min: number
  /** Null if the module sets none. */
  readonly max: number | null
}

const FUNCTION_TYPE = 0x60
const REFERENCES: Readonly<Record<number, string>> = { 0x70: 'funcref', 0x6f: 'externref' }
const VALUE_TYPES: Readonly<Record<number, string>> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  ...REFERENCES,
}

export function readFunctionType(content: WasmReader): FunctionType {
  const form = content.byte()
  if (form !== FUNCTION_TYPE)
    throw invalidCode(`a type of form 0x${form.toString(16)} is not a function type`)
  const parameters = readTypes(content)
  const results = readTypes(content)
  const signature = `(${parameters.join(',')})->(${results.join(',')})`
  return { signature, parameters: parameters.length, results: results.length }
}

function readTypes(content: WasmReader): string[] {
  const length = within('typeValues', content.u32())
  return Array.from({ length }, () => readValueType(content))
}

export function isValueType(byte: number): boolean {
  return Object.hasOwn(VALUE_TYPES, byte)
}

export function readValueType(content: WasmReader): string {
  return known(VALUE_TYPES, content.byte())
}

export function readReferenceType(content: WasmReader): string {
  return known(REFERENCES, content.byte())
}

function known(types: Readonly<Record<number, string>>, type: number): string {
  const name = types[type]
  if (name === undefined) throw invalidCode(`values of type 0x${type.toString(16)} are not supported`)
  return name
}

export function readRange(content: WasmReader, what: string): WasmRange {
  const flags = content.byte()
  if (flags > 1)
    throw invalidCode(`the ${what} is shared or addressed with 64 bits`, `one plain 32-bit ${what}`)
  const min = content.u32()
  return { min, max: flags === 1 ? content.u32() : null }
}
