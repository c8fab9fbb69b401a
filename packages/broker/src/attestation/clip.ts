// Bounds the texts that guests choose: evidence gets into explanations, and those into the store and the ledger.

import type { JsonObject, JsonValue } from '../json.ts'

/** The same JSON with no text longer than `maxChars`; what was cut off shows by its ellipsis. */
export function clip<T extends JsonValue>(value: T, maxChars: number): T {
  return isShort(value, maxChars) ? value : (clipValue(value, maxChars) as T)
}

/** Nearly all is: looking costs less than a copy. */
function isShort(value: JsonValue, maxChars: number): boolean {
  if (typeof value === 'string') return value.length <= maxChars
  if (typeof value !== 'object' || value === null) return true
  const members: readonly JsonValue[] = Object.values(value)
  return members.every(member => isShort(member, maxChars))
}

function clipValue(value: JsonValue, maxChars: number): JsonValue {
  if (typeof value === 'string') return value.length > maxChars ? `${value.slice(0, maxChars)}…` : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: JsonValue) => clipValue(item, maxChars))
  const members = Object.entries(value as JsonObject)
  return Object.fromEntries(members.map(([name, member]) => [name, clipValue(member, maxChars)]))
}
