// The certificates that come with a quote. A machine sends the same few KiB with every quote, so the parsed chain is
// kept by its bytes: the certificates are then the same objects, and what is known of their signatures is not lost.

import type { TrustAnchor } from '../anchor.ts'
import { BoundedMap } from '../bounded-map.ts'
import { decodeUtf8, latin1 } from '../bytes.ts'
import { certificatesBelow, type VerifiedChain, verifyChain } from '../chain.ts'
import { Refusal } from '../refusal.ts'
import { checkRecurringSignature, isSignedBy } from '../signature.ts'
import { type Certificate, describeCertificate, parseCertificate, readPem } from '../x509.ts'
import { isPckCertificate } from './pck.ts'
import { CERTIFICATION, type QuoteSignatureData } from './quote.ts'

/** Chains kept; one is about 8 KiB. */
const MAX_CHAINS = 512
/** A chain has three certificates; more than a few are an attempt to keep us busy. */
const MAX_CHAIN_CERTIFICATES = 8
/** Phrases that common names must hold (QVL, X509Constants.h). */
const PCK_NAME = 'SGX PCK Certificate'
/** PCK CA and PCK: the root certifies no PCK itself. */
const CERTIFICATES_BELOW_ROOT = 2

const chains = new BoundedMap<string, readonly Certificate[]>(MAX_CHAINS)

export interface PckChainOptions {
  /** From the endorsements. */
  readonly pool: readonly Certificate[]
  /** Intel's. */
  readonly anchors: readonly TrustAnchor[]
  readonly now: number
}

/**
 * The PCK's chain from the quote's certificates in any order; from the endorsements where the quote lacks them.
 * @throws {Refusal} `evidence-malformed`, `chain-incomplete`, `certificate-usage-invalid` and what `verifyChain` throws
 */
export async function verifyPckChain(
  quote: QuoteSignatureData,
  options: PckChainOptions,
): Promise<VerifiedChain> {
  const own = quoteCertificates(quote)
  const pck = own.length > 0 ? onlyPck(own) : await findSuppliedPck(quote, options.pool)
  const chain = await verifyChain(pck, { ...options, pool: [...own, ...options.pool] })
  verifyRoles(chain)
  await verifyStrays(own, chain)
  return chain
}

/** Those that the quote itself carries; none for certification types 1 to 3. */
export function quoteCertificates(quote: QuoteSignatureData): readonly Certificate[] {
  if (quote.certificationType < CERTIFICATION.pckLeaf) return []
  const key = latin1(quote.certificationData)
  const known = chains.get(key)
  if (known) return known
  const text = decodeUtf8(quote.certificationData) ?? ''
  const blocks = readPem(text, 'evidence-malformed').filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length === 0 || blocks.length > MAX_CHAIN_CERTIFICATES) {
    throw new Refusal('evidence-malformed', `the quote holds ${blocks.length} certificates in PEM`, {
      expected: `1 to ${MAX_CHAIN_CERTIFICATES}`,
      got: `${blocks.length}`,
    })
  }
  const certificates = blocks.map(({ der }) => parseCertificate(der))
  chains.set(key, certificates)
  return certificates
}

function onlyPck(certificates: readonly Certificate[]): Certificate {
  const [pck, second] = certificates.filter(isPckCertificate)
  if (pck && !second) return pck
  throw new Refusal(
    'evidence-malformed',
    `the quote holds ${pck ? 'more than one PCK certificate' : 'no PCK certificate'}`,
  )
}

/** Types 1 to 3 name the PCK by an encrypted PPID; whose key signed the QE report says the same. */
async function findSuppliedPck(
  quote: QuoteSignatureData,
  pool: readonly Certificate[],
): Promise<Certificate> {
  const message = quote.qeReport.bytes
  const signature = quote.qeReportSignature
  for (const certificate of pool.filter(isPckCertificate)) {
    const check = { scheme: 'ecdsa-sha256', encoding: 'p1363', signature, message } as const
    if (await checkRecurringSignature(certificate.spki, check)) return certificate
  }
  throw new Refusal(
    'chain-incomplete',
    `the quote has certification data of type ${quote.certificationType}, which holds no PCK certificate`,
    { hint: 'supply this machine’s PCK certificate and its chain with the endorsements' },
  )
}

/** Only the root's authorities certify PCKs, and only PCK certificates sign QE reports. */
function verifyRoles(chain: VerifiedChain): void {
  const [pck] = chain.certificates
  if (!pck) return
  if (!pck.commonName.includes(PCK_NAME)) {
    throw new Refusal('certificate-usage-invalid', `${describeCertificate(pck)} is not a PCK certificate`, {
      expected: `a common name with “${PCK_NAME}”`,
      got: pck.commonName,
    })
  }
  if (pck.basicConstraints?.ca) {
    throw new Refusal('certificate-usage-invalid', `${describeCertificate(pck)} is an authority`)
  }
  const below = certificatesBelow(chain)
  if (below !== CERTIFICATES_BELOW_ROOT) {
    const message = `the PCK chain has ${below} certificates below ${chain.anchor.name}`
    throw new Refusal('certificate-usage-invalid', message, {
      expected: `${CERTIFICATES_BELOW_ROOT}: PCK CA, PCK`,
      got: `${below}`,
    })
  }
}

/** A certificate that the quote brings and the chain does not need must still come from one of its authorities. */
async function verifyStrays(own: readonly Certificate[], chain: VerifiedChain): Promise<void> {
  const keys = [chain.anchor.spki, ...chain.certificates.slice(1).map(({ spki }) => spki)]
  for (const stray of own) {
    if (chain.certificates.includes(stray)) continue
    let isSigned = false
    for (const key of keys) isSigned ||= await isSignedBy(stray, key)
    if (!isSigned) {
      const message = `${describeCertificate(stray)} in the quote is signed by no authority of its chain`
      throw new Refusal('certificate-signature-invalid', message)
    }
  }
}
