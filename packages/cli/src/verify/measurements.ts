// The code of evidence, how it was started and what it is bound to: from verified claims, or as the evidence states if
// verification failed.

import { type Claims, type Kind, kindOf, type ParsedEvidence } from '@casemate/evidence'
import { shownKind } from '../kinds/kinds.ts'

/** A name of the vendor's and its value. */
export type Measurement = readonly [name: string, value: string]

/** What verified evidence says about the code. */
export function measurementsOf(claims: Claims): Measurement[] {
  const body: object = Reflect.get(claims, claims.kind)
  return [...pick(claims.kind, body), ['reportData', claims.reportData]]
}

/** The same of evidence that is not verified: anyone could have written it. */
export function statedBy(evidence: ParsedEvidence): Measurement[] {
  const body = shownKind(evidence.kind).stated(evidence)
  const reportData = kindOf(evidence).reportData(evidence)
  return [...pick(evidence.kind, body), ['reportData', hex(reportData)]]
}

/** A long field that is all zero says nothing. */
function pick(kind: Kind, body: object): Measurement[] {
  return shownKind(kind)
    .fields.map(name => {
      const value: unknown = Reflect.get(body, name)
      return [name, value instanceof Uint8Array ? hex(value) : String(value)] as const
    })
    .filter(([, value]) => !/^0{8,}$/.test(value))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
