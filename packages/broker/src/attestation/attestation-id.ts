// Ids of attestations: UUIDs of version 7 (RFC 9562, 5.7), which begin with the time. Each is inserted into its index
// beside the one before; random ones would each write a page of the index to the log at a place of its own.

import { randomBytes } from 'node:crypto'

const TIME_BYTES = 6
const UUID_BYTES = 16
/** Of its hexadecimal digits. */
const PARTS = [
  [0, 8],
  [8, 12],
  [12, 16],
  [16, 20],
  [20, 32],
] as const

/** Unique by 74 random bits for each millisecond; names an attestation and is no secret. */
export function attestationId(at: Date): string {
  const bytes = randomBytes(UUID_BYTES)
  bytes.writeUIntBE(Math.max(0, at.getTime()), 0, TIME_BYTES)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const hex = bytes.toString('hex')
  // Joined, as a text in one piece: see `inOnePiece` of explanation.ts.
  return PARTS.map(([from, to]) => hex.slice(from, to)).join('-')
}
