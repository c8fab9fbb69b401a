// The vendors' roots, pinned in the product by their public keys.

import type { TrustAnchor } from './anchor.ts'
import { EVIDENCE_KINDS } from './kinds.ts'

/** Intel SGX Root CA, ARK-Milan, ARK-Genoa and ARK-Turin. */
export const VENDOR_ANCHORS: readonly TrustAnchor[] = [
  ...new Set(Object.values(EVIDENCE_KINDS).flatMap(({ anchors }) => anchors)),
]
