// Protocol Buffers as JSON (ProtoJSON), by a schema: names in lowerCamelCase or as in the .proto file, bytes in base64,
// integers as numbers or, with 64 bits, as texts.

import { fromBase64 } from '../../bytes.ts'
import { type Members, membersOf } from '../../members.ts'
import { MAX_FIELDS } from '../layer.ts'
import type { FieldMap, FieldValue } from './fields.ts'
import type { FieldType, Message } from './schema.ts'

/** Null where a member is not of its type. */
export function decodeProtoJson(members: Members, message: Message): FieldMap | null {
  const values = new Map<string, readonly FieldValue[]>()
  for (const [name, [, type]] of Object.entries(message)) {
    const found = members[name] ?? members[camelCase(name)]
    if (found === undefined || found === null) continue
    const items: readonly unknown[] = Array.isArray(found) ? found : [found]
    if (items.length > MAX_FIELDS) return null
    const list = items.map(it => valueOf(it, type))
    if (list.some(it => it === null)) return null
    values.set(
      name,
      list.filter(it => it !== null),
    )
  }
  return { values }
}

export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function valueOf(value: unknown, type: FieldType): FieldValue | null {
  if (type === 'bytes') return typeof value === 'string' ? fromBase64(value) : null
  if (type !== 'uint') {
    const members = membersOf(value)
    return members === null ? null : decodeProtoJson(members, type)
  }
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : null
}
