// SEV-SNP as a kind of evidence: a report, and the certificates that came with it.

import type { BinaryFormat, EvidenceKind } from '../kind.ts'
import { snpItems } from './addresses.ts'
import { AMD_ANCHORS } from './anchors.ts'
import { withCertificates } from './beside.ts'
import { SNP_FIELDS, type SnpClaims } from './claims.ts'
import { parseSnpEvidence, type SnpEvidence } from './evidence.ts'
import { encodeSnpKbs, parseSnpKbs, recogniseSnpKbs } from './kbs.ts'
import { isLeafPublished, verifySnp } from './verify.ts'

/** It begins with a version of four bytes, whose upper half is zero. */
export const SNP_REPORT: BinaryFormat<SnpEvidence> = {
  what: 'a report of SEV-SNP',
  versions: 'a SEV-SNP report of version 2 to 5',
  begins: ([, , high0 = 0, high1 = 0]) => (high0 | high1) === 0,
  parse: parseSnpEvidence,
}

export const SNP: EvidenceKind<SnpEvidence, SnpClaims> = {
  describe: ({ report }) => `AMD SEV-SNP attestation report, version ${report.version}`,
  reportData: ({ report }) => report.reportData,
  signedBytes: ({ report }) => report.bytes,
  parseKbs: parseSnpKbs,
  encodeKbs: encodeSnpKbs,
  recogniseKbs: recogniseSnpKbs,
  withBeside: withCertificates,
  verify: verifySnp,
  anchors: AMD_ANCHORS,
  claimFields: SNP_FIELDS,
  collateral: ['arkCrl'],
  fetchItems: snpItems,
  isSignerPublished: ({ report }) => isLeafPublished(report),
  lacksRevocation: ({ snp }) => snp.revocation !== 'checked',
  measuredEnclave: () => null,
  enclaveRegister: () => null,
}
