// The ledger's record of a document that is put, through whichever door: its digest (SHA-256 of RFC 8785), and the document
// itself if it is not too large. Policies, rules and reference values decide, so their text stays provable.

import { createHash } from 'node:crypto'
import { canonicalJson } from '@casemate/ledger'
import type { JsonObject } from './json.ts'

/** Larger documents are in the ledger by their digest only: an entry is 64 KiB at most. */
const MAX_RECORDED_BYTES = 32_768

export function recordOf(document: JsonObject): JsonObject {
  const canonical = canonicalJson(document)
  const sha256 = createHash('sha256').update(canonical).digest('hex')
  return Buffer.byteLength(canonical) > MAX_RECORDED_BYTES ? { sha256 } : { sha256, document }
}
