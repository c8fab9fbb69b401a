// Intel's root, pinned by its public key: its certificates of 2033 and of 2049 carry the same one.

import type { TrustAnchor } from '../anchor.ts'
import { fromBase64 } from '../bytes.ts'

const SGX_ROOT_CA_SPKI =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi71OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlA=='

export const INTEL_ANCHORS: readonly TrustAnchor[] = [
  {
    vendor: 'intel',
    name: 'Intel SGX Root CA',
    spki: fromBase64(SGX_ROOT_CA_SPKI) ?? new Uint8Array(),
    simulated: false,
  },
]
