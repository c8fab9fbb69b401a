// The one spelling of a JSON object: RFC 8785 (JCS). Members sorted by UTF-16 code units, no white space, numbers as
// ECMAScript prints them. Whatever JSON cannot say exactly is refused, never dropped or coerced.
import { LedgerError } from './errors.ts'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [member: string]: JsonValue
}

/** Nesting beyond this is refused: no entry needs it, and it ends cycles. */
const MAX_DEPTH = 32

/** @throws {LedgerError} entry-invalid */
export function canonicalJson(value: JsonObject): string {
  if (!isPlainObject(value)) throw invalid([], 'an object', describe(value))
  return writeObject(value, [])
}

/** Members and indexes down to a value; its length is the depth. One array for a whole entry. */
type Path = (string | number)[]

function write(value: unknown, path: Path): string {
  if (typeof value === 'string') return writeString(value, path)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(path, 'a finite number', String(value))
    return JSON.stringify(value)
  }
  if (typeof value === 'boolean' || value === null) return String(value)
  if (path.length >= MAX_DEPTH) throw invalid(path, `at most ${MAX_DEPTH} levels`, 'more, or a cycle')
  if (Array.isArray(value)) return writeArray(value, path)
  if (isPlainObject(value)) return writeObject(value, path)
  throw invalid(path, 'a JSON value', describe(value))
}

function writeString(value: string, path: Path): string {
  if (!value.isWellFormed()) throw invalid(path, 'well-formed Unicode', 'a lone surrogate')
  return JSON.stringify(value)
}

function writeArray(value: readonly unknown[], path: Path): string {
  // Not `map`: it would skip the holes of a sparse array.
  let items = ''
  for (let index = 0; index < value.length; index++) {
    path.push(index)
    items += (index === 0 ? '' : ',') + write(value[index], path)
    path.pop()
  }
  return `[${items}]`
}

function writeObject(value: Readonly<Record<string, unknown>>, path: Path): string {
  let members = ''
  for (const name of sorted(Object.keys(value))) {
    const separator = members === '' ? '' : ','
    const key = writeString(name, path)
    path.push(name)
    members += `${separator}${key}:${write(value[name], path)}`
    path.pop()
  }
  return `{${members}}`
}

/** Many are in order already, and to see that costs less than to sort. */
function sorted(names: string[]): readonly string[] {
  for (let at = 1; at < names.length; at++) {
    if ((names[at] ?? '') < (names[at - 1] ?? '')) return names.sort()
  }
  return names
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (value === null) return 'null'
  return typeof value === 'object' ? 'an instance of a class' : typeof value
}

function invalid(path: Path, expected: string, got: string): LedgerError {
  const place = path.map(step => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
  return new LedgerError('entry-invalid', `$${place} is ${got}, want ${expected}`, { expected, got })
}
