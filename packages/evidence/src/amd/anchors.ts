// AMD’s roots, pinned by their public keys: one ARK for each product, above its VCEKs and its VLEKs alike.

import type { TrustAnchor } from '../anchor.ts'
import { parseCertificate } from '../x509.ts'
import { SNP_PRODUCTS } from './product.ts'
import { PUBLISHED_CHAINS } from './published-chains.ts'

export const AMD_ANCHORS: readonly TrustAnchor[] = SNP_PRODUCTS.map(product => ({
  vendor: 'amd',
  name: `ARK-${product}`,
  spki: parseCertificate(PUBLISHED_CHAINS[product].ark).spki,
  simulated: false,
}))
