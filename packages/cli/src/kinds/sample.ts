// What is shown of the sample attester.

import type { SampleClaims, SampleEvidence } from '@casemate/evidence'
import type { ShownKind } from './shown-kind.ts'

export const SHOWN_SAMPLE: ShownKind<SampleEvidence, SampleClaims> = {
  fields: ['svn'],
  stated: evidence => evidence,
  platform: () => [],
  noHardwareId: 'none',
  hardwareIdNote: () => '',
}
