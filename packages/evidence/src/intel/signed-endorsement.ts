// Chooses the TCB info or identity that counts at `now`: of those that describe the platform, the best that is signed
// by a TCB signing certificate which the platform's own root issued (Intel SGX PCK Certificate and CRL Profile, 1.4),
// unrevoked, in its window. What anybody else has signed neither counts nor stands in the way of what does.

import type { TrustAnchor } from '../anchor.ts'
import { certificatesBelow, verifyChain, verifyRevocation } from '../chain.ts'
import type { Crl } from '../crl.ts'
import type { SignedJson } from '../documents/signed-json.ts'
import { Refusal, type RefusalCode } from '../refusal.ts'
import { isSignedBy, knownFact } from '../signature.ts'
import { describeWindow, formatTime } from '../steps.ts'
import { nearestFirst } from '../window.ts'
import { type Certificate, describeCertificate, KEY_USAGE, windowOfCertificate } from '../x509.ts'

/** Phrase that the common name must hold (QVL, X509Constants.h). */
const TCB_SIGNING_NAME = 'SGX TCB Signing'
/** The signing certificate: the root issues it itself. */
const CERTIFICATES_BELOW_ROOT = 1

/** How far a candidate came; of several refusals the one that came farthest says most. */
const STAGES: Readonly<Partial<Record<RefusalCode, number>>> = {
  'endorsement-signature-invalid': 0,
  'chain-incomplete': 1,
  'chain-untrusted': 1,
  'certificate-signature-invalid': 1,
  'endorsement-expired': 3,
  'endorsement-not-yet-valid': 3,
  'evaluation-number-too-low': 3,
}
/** All other codes: the signer is the root's, and may not sign, or not now. */
const SIGNER_STAGE = 2

interface Dated extends SignedJson {
  readonly issueDate: number
  readonly nextUpdate: number
  readonly evaluationNumber: number
}

export interface EndorsementOptions {
  readonly certificates: readonly Certificate[]
  readonly crls: readonly Crl[]
  /** Where the platform's own chain ends: another root's word on it would be a stranger's. */
  readonly anchor: TrustAnchor
  readonly now: number
  readonly minTcbEvaluationDataNumber: number | 'any'
  /** What this one verification knows of signers, their end or their flaw: one key signs all endorsements. */
  readonly signers: Map<Certificate, number | Refusal>
}

export interface VerifiedEndorsement<T> {
  readonly endorsement: T
  /** Milliseconds since 1970: the first end of its own window and its signers'. */
  readonly validUntil: number
  readonly signer: Certificate
}

/**
 * Of `candidates`, which all describe this platform, the one in its window at `now` with the highest evaluation
 * number, of those whose signature, signer's chain and revocation are right.
 * @throws {Refusal} `endorsement-missing`; where none is right, the refusal of the one that came farthest:
 * `endorsement-signature-invalid`, `chain-incomplete`, what `verifyChain` and `verifyRevocation` throw,
 * `endorsement-expired`, `endorsement-not-yet-valid`, `evaluation-number-too-low`
 */
export async function verifyEndorsement<T extends Dated>(
  what: string,
  candidates: readonly T[],
  options: EndorsementOptions,
): Promise<VerifiedEndorsement<T>> {
  if (candidates.length === 0) {
    throw new Refusal('endorsement-missing', `no ${what} was supplied for this platform`, {
      hint: 'fetch it from Intel’s Provisioning Certification Service or a PCCS; of one evaluation number there may be none, or none any more',
    })
  }
  const signers = options.certificates.filter(({ commonName }) => commonName.includes(TCB_SIGNING_NAME))
  if (signers.length === 0) {
    throw new Refusal('chain-incomplete', `no TCB signing certificate was supplied for the ${what}`, {
      hint: 'supply the issuer chain that the service sends in a header beside the answer',
    })
  }
  return firstRight(bestFirst(candidates, options.now), async endorsement => {
    const { signer, until } = await findSigner(what, endorsement, signers, options)
    verifyWindow(what, endorsement, options.now)
    verifyNumber(what, endorsement, options.minTcbEvaluationDataNumber)
    return { endorsement, validUntil: Math.min(endorsement.nextUpdate, until), signer }
  })
}

/** What `verifyOne` makes of the first item that it does not refuse; else the refusal that came farthest. */
async function firstRight<T, R>(items: readonly T[], verifyOne: (item: T) => Promise<R>): Promise<R> {
  let farthest: Refusal | null = null
  for (const item of items) {
    try {
      return await verifyOne(item)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (!farthest || stageOf(error) > stageOf(farthest)) farthest = error
    }
  }
  throw farthest ?? new TypeError('nothing to choose from')
}

function stageOf({ code }: Refusal): number {
  return STAGES[code] ?? SIGNER_STAGE
}

/** Those in their window first, by evaluation number and then by date; then the others, the nearest in time first. */
function bestFirst<T extends Dated>(candidates: readonly T[], now: number): readonly T[] {
  if (candidates.length === 1) return candidates
  const best = candidates.toSorted(
    (a, b) => b.evaluationNumber - a.evaluationNumber || b.issueDate - a.issueDate,
  )
  return nearestFirst(best, ({ issueDate, nextUpdate }) => ({ begin: issueDate, end: nextUpdate }), now)
}

/** Of the certificates whose key signed it, editions of one signer, the first that may. */
async function findSigner(
  what: string,
  signed: Dated,
  signers: readonly Certificate[],
  options: EndorsementOptions,
): Promise<{ readonly signer: Certificate; readonly until: number }> {
  const found: Certificate[] = []
  for (const signer of signers) {
    if (knownFact(signed, signer.spki) ?? (await isSignedBy(signed, signer.spki))) found.push(signer)
  }
  if (found.length === 0) {
    throw new Refusal(
      'endorsement-signature-invalid',
      `the ${what} is not signed by Intel’s TCB signing key`,
      {
        expected: `a signature by ${signers.map(describeCertificate).join(' or ')}`,
      },
    )
  }
  return firstRight(nearestFirst(found, windowOfCertificate, options.now), async signer => ({
    signer,
    until: await signerUntil(signer, options),
  }))
}

async function signerUntil(signer: Certificate, options: EndorsementOptions): Promise<number> {
  const known = options.signers.get(signer)
  if (known instanceof Refusal) throw known
  if (known !== undefined) return known
  try {
    const until = await verifySigner(signer, options)
    options.signers.set(signer, until)
    return until
  } catch (error) {
    if (error instanceof Refusal) options.signers.set(signer, error)
    throw error
  }
}

/** Until when the certificate may sign endorsements, in milliseconds since 1970. */
async function verifySigner(signer: Certificate, options: EndorsementOptions): Promise<number> {
  const { certificates, crls, anchor, now } = options
  const chain = await verifyChain(signer, { pool: certificates, anchors: [anchor], now })
  const { keyUsage, basicConstraints } = signer
  const maySign = keyUsage === null || (keyUsage & KEY_USAGE.digitalSignature) !== 0
  if (!maySign || basicConstraints?.ca || certificatesBelow(chain) !== CERTIFICATES_BELOW_ROOT) {
    const message = `${describeCertificate(signer)} may not sign endorsements`
    throw new Refusal('certificate-usage-invalid', message, {
      expected: 'a certificate for digital signatures that the root issued itself',
    })
  }
  const revocation = await verifyRevocation(chain, {
    pool: certificates,
    crls,
    now,
    required: 'every-issuer',
  })
  return Math.min(chain.validUntil, revocation.validUntil)
}

function verifyWindow(what: string, { issueDate, nextUpdate }: Dated, now: number): void {
  if (issueDate <= now && now <= nextUpdate) return
  const window = {
    ...describeWindow(issueDate, nextUpdate, now),
    hint: 'fetch the endorsements of this time',
  }
  if (now > nextUpdate) {
    throw new Refusal('endorsement-expired', `the ${what} expired at ${formatTime(nextUpdate)}`, window)
  }
  const message = `the ${what} was issued at ${formatTime(issueDate)} only`
  throw new Refusal('endorsement-not-yet-valid', message, window)
}

function verifyNumber(what: string, { evaluationNumber }: Dated, minimum: number | 'any'): void {
  if (minimum === 'any' || evaluationNumber >= minimum) return
  throw new Refusal(
    'evaluation-number-too-low',
    `the ${what} has tcbEvaluationDataNumber ${evaluationNumber}, want at least ${minimum}`,
    { expected: `at least ${minimum}`, got: `${evaluationNumber}` },
  )
}
