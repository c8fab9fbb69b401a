// Fixed binary structures, described once as a table of fields: where each one lies and how long it is.
// The same table writes a structure and finds a field again, to tamper with it after signing.

/** Bytes, or the same as hex of either case. */
export type Bytes = Uint8Array | string

/** A field’s value: a number is written little-endian. */
export type FieldValue = Bytes | number | bigint

interface Place {
  readonly offset: number
  readonly size: number
}

/** A structure of fixed size: field names and their sizes in bytes, in the order of the wire. Unset fields are zero. */
export class Layout<Name extends string> {
  readonly name: string
  /** In bytes. */
  readonly size: number
  readonly #places: ReadonlyMap<string, Place>

  constructor(name: string, fields: Readonly<Record<Name, number>>) {
    const places = new Map<string, Place>()
    let offset = 0
    for (const [field, size] of Object.entries<number>(fields)) {
      places.set(field, { offset, size })
      offset += size
    }
    this.name = name
    this.size = offset
    this.#places = places
  }

  /** @throws {TypeError} for a field that the structure does not have */
  place(field: string): Place {
    const place = this.#places.get(field)
    if (place === undefined) throw new TypeError(`${this.name} has no field ${field}`)
    return place
  }

  /** The bytes of one field of a structure. */
  read(structure: Uint8Array, field: Name): Uint8Array {
    const { offset, size } = this.place(field)
    return structure.subarray(offset, offset + size)
  }

  /** @throws {TypeError} for an unknown field, or a value that is not exactly as long as its field */
  write(values: Readonly<Partial<Record<Name, FieldValue | undefined>>>): Uint8Array {
    const out = new Uint8Array(this.size)
    for (const [field, value] of Object.entries<FieldValue | undefined>(values)) {
      if (value === undefined) continue
      const { offset, size } = this.place(field)
      out.set(encodeField(`${this.name}.${field}`, value, size), offset)
    }
    return out
  }
}

/** The exact bytes of one field. */
export function encodeField(name: string, value: FieldValue, size: number): Uint8Array {
  const bytes =
    typeof value === 'number' || typeof value === 'bigint' ? littleEndian(value, size) : toBytes(value)
  if (bytes.length !== size) throw new TypeError(`${name} is ${bytes.length} bytes, want ${size}`)
  return bytes
}

/** @throws {TypeError} if a string is not hex of whole bytes */
export function toBytes(value: Bytes): Uint8Array {
  if (typeof value !== 'string') return value
  if (!/^(?:[0-9a-f]{2})*$/i.test(value)) throw new TypeError('bytes are given as Uint8Array or as hex')
  return Buffer.from(value, 'hex')
}

/** Little-endian, as all of Intel’s and AMD’s structures are. */
export function littleEndian(value: number | bigint, size: number): Uint8Array {
  const out = new Uint8Array(size)
  let rest = BigInt(value)
  for (let index = 0; index < size; index++, rest >>= 8n) out[index] = Number(rest & 0xffn)
  if (rest !== 0n) throw new TypeError(`${value} does not fit into ${size} bytes`)
  return out
}
