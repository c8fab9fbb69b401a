// The work that `casemate bench layers` measures: the SHA-256 of a record, plain or sealed. It reads every byte and computes
// on it, and its answer is small: what most services do with what they are sent.
import { fail, sha256, unseal } from 'casemate'

export function digest(record: Uint8Array): Uint8Array {
  return sha256(record)
}

export function digestSealed(blob: Uint8Array): Uint8Array {
  const opened = unseal(blob)
  return opened.status == 0 ? sha256(opened.plaintext) : fail(opened.status)
}
