// The vendors' roots, pinned in the product by their public keys.

import { AMD_ANCHORS } from './amd/anchors.ts'
import type { TrustAnchor } from './anchor.ts'
import { INTEL_ANCHORS } from './intel/anchors.ts'

/** Intel SGX Root CA, ARK-Milan, ARK-Genoa and ARK-Turin. */
export const VENDOR_ANCHORS: readonly TrustAnchor[] = [...INTEL_ANCHORS, ...AMD_ANCHORS]
