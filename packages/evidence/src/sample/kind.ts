// The sample attester of Confidential Containers as a kind of evidence: it has no bytes of its own, and nothing signs it.

import type { EvidenceKind, VerifiedClaims } from '../kind.ts'
import { SAMPLE_FIELDS, type SampleClaims, sampleClaims } from './claims.ts'
import { parseSampleEvidence, type SampleEvidence, sampleKbsEvidence } from './evidence.ts'

/** Nothing signs a sample, so nothing about it expires: the last moment that a Date can hold. */
const NEVER = 8_640_000_000_000_000

export const SAMPLE: EvidenceKind<SampleEvidence, SampleClaims> = {
  describe: () => 'evidence of the Confidential Containers sample attester, which nothing signs',
  reportData: ({ reportData }) => reportData,
  signedBytes: () => null,
  parseKbs: parseSampleEvidence,
  /** The report data is all that there is. */
  encodeKbs: sampleKbsEvidence,
  recogniseKbs: members =>
    'svn' in members && 'report_data' in members
      ? { evidence: parseSampleEvidence(members), taken: null }
      : null,
  withBeside: evidence => evidence,
  verify: async (evidence): Promise<VerifiedClaims<SampleClaims>> => ({
    claims: sampleClaims(evidence),
    steps: [{ name: 'sample', looked: 'nothing: sample evidence is not signed' }],
    validUntil: new Date(NEVER),
  }),
  anchors: [],
  claimFields: SAMPLE_FIELDS,
  collateral: [],
  fetchItems: () => [],
  isSignerPublished: () => true,
  lacksRevocation: () => false,
  measuredEnclave: () => null,
  enclaveRegister: () => null,
}
