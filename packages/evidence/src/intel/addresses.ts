// Which addresses hold the endorsements of one piece of evidence: Intel’s PCS API v4 (also spoken by a PCCS), and AMD’s
// Key Distribution Service (57230, chapter 4).

import { certificatePool, leafCertificates } from '../amd/certificates.ts'
import type { SnpEvidence } from '../amd/evidence.ts'
import type { SnpKeyKind } from '../amd/leaf.ts'
import { decodeTcb, productOfCpuid, SNP_PRODUCTS, type SnpProduct } from '../amd/product.ts'
import { isIssuedFor, isLeafPublished, signingKey } from '../amd/verify.ts'
import type { TrustAnchor } from '../anchor.ts'
import { isZero, toHex } from '../bytes.ts'
import { verifyChain } from '../chain.ts'
import type { CollateralClaims } from '../claims.ts'
import type { Endorsements } from '../endorsements.ts'
import { quoteCertificates } from './machine.ts'
import { isPckCertificate, readPckExtension } from './pck.ts'
import { CERTIFICATION, type SgxQuote, type TdxQuote } from './quote.ts'
import type { ParsedEvidence } from '../parse.ts'
import { Refusal } from '../refusal.ts'
import type { Certificate } from '../x509.ts'

export const INTEL_PCS_URL = 'https://api.trustedservices.intel.com'
/** Where Intel keeps the root’s revocation list; a PCCS serves it itself. */
export const INTEL_ROOT_CRL_URL = 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der'
export const AMD_KDS_URL = 'https://kdsintf.amd.com'

export type TcbUpdate = 'standard' | 'early' | number

/** By certification data type: RSA-2048 and RSA-3072. The plain PPID of type 1 is not what the service takes. */
const ENCRYPTED_PPID_BYTES: Readonly<Record<number, number>> = {
  [CERTIFICATION.ppidRsa2048]: 256,
  [CERTIFICATION.ppidRsa3072]: 384,
}
/** ‘Platform CA’, as it stands in the issuer’s name. */
const PLATFORM_CA_HEX = '506c6174666f726d204341'

/** One endorsement, at the first of its addresses that has it. */
export interface FetchItem {
  /**
   * `evidence`: the address is made of what unverified evidence says, so whoever sends it chooses it, and a vendor that
   * will not answer such a request must not keep others from the rest. `vendor`: one of a few addresses.
   */
  readonly namedBy: NamedBy
  /** What stands there, where the vendor issues it again and again: a policy may bound its age. */
  readonly collateral: keyof CollateralClaims | null
  readonly places: readonly FetchPlace[]
}

export type NamedBy = 'evidence' | 'vendor'

export interface FetchPlace {
  readonly url: URL
  /** What else is wanted, once what stands here is known. */
  readonly more: (found: Endorsements) => Promise<readonly FetchItem[]>
}

export interface Services {
  readonly pcsUrl: URL
  readonly kdsUrl: URL
  readonly update: TcbUpdate
  /** Intel’s and AMD’s: a PCK certificate that leads to none of them names nothing that is worth a request. */
  readonly anchors: readonly TrustAnchor[]
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * Everything that one piece of evidence needs and does not bring.
 * @throws {Refusal} where the evidence is too malformed to tell
 */
export function itemsFor(evidence: ParsedEvidence, services: Services): readonly FetchItem[] {
  switch (evidence.kind) {
    case 'sgx':
    case 'tdx':
      return intelItems(evidence, services)
    case 'snp':
      return snpItems(evidence, services)
    case 'sample':
      return []
    default:
      return evidence satisfies never
  }
}

// A quote brings its PCK certificate, or what is needed to ask for it.
function intelItems(quote: SgxQuote | TdxQuote, services: Services): readonly FetchItem[] {
  const { kind, certificationType, certificationData } = quote
  const sent = quoteCertificates(quote)
  if (sent.length > 0) return platformItems(kind, sent, services)
  const ppidSize = ENCRYPTED_PPID_BYTES[certificationType]
  if (ppidSize === undefined || certificationData.length !== ppidSize + 20) return []
  const hex = (from: number, size: number): string => toHex(certificationData.subarray(from, from + size))
  const url = address(services.pcsUrl, '/sgx/certification/v4/pckcert', {
    // The first 16 bytes of the header’s user data name the quoting enclave; a PCCS finds its PCK by that.
    qeid: toHex(quote.signed.subarray(28, 44)),
    encrypted_ppid: hex(0, ppidSize),
    cpusvn: hex(ppidSize, 16),
    pcesvn: hex(ppidSize + 16, 2),
    pceid: hex(ppidSize + 18, 2),
  })
  const more = async (found: Endorsements) => platformItems(kind, found.certificates, services)
  return [{ namedBy: 'evidence', collateral: null, places: [{ url, more }] }]
}

/**
 * Quoting enclave identity and the revocation lists of the PCK’s authority and of the root. The first of those lists
 * comes with the authority’s certificate; only once the PCK’s chain is known to be Intel’s, the TCB info of its FMSPC.
 */
function platformItems(
  tee: 'sgx' | 'tdx',
  certificates: readonly Certificate[],
  services: Services,
): readonly FetchItem[] {
  const { pcsUrl, update } = services
  const pck = certificates.find(isPckCertificate)
  if (pck === undefined) return []
  const edition: Readonly<Record<string, string>> =
    typeof update === 'number' ? { tcbEvaluationDataNumber: `${update}` } : { update }
  const ca = pck.issuer.includes(PLATFORM_CA_HEX) ? 'platform' : 'processor'
  const isIntel = pcsUrl.origin === new URL(INTEL_PCS_URL).origin
  const tcbInfo = async (found: Endorsements): Promise<readonly FetchItem[]> => {
    if (!(await isIntels(pck, [...certificates, ...found.certificates], services))) return []
    const url = address(pcsUrl, `/${tee}/certification/v4/tcb`, {
      fmspc: readPckExtension(pck).fmspc,
      ...edition,
    })
    return [{ namedBy: 'evidence', collateral: 'tcbInfo', places: [{ url, more: nothing }] }]
  }
  const pckCrl = address(pcsUrl, '/sgx/certification/v4/pckcrl', { ca, encoding: 'der' })
  const rootCrl = isIntel
    ? new URL(INTEL_ROOT_CRL_URL)
    : address(pcsUrl, '/sgx/certification/v4/rootcacrl', {})
  return [
    { namedBy: 'vendor', collateral: 'pckCrl', places: [{ url: pckCrl, more: tcbInfo }] },
    item('qeIdentity', address(pcsUrl, `/${tee}/certification/v4/qe/identity`, edition)),
    item('rootCrl', rootCrl),
  ]
}

async function isIntels(
  pck: Certificate,
  pool: readonly Certificate[],
  { anchors, now }: Services,
): Promise<boolean> {
  try {
    await verifyChain(pck, { pool, anchors: anchors.filter(({ vendor }) => vendor === 'intel'), now })
    return true
  } catch (error) {
    // `verify` will say why.
    if (error instanceof Refusal) return false
    throw error
  }
}

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

function item(collateral: FetchItem['collateral'], url: URL): FetchItem {
  return { namedBy: 'vendor', collateral, places: [{ url, more: nothing }] }
}

async function nothing(): Promise<readonly FetchItem[]> {
  return []
}

// A base may have a path of its own, as behind a reverse proxy.
function address(base: URL, path: string, query: Readonly<Record<string, string>>): URL {
  const url = new URL(base)
  url.pathname = url.pathname.replace(/\/$/, '') + path
  url.search = new URLSearchParams(query).toString()
  return url
}
