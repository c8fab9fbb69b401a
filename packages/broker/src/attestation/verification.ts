// Evidence against endorsements: those given at start first, and where they do not suffice, what the vendor
// publishes for this very platform. Fetching changes only what there is to verify with, never what is accepted.

import {
  type Endorsements,
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

/** Refusals that endorsements which are not at hand could cure. */
const CURABLE: readonly RefusalCode[] = [
  'endorsement-missing',
  'endorsement-expired',
  'crl-missing',
  'crl-expired',
  'chain-incomplete',
]

/**
 * @throws {Refusal} where the evidence is not acceptable
 * @throws {BrokerError} `endorsements-unavailable` where the vendor's service does not answer
 */
export async function verifyEvidence(
  parts: VerificationParts,
  evidence: ParsedEvidence,
  now: Date,
): Promise<Verified> {
  // The lowest evaluation number is the policy's to demand.
  const options = { now, anchors: parts.anchors, minTcbEvaluationDataNumber: 'any' } as const
  try {
    return await verify(evidence, parts.endorsements, options)
  } catch (error) {
    if (parts.fetcher === null || !(error instanceof Refusal) || !CURABLE.includes(error.code)) throw error
  }
  const fetched = await fetchFor(parts.fetcher, evidence)
  return verify(evidence, mergeEndorsements(parts.endorsements, fetched), options)
}

async function fetchFor(fetcher: EndorsementFetcher, evidence: ParsedEvidence): Promise<Endorsements> {
  try {
    return await fetcher.fetchFor(evidence)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    throw new BrokerError('endorsements-unavailable', 'the endorsements of this platform cannot be had now', {
      hint: 'load them from files with endorsementPaths, or try again',
      cause: error,
    })
  }
}
