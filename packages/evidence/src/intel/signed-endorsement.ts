// Chooses the TCB info or identity that counts at `now`, and verifies who signed it: a TCB signing certificate that
// the root itself issued (Intel SGX PCK Certificate and CRL Profile, 1.4), unrevoked, in its window.

import type { TrustAnchor } from '../anchor.ts'
import { verifyChain, verifyRevocation } from '../chain.ts'
import type { Crl } from '../crl.ts'
import { Refusal } from '../refusal.ts'
import { isSignedBy } from '../signature.ts'
import { describeWindow, formatTime } from '../steps.ts'
import { type Certificate, describeCertificate, KEY_USAGE } from '../x509.ts'
import type { SignedJson } from './signed-json.ts'

/** Phrase that the common name must hold (QVL, X509Constants.h). */
const TCB_SIGNING_NAME = 'SGX TCB Signing'
/** The signing certificate and the root. */
const SIGNING_CHAIN_LENGTH = 2

interface Dated extends SignedJson {
  readonly issueDate: number
  readonly nextUpdate: number
  readonly evaluationNumber: number
}

export interface EndorsementOptions {
  readonly certificates: readonly Certificate[]
  readonly crls: readonly Crl[]
  /** Intel's. */
  readonly anchors: readonly TrustAnchor[]
  readonly now: number
  readonly minTcbEvaluationDataNumber: number | 'any'
  /** Those that this one verification has verified, with their ends: one key signs all endorsements. */
  readonly signers: Map<Certificate, number>
}

export interface VerifiedEndorsement<T> {
  readonly endorsement: T
  /** Milliseconds since 1970: the first end of its own window and its signers'. */
  readonly validUntil: number
  readonly signer: string
}

/**
 * Of `candidates`, which all describe this platform, the one in its window at `now` with the highest evaluation
 * number; its signature, its signer's chain and revocation.
 * @throws {Refusal} `endorsement-expired`, `endorsement-not-yet-valid`, `endorsement-signature-invalid`,
 * `evaluation-number-too-low`, `chain-incomplete`, and what `verifyChain` and `verifyRevocation` throw
 */
export async function verifyEndorsement<T extends Dated>(
  what: string,
  candidates: readonly T[],
  options: EndorsementOptions,
): Promise<VerifiedEndorsement<T>> {
  const endorsement = chooseCurrent(what, candidates, options.now)
  const signer = await findSigner(what, endorsement, options)
  let signerUntil = options.signers.get(signer)
  if (signerUntil === undefined) {
    signerUntil = await verifySigner(signer, options)
    options.signers.set(signer, signerUntil)
  }
  verifyNumber(what, endorsement, options.minTcbEvaluationDataNumber)
  return {
    endorsement,
    validUntil: Math.min(endorsement.nextUpdate, signerUntil),
    signer: describeCertificate(signer),
  }
}

/** Until when the certificate may sign endorsements, in milliseconds since 1970. */
async function verifySigner(signer: Certificate, options: EndorsementOptions): Promise<number> {
  const chain = await verifyChain(signer, {
    pool: options.certificates,
    anchors: options.anchors,
    now: options.now,
  })
  const { keyUsage, basicConstraints } = signer
  const maySign = keyUsage === null || (keyUsage & KEY_USAGE.digitalSignature) !== 0
  if (!maySign || basicConstraints?.ca || chain.certificates.length > SIGNING_CHAIN_LENGTH) {
    const message = `${describeCertificate(signer)} may not sign endorsements`
    throw new Refusal('certificate-usage-invalid', message, {
      expected: 'a certificate for digital signatures that the root issued itself',
    })
  }
  const revokedUntil = await verifyRevocation(chain, {
    crls: options.crls,
    now: options.now,
    required: 'every-issuer',
  })
  return Math.min(chain.validUntil, revokedUntil)
}

function chooseCurrent<T extends Dated>(what: string, candidates: readonly T[], now: number): T {
  const current = candidates.filter(it => it.issueDate <= now && now <= it.nextUpdate)
  const best = newest(current) ?? newest(candidates)
  if (!best) {
    throw new Refusal('endorsement-missing', `no ${what} was supplied for this platform`, {
      hint: 'fetch it from Intel’s Provisioning Certification Service or a PCCS',
    })
  }
  if (best.issueDate <= now && now <= best.nextUpdate) return best
  const window = {
    ...describeWindow(best.issueDate, best.nextUpdate, now),
    hint: 'fetch the endorsements of this time',
  }
  if (now > best.nextUpdate) {
    const message = `the ${what} expired at ${formatTime(best.nextUpdate)}`
    throw new Refusal('endorsement-expired', message, window)
  }
  const message = `the ${what} was issued at ${formatTime(best.issueDate)} only`
  throw new Refusal('endorsement-not-yet-valid', message, window)
}

/** By evaluation number, then by date. */
function newest<T extends Dated>(candidates: readonly T[]): T | undefined {
  return candidates.toSorted(
    (a, b) => b.evaluationNumber - a.evaluationNumber || b.issueDate - a.issueDate,
  )[0]
}

async function findSigner(what: string, signed: Dated, options: EndorsementOptions): Promise<Certificate> {
  const signers = options.certificates.filter(({ commonName }) => commonName.includes(TCB_SIGNING_NAME))
  if (signers.length === 0) {
    throw new Refusal('chain-incomplete', `no TCB signing certificate was supplied for the ${what}`, {
      hint: 'supply the issuer chain that the service sends in a header beside the answer',
    })
  }
  const found: Certificate[] = []
  for (const signer of signers) if (await isSignedBy(signed, signer.spki)) found.push(signer)
  const current = found.find(it => it.notBefore <= options.now && options.now <= it.notAfter)
  const signer = current ?? found[0]
  if (signer) return signer
  throw new Refusal('endorsement-signature-invalid', `the ${what} is not signed by Intel’s TCB signing key`, {
    expected: `a signature by ${signers.map(describeCertificate).join(' or ')}`,
  })
}

function verifyNumber(what: string, { evaluationNumber }: Dated, minimum: number | 'any'): void {
  if (minimum === 'any' || evaluationNumber >= minimum) return
  throw new Refusal(
    'evaluation-number-too-low',
    `the ${what} has tcbEvaluationDataNumber ${evaluationNumber}, want at least ${minimum}`,
    { expected: `at least ${minimum}`, got: `${evaluationNumber}` },
  )
}
