// Which addresses hold the endorsements of a SEV-SNP report: AMD’s Key Distribution Service (57230, chapter 4).

import { isZero, toHex } from '../bytes.ts'
import { address, type FetchItem, item, type Services } from '../fetch-item.ts'
import { certificatePool, leafCertificates } from './certificates.ts'
import type { SnpEvidence } from './evidence.ts'
import type { SnpKeyKind } from './leaf.ts'
import { decodeTcb, productOfCpuid, SNP_PRODUCTS, type SnpProduct } from './product.ts'
import { isIssuedFor, isLeafPublished, signingKey } from './verify.ts'

export const AMD_KDS_URL = 'https://kdsintf.amd.com'

/**
 * The VCEK where the evidence brings none and names its chip, and the product’s authorities and revocation list.
 * A VLEK is given out to cloud providers only, and must come with the evidence or from a file.
 */
export function snpItems(evidence: SnpEvidence, { kdsUrl }: Pick<Services, 'kdsUrl'>): readonly FetchItem[] {
  const { report } = evidence
  const kind = signingKey(report)
  const sent = leafCertificates(certificatePool(evidence, [])).find(it => isIssuedFor(report, it))
  const products = sent === undefined ? possibleProducts(evidence) : [sent.leaf.product]
  if (sent !== undefined || !isLeafPublished(report)) {
    const [product, another] = products
    return product === undefined || another !== undefined ? [] : authorities(kdsUrl, kind, product)
  }
  const places = products.map(product => ({
    url: vcekUrl(evidence, kdsUrl, product),
    more: async () => authorities(kdsUrl, kind, product),
  }))
  return [{ namedBy: 'evidence', collateral: null, places }]
}

function vcekUrl({ report }: SnpEvidence, kdsUrl: URL, product: SnpProduct): URL {
  const tcb = decodeTcb(report.reportedTcb, product)
  const hwId = toHex(product === 'Turin' ? report.chipId.subarray(0, 8) : report.chipId)
  return address(kdsUrl, `/vcek/v1/${product}/${hwId}`, {
    blSPL: `${tcb.bootloader}`,
    teeSPL: `${tcb.tee}`,
    snpSPL: `${tcb.snp}`,
    ucodeSPL: `${tcb.microcode}`,
    ...(tcb.fmc === null ? {} : { fmcSPL: `${tcb.fmc}` }),
  })
}

function authorities(kdsUrl: URL, kind: SnpKeyKind, product: SnpProduct): readonly FetchItem[] {
  const path = `/${kind.toLowerCase()}/v1/${product}`
  return [
    item(null, address(kdsUrl, `${path}/cert_chain`, {})),
    item('arkCrl', address(kdsUrl, `${path}/crl`, {})),
  ]
}

// CPUID stands in the report from version 3 on. Before, a chip id of 8 bytes is Turin’s, and Milan and Genoa cannot
// be told apart.
function possibleProducts({ report }: SnpEvidence): readonly SnpProduct[] {
  if (report.cpuid !== null) {
    const product = productOfCpuid(report.cpuid)
    return product === null ? [] : [product]
  }
  if (isZero(report.chipId)) return SNP_PRODUCTS
  return isZero(report.chipId.subarray(8)) ? ['Turin'] : ['Milan', 'Genoa']
}
