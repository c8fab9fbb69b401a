// The PCK's chain: from the certificates that a quote brings, or that are supplied, to a pinned root, with the roles
// that Intel's hierarchy gives each of them (Intel SGX PCK Certificate and CRL Profile, 1.3).

import type { TrustAnchor } from '../anchor.ts'
import { certificatesBelow, type VerifiedChain, verifyChain } from '../chain.ts'
import { Refusal } from '../refusal.ts'
import { isSignedBy } from '../signature.ts'
import { type Certificate, describeCertificate } from '../x509.ts'
import { isPckCertificate } from './pck.ts'
import type { QeCertification } from './qe-certification.ts'

/** Phrases that common names must hold (QVL, X509Constants.h). */
const PCK_NAME = 'SGX PCK Certificate'
/** PCK CA and PCK: the root certifies no PCK itself. */
const CERTIFICATES_BELOW_ROOT = 2

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
  certification: QeCertification,
  options: PckChainOptions,
): Promise<VerifiedChain> {
  const { certificates: own } = certification
  const pck = own.length > 0 ? onlyPck(own) : await findSuppliedPck(certification, options.pool)
  const chain = await verifyChain(pck, { ...options, pool: [...own, ...options.pool] })
  verifyRoles(chain)
  await verifyStrays(own, chain)
  return chain
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
  { qeReport }: QeCertification,
  pool: readonly Certificate[],
): Promise<Certificate> {
  for (const certificate of pool.filter(isPckCertificate)) {
    if (await isSignedBy(qeReport, certificate.spki)) return certificate
  }
  throw new Refusal('chain-incomplete', 'the quote’s certification data holds no PCK certificate', {
    hint: 'supply this machine’s PCK certificate and its chain with the endorsements',
  })
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
  const strays = own.filter(certificate => !chain.certificates.includes(certificate))
  if (strays.length === 0) return
  const keys = [chain.anchor.spki, ...chain.certificates.slice(1).map(({ spki }) => spki)]
  for (const stray of strays) {
    let isSigned = false
    for (const key of keys) isSigned ||= await isSignedBy(stray, key)
    if (!isSigned) {
      const message = `${describeCertificate(stray)} in the quote is signed by no authority of its chain`
      throw new Refusal('certificate-signature-invalid', message)
    }
  }
}
