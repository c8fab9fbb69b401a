// Bounds the texts that guests choose: evidence gets into explanations, and those into the store and the ledger.

import type { JsonObject, JsonValue } from '../json.ts'

/**
 * The same JSON with no text longer than `maxChars`; what was cut off shows by its ellipsis. Half a character, which JSON can
 * escape and a cut can leave, becomes U+FFFD: an entry with one is not taken.
 */
export function clip<T extends JsonValue>(value: T, maxChars: number): T {
  return isFit(value, maxChars) ? value : (clipValue(value, maxChars) as T)
}

/** Nearly all is: looking costs less than a copy. */
function isFit(value: JsonValue, maxChars: number): boolean {
  if (typeof value === 'string') return value.length <= maxChars && value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every((item: JsonValue) => isFit(item, maxChars))
  // Not `Object.values`: it would make a list of every object of every attestation.
  const members = value as JsonObject
  for (const name in members) if (!isFit(members[name] ?? null, maxChars)) return false
  return true
}

function clipValue(value: JsonValue, maxChars: number): JsonValue {
  if (typeof value === 'string') return clipText(value, maxChars).toWellFormed()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: JsonValue) => clipValue(item, maxChars))
  const members = Object.entries(value as JsonObject)
  return Object.fromEntries(members.map(([name, member]) => [name, clipValue(member, maxChars)]))
}

function clipText(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text
}
