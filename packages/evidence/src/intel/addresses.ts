// Which addresses hold the endorsements of a quote: Intel’s PCS API v4, also spoken by a PCCS.

import { toHex } from '../bytes.ts'
import { verifyChain } from '../chain.ts'
import type { Endorsements } from '../endorsements.ts'
import { address, type FetchItem, item, nothing, type Services } from '../fetch-item.ts'
import { Refusal } from '../refusal.ts'
import type { Certificate } from '../x509.ts'
import { isPckCertificate, readPckExtension } from './pck.ts'
import { quoteCertificates } from './qe-certification.ts'
import { CERTIFICATION, type SgxQuote, type TdxQuote } from './quote.ts'

export const INTEL_PCS_URL = 'https://api.trustedservices.intel.com'
/** Where Intel keeps the root’s revocation list; a PCCS serves it itself. */
export const INTEL_ROOT_CRL_URL = 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der'

/** By certification data type: RSA-2048 and RSA-3072. The plain PPID of type 1 is not what the service takes. */
const ENCRYPTED_PPID_BYTES: Readonly<Record<number, number>> = {
  [CERTIFICATION.ppidRsa2048]: 256,
  [CERTIFICATION.ppidRsa3072]: 384,
}
/** ‘Platform CA’, as it stands in the issuer’s name. */
const PLATFORM_CA_HEX = '506c6174666f726d204341'

/** A quote brings its PCK certificate, or what is needed to ask for it. */
export function intelItems(quote: SgxQuote | TdxQuote, services: Services): readonly FetchItem[] {
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
