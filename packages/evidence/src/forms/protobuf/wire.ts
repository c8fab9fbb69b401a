// Protocol Buffers, wire format, by a schema. Unknown fields are skipped; groups, which proto3 does not have, are not
// read. Nesting goes as deep as the schema does, and all messages together have no more fields than a limit.

import { MAX_FIELDS } from '../layer.ts'
import { append, type FieldMap, type FieldValue } from './fields.ts'
import type { FieldType, Message } from './schema.ts'

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5
const MAX_VARINT_BYTES = 10

interface Read<T> {
  readonly value: T
  readonly end: number
}

/** How many fields may still be read. */
interface Budget {
  left: number
}

/** Null where the bytes are not one whole message. */
export function decodeWire(bytes: Uint8Array, message: Message): FieldMap | null {
  return decodeMessage(bytes, message, { left: MAX_FIELDS })
}

function decodeMessage(bytes: Uint8Array, message: Message, budget: Budget): FieldMap | null {
  const byNumber = new Map(Object.entries(message).map(([name, [number, type]]) => [number, { name, type }]))
  const values = new Map<string, FieldValue[]>()
  for (let at = 0; at < bytes.length; ) {
    if (budget.left-- === 0) return null
    const tag = varint(bytes, at)
    if (tag === null || tag.value > 0xffff_ffffn || tag.value < 8n) return null
    const field = byNumber.get(Number(tag.value >> 3n))
    const read = valueOf(bytes, tag.end, Number(tag.value & 7n))
    if (read === null) return null
    at = read.end
    if (field === undefined) continue
    const value = typed(read.value, field.type, budget)
    if (value === null) return null
    append(values, field.name, [value])
  }
  return { values }
}

function valueOf(bytes: Uint8Array, at: number, wireType: number): Read<bigint | Uint8Array> | null {
  if (wireType === VARINT) return varint(bytes, at)
  if (wireType === LENGTH) {
    const size = varint(bytes, at)
    if (size === null || size.value > BigInt(bytes.length - size.end)) return null
    const end = size.end + Number(size.value)
    return { value: bytes.subarray(size.end, end), end }
  }
  const width = { [FIXED64]: 8, [FIXED32]: 4 }[wireType]
  if (width === undefined || at + width > bytes.length) return null
  return { value: bytes.subarray(at, at + width), end: at + width }
}

function typed(value: bigint | Uint8Array, type: FieldType, budget: Budget): FieldValue | null {
  if (type === 'uint') return typeof value === 'bigint' ? value : null
  if (typeof value === 'bigint') return null
  return type === 'bytes' ? value : decodeMessage(value, type, budget)
}

function varint(bytes: Uint8Array, at: number): Read<bigint> | null {
  let value = 0n
  for (let index = 0; index < MAX_VARINT_BYTES; index++) {
    const octet = bytes[at + index]
    if (octet === undefined) return null
    value |= BigInt(octet & 0x7f) << BigInt(7 * index)
    if (octet < 0x80) return value < 1n << 64n ? { value, end: at + index + 1 } : null
  }
  return null
}
