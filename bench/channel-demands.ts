// The benchmark's simulated machine, and demands that its evidence meets.
import { mergeReferenceValues, parsePolicy } from '@casemate/appraisal'
import type { AttestationDriver, PeerDemands } from '@casemate/channel'
import { type EndorsementSource, readEndorsements, type TrustAnchor } from '@casemate/evidence'
import type { IntelPlatform } from '@casemate/simulator'

const policy = parsePolicy({
  extends: 'strict',
  name: 'bench',
  version: 1,
  simulated: 'any',
  workloads: 'any',
})

export interface Trust {
  readonly anchors: readonly TrustAnchor[]
  readonly endorsements: readonly EndorsementSource[]
}

export function demands({ anchors, endorsements }: Trust): PeerDemands {
  return {
    policy,
    references: mergeReferenceValues(),
    endorsements: readEndorsements(endorsements),
    anchors,
    now: () => new Date(),
  }
}

export function driverOf(platform: IntelPlatform): AttestationDriver {
  return {
    kind: 'tdx',
    simulated: true,
    source: 'the simulator',
    quote: async reportData => ({
      kind: 'tdx',
      evidence: platform.tdxQuote({ reportData }),
      certificateTable: null,
    }),
  }
}
