// A decoded message: what wire, text and JSON form have in common. Members are read by name, with the size that the
// vendor's structure gives them; what proto3 leaves out because it is zero reads as zero.

import { damaged } from '../layer.ts'

/** In the order in which they stood; of a field that is no list the last one counts. */
export type FieldValue = bigint | Uint8Array | FieldMap
export interface FieldMap {
  readonly values: ReadonlyMap<string, readonly FieldValue[]>
}

/** Puts what was found behind what stood there before. */
export function append(values: Map<string, FieldValue[]>, name: string, found: readonly FieldValue[]): void {
  const list = values.get(name)
  if (list === undefined) values.set(name, [...found])
  else for (const value of found) list.push(value)
}

/** Reads the members of one message. @throws {Refusal} `evidence-malformed`, naming the field */
export class ProtoFields {
  readonly #map: FieldMap
  readonly #path: string

  constructor(map: FieldMap, path: string) {
    this.#map = map
    this.#path = path
  }

  /** An unsigned integer of so many bytes. */
  uint(name: string, width: number): bigint {
    const value = this.#last(name) ?? 0n
    if (typeof value !== 'bigint' || value < 0n || value >= 1n << BigInt(8 * width)) {
      throw damaged(`the field ${this.#at(name)}`, `a number of ${width} bytes`, describe(value))
    }
    return value
  }

  bytes(name: string, size: number): Uint8Array {
    const value = this.bytesOfAnySize(name)
    if (value.length === size) return value
    throw damaged(`the field ${this.#at(name)}`, `${size} bytes`, `${value.length} bytes`)
  }

  bytesOfAnySize(name: string): Uint8Array {
    const value = this.#last(name) ?? new Uint8Array(0)
    if (value instanceof Uint8Array) return value
    throw damaged(`the field ${this.#at(name)}`, 'bytes', describe(value))
  }

  /** Exactly so many, of that size each. */
  list(name: string, count: number, size: number): readonly Uint8Array[] {
    const values = this.#map.values.get(name) ?? []
    const items = values.filter(value => value instanceof Uint8Array && value.length === size)
    if (items.length !== values.length || items.length !== count) {
      throw damaged(`the field ${this.#at(name)}`, `${count} of ${size} bytes`, `${items.length} of them`)
    }
    return items as readonly Uint8Array[]
  }

  message(name: string): ProtoFields {
    const value = this.#last(name)
    if (value === undefined || typeof value === 'bigint' || value instanceof Uint8Array) {
      throw damaged(`the field ${this.#at(name)}`, 'a message', describe(value))
    }
    return new ProtoFields(value, this.#at(name))
  }

  has(name: string): boolean {
    return this.#map.values.has(name)
  }

  #last(name: string): FieldValue | undefined {
    return this.#map.values.get(name)?.at(-1)
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }
}

function describe(value: FieldValue | undefined): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'bigint') return `${value}`
  return value instanceof Uint8Array ? `${value.length} bytes` : 'a message'
}
