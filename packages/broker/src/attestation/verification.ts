// Evidence against endorsements: those that were given first, and where they do not suffice, what the vendor
// publishes for this very platform. Fetching changes only what there is to verify with, never what is accepted.

import { type AppraisalPolicy, collateralMaxAges, isCollateralTooOld } from '@casemate/appraisal'
import {
  type Endorsements,
  kindOf,
  mergeEndorsements,
  type ParsedEvidence,
  Refusal,
  type RefusalCode,
  type TrustAnchor,
  type Verified,
  verify,
} from '@casemate/evidence'
import { type EndorsementFetcher, Unavailable } from '@casemate/evidence/node'
import { BrokerError } from '../errors.ts'

/** What evidence is verified with. */
export interface VerificationParts {
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: Endorsements
  /** Null: offline. */
  readonly fetcher: EndorsementFetcher | null
}

/** Evidence, the time to verify it at, who sent it, and what it will be appraised by. */
export interface EvidenceToVerify {
  readonly evidence: ParsedEvidence
  readonly at: Date
  /** What the evidence names is fetched within a budget of this client; null: an administrator's, without one. */
  readonly client: string | null
  /** Bounds the age of endorsements: older ones are fetched anew. */
  readonly policy: AppraisalPolicy
}

/** Refusals that endorsements which are not at hand could cure. */
const CURABLE: readonly RefusalCode[] = [
  'endorsement-missing',
  'endorsement-expired',
  'crl-missing',
  'crl-expired',
  'chain-incomplete',
]

/**
 * A guest that brings all its certificates must not pass by the list that would revoke them, so that is fetched too, as
 * is what is older than the policy allows. Where it cannot be had now, the claims say so, and the policy decides.
 * @throws {Refusal} where the evidence is not acceptable
 * @throws {BrokerError} `endorsements-unavailable` where the vendor's service does not answer
 */
export async function verifyEvidence(parts: VerificationParts, request: EvidenceToVerify): Promise<Verified> {
  const { fetcher, endorsements } = parts
  if (fetcher === null) return verifyWith(parts, request, endorsements)
  let withGiven: Verified | null = null
  try {
    withGiven = await verifyWith(parts, request, endorsements)
    const { claims } = withGiven
    if (!kindOf(claims).lacksRevocation(claims) && !isCollateralTooOld(request.policy, claims, request.at))
      return withGiven
  } catch (error) {
    if (!(error instanceof Refusal) || !CURABLE.includes(error.code)) throw error
  }
  const fetched = await fetchFor(fetcher, request)
  try {
    if (fetched instanceof Unavailable) throw unavailable(fetched, parts, request)
    return await verifyWith(parts, request, mergeEndorsements(endorsements, fetched))
  } catch (error) {
    if (withGiven !== null && isWithoutList(error)) return withGiven
    throw error
  }
}

function verifyWith(
  { anchors }: VerificationParts,
  { evidence, at }: EvidenceToVerify,
  endorsements: Endorsements,
): Promise<Verified> {
  // The lowest evaluation number is the policy's to demand.
  return verify(evidence, endorsements, { now: at, anchors, minTcbEvaluationDataNumber: 'any' })
}

/** No list that says anything of this time; as when evidence is verified at a past one. */
function isWithoutList(error: unknown): boolean {
  if (error instanceof Refusal) return error.code === 'crl-expired' || error.code === 'crl-not-yet-valid'
  return error instanceof BrokerError && error.code === 'endorsements-unavailable'
}

async function fetchFor(
  fetcher: EndorsementFetcher,
  { evidence, client, policy }: EvidenceToVerify,
): Promise<Endorsements | Unavailable> {
  try {
    return await fetcher.fetchFor(evidence, client, collateralMaxAges(policy))
  } catch (error) {
    if (error instanceof Unavailable) return error
    throw error
  }
}

/** An administrator can send with a question what is missing; a guest is told nothing of it. */
function unavailable(
  cause: Unavailable,
  { anchors }: VerificationParts,
  { client }: EvidenceToVerify,
): BrokerError {
  const { retryAfterMs } = cause
  const sent = client === null ? 'send them with the question (--endorsements), ' : ''
  // No service has those of a simulator, whose next start of the broker signs them anew.
  const simulated = anchors.some(anchor => anchor.simulated)
    ? '; those of a simulated machine last 30 days, and are made anew as the broker starts'
    : ''
  return new BrokerError('endorsements-unavailable', 'the endorsements of this platform cannot be had now', {
    hint: `the broker’s log says which service does not answer; ${sent}load them from files with endorsementPaths, or try again${simulated}`,
    retryAfterMs: retryAfterMs ?? undefined,
    cause,
  })
}
