// Demands of one side on the other, and its knowledge of a peer that meets them.
import type { AppraisalPolicy, AppraisalResult, ReferenceValues } from '@casemate/appraisal'
import type { Claims, Endorsements, ParsedEvidence, Step, TrustAnchor } from '@casemate/evidence'

/**
 * `cached`: evidence once for each certificate, and a signature for each session. `session`: evidence made for this
 * session alone as well, which no stolen key can give, and which a platform may take a second for.
 */
export type Freshness = 'cached' | 'session'

/** Everything that an appraisal of the other side depends on. Keep the object: verdicts are remembered with it. */
export interface PeerDemands {
  readonly policy: AppraisalPolicy
  readonly references: ReferenceValues
  /** A bag, or whatever finds one for this evidence; it is asked again before a verdict ends. */
  readonly endorsements: Endorsements | ((evidence: ParsedEvidence) => Promise<Endorsements>)
  /** `VENDOR_ANCHORS`, and a simulator's only if simulated evidence is to be accepted. */
  readonly anchors: readonly TrustAnchor[]
  readonly now: () => Date
  /** Default 'cached'. */
  readonly freshness?: Freshness
}

/** The other side, as it was found. */
export interface Peer {
  readonly claims: Claims
  readonly result: AppraisalResult
  /** The checks that were made, in order. */
  readonly steps: readonly Step[]
  /** Nothing of this means anything afterwards; the connection ends then, unless it was accepted again before. */
  readonly validUntil: Date
  /** DER. */
  readonly certificate: Uint8Array
  readonly freshness: Freshness
}
