// Bytes as JSON has them where nobody chose a form: an array of numbers, Node's `{ "type": "Buffer", "data": […] }`, or a
// Uint8Array that was turned into an object: `{ "0": 4, "1": 0, … }`.

import { membersOf } from './members.ts'

/** Null for anything else, and for an empty array. */
export function bytesOfJson(value: unknown): Uint8Array | null {
  if (Array.isArray(value)) return octets(value)
  const members = membersOf(value)
  if (members === null) return null
  if (members['type'] === 'Buffer' && Array.isArray(members['data'])) return octets(members['data'])
  // Names that are integers come first, and in their order.
  return '0' in members && Object.keys(members).every((name, index) => name === `${index}`)
    ? octets(Object.values(members))
    : null
}

function octets(values: readonly unknown[]): Uint8Array | null {
  if (values.length === 0 || !values.every(isOctet)) return null
  return Uint8Array.from(values)
}

function isOctet(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255
}
