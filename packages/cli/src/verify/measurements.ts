// Which code, started how, bound to what: from verified claims, or, where verification failed, as the evidence states.

import type { Claims, ParsedEvidence } from '@casemate/evidence'

/** A name of the vendor's and its value. */
export type Measurement = readonly [name: string, value: string]

/** Fields per kind, in the order of interest; a long field that is all zero says nothing. */
const FIELDS: Readonly<Record<Claims['kind'], readonly string[]>> = {
  sgx: ['mrEnclave', 'mrSigner', 'isvProdId', 'isvSvn', 'configId'],
  tdx: ['mrTd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3', 'mrConfigId', 'mrOwner', 'mrOwnerConfig'],
  snp: ['measurement', 'hostData', 'idKeyDigest', 'authorKeyDigest', 'vmpl'],
  sample: ['svn'],
}

/** What verified evidence says about the code. */
export function measurementsOf(claims: Claims): Measurement[] {
  const body: object = Reflect.get(claims, claims.kind)
  return [...pick(claims.kind, body), ['reportData', claims.reportData]]
}

/** The same of evidence that is not verified: anyone could have written it. */
export function statedBy(evidence: ParsedEvidence): Measurement[] {
  switch (evidence.kind) {
    case 'sgx':
      return [...pick('sgx', evidence.body), ['reportData', hex(evidence.body.reportData)]]
    case 'tdx': {
      const [rtmr0, rtmr1, rtmr2, rtmr3] = evidence.body.rtmrs
      const body = { ...evidence.body, rtmr0, rtmr1, rtmr2, rtmr3 }
      return [...pick('tdx', body), ['reportData', hex(evidence.body.reportData)]]
    }
    case 'snp':
      return [...pick('snp', evidence.report), ['reportData', hex(evidence.report.reportData)]]
    case 'sample':
      return [...pick('sample', evidence), ['reportData', hex(evidence.reportData)]]
    default:
      return evidence satisfies never
  }
}

function pick(kind: Claims['kind'], body: object): Measurement[] {
  return FIELDS[kind]
    .map(name => {
      const value: unknown = Reflect.get(body, name)
      return [name, value instanceof Uint8Array ? hex(value) : String(value)] as const
    })
    .filter(([, value]) => !/^0{8,}$/.test(value))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
