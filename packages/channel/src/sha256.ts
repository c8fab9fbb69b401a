// SHA-256 of bytes that stand one after the other, at once: `@casemate/evidence` hashes portably, and so asynchronously.
import { createHash } from 'node:crypto'

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}
