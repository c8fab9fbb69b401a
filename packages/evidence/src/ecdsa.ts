// The two ways to write an ECDSA signature: r and s of fixed size (IEEE P1363, as quotes and PCS do), and a DER
// SEQUENCE of two INTEGERs (as certificates do). Node verifies the second, WebCrypto the first.

import { DerReader, TAG } from './der.ts'
import { Refusal } from './refusal.ts'

/** Bytes of one integer of the largest curve here, P-384. */
const MAX_INTEGER_BYTES = 48
/** Room for the DER of any signature here. */
export const MAX_DER_BYTES = 6 + 2 * (MAX_INTEGER_BYTES + 1)

/** SubjectPublicKeyInfo of a P-256 key up to x and y. */
export const P256_SPKI_PREFIX = new Uint8Array([
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
  0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
])
/** x and y. */
export const P256_POINT_BYTES = 64

/**
 * DER of `r || s`; null where the length is odd or too large for any curve here.
 * @param der where it is written, at least `MAX_DER_BYTES`; what comes back is the part of it that was needed
 */
export function derFromP1363(signature: Uint8Array, der = new Uint8Array(MAX_DER_BYTES)): Uint8Array | null {
  const size = signature.length / 2
  if (!Number.isInteger(size) || size === 0 || size > MAX_INTEGER_BYTES) return null
  der[0] = TAG.sequence
  let offset = writeInteger(der, 2, signature.subarray(0, size))
  offset = writeInteger(der, offset, signature.subarray(size))
  der[1] = offset - 2
  return der.subarray(0, offset)
}

/** `r || s` of strict DER; null for anything else. */
export function p1363FromDer(der: Uint8Array, integerBytes: number): Uint8Array | null {
  try {
    const outer = new DerReader(der, 'evidence-malformed', 'ECDSA signature')
    const sequence = outer.enter(TAG.sequence)
    outer.finish()
    const integers = [sequence.unsigned(), sequence.unsigned()]
    sequence.finish()
    const signature = new Uint8Array(2 * integerBytes)
    for (const [index, integer] of integers.entries()) {
      if (integer.length > integerBytes) return null
      signature.set(integer, (index + 1) * integerBytes - integer.length)
    }
    return signature
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

function writeInteger(der: Uint8Array, start: number, integer: Uint8Array): number {
  let first = 0
  while (first < integer.length - 1 && integer[first] === 0) first++
  const sign = (integer[first] ?? 0) & 0x80 ? 1 : 0
  der[start] = TAG.integer
  der[start + 1] = integer.length - first + sign
  if (sign === 1) der[start + 2] = 0
  der.set(integer.subarray(first), start + 2 + sign)
  return start + 2 + sign + integer.length - first
}
