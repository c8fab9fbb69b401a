// What is shown of SEV-SNP.

import type { SnpClaims, SnpEvidence, SnpTcb } from '@casemate/evidence'
import type { ShownKind } from './shown-kind.ts'

export const SHOWN_SNP: ShownKind<SnpEvidence, SnpClaims> = {
  fields: ['measurement', 'hostData', 'idKeyDigest', 'authorKeyDigest', 'vmpl'],
  stated: ({ report }) => report,
  platform: ({ snp }) => [
    ['processor', snp.product],
    ['reported TCB', components(snp.reportedTcb)],
  ],
  noHardwareId: 'none: masked, and a VLEK names no chip',
  hardwareIdNote: ({ snp }) => (snp.hardwareIdSource === 'vcek' ? ' (by its VCEK; the report masks it)' : ''),
}

function components(tcb: SnpTcb): string {
  return Object.entries(tcb)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
