// What is shown of one kind of evidence, to a person: the contract of a row of kinds.ts.

import type { Claims, ParsedEvidence } from '@casemate/evidence'

export interface ShownKind<E extends ParsedEvidence, C extends Claims> {
  /** Fields that say which code runs, by the vendor's names, in the order of interest. */
  readonly fields: readonly string[]
  /** Where unverified evidence has those fields. */
  stated(evidence: E): object
  /** What is known of the platform beside what is common. */
  platform(claims: C): readonly (readonly [string, string])[]
  /** Why no machine is named. */
  readonly noHardwareId: string
  /** What has to be known of the name of the machine; empty where nothing has to. */
  hardwareIdNote(claims: C): string
}
