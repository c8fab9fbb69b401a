// An Intel platform and a quote of it, verified with what a test changes, so that one check alone fails: `after` is the
// last step that had passed, so that a failure for another reason does not count.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createIntelPlatform,
  type IntelPlatformOptions,
  type SgxQuoteRequest,
  type TdxQuoteRequest,
} from '@casemate/simulator'
import {
  parse,
  type RefusalCode,
  readEndorsements,
  type TrustAnchor,
  type Verified,
  verify,
} from '../../src/index.ts'
import { refusal } from '../expect-refusal.ts'

export const NOW = new Date('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
export const later = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS)
export const REPORT_DATA = new Uint8Array(64).fill(7)

type Step =
  | 'pck-chain'
  | 'qe-report-signature'
  | 'qe-binding'
  | 'quote-signature'
  | 'pck-revocation'
  | 'qe-identity-signature'
  | 'qe-identity'
  | 'tcb-info-signature'
  | 'tdx-module'
  | 'tcb-level'
  | 'tcb-status'

export interface Given {
  readonly options?: IntelPlatformOptions
  readonly tdx?: Partial<TdxQuoteRequest>
  readonly sgx?: Partial<SgxQuoteRequest>
  readonly without?: readonly string[]
  readonly now?: Date
  readonly minimum?: number
  readonly anchors?: readonly TrustAnchor[]
}

export const plain = await createIntelPlatform({ now: NOW })

export async function verifyGiven(given: Given): Promise<Verified> {
  const platform = given.options ? await createIntelPlatform({ now: NOW, ...given.options }) : plain
  const quote = given.sgx
    ? platform.sgxQuote({ reportData: REPORT_DATA, ...given.sgx })
    : platform.tdxQuote({ reportData: REPORT_DATA, ...given.tdx })
  const sources = platform.endorsements.filter(({ name }) => !given.without?.includes(name))
  return verify(parse(quote), readEndorsements(sources), {
    now: given.now ?? NOW,
    anchors: given.anchors ?? platform.anchors,
    minTcbEvaluationDataNumber: given.minimum ?? 'any',
  })
}

export function refused(code: RefusalCode, after: Step | null, cases: Readonly<Record<string, Given>>): void {
  for (const [name, given] of Object.entries(cases)) {
    test(`${name} is refused: ${code}`, async () => {
      const found = await refusal(verifyGiven(given))
      assert.equal(found.code, code, found.message)
      assert.equal(found.steps.at(-1)?.name ?? null, after)
    })
  }
}

export function accepted(cases: Readonly<Record<string, Given>>): void {
  for (const [name, given] of Object.entries(cases)) {
    test(`${name} is accepted`, async () => {
      const { steps } = await verifyGiven(given)
      assert.equal(steps.at(-1)?.name, 'tcb-status')
    })
  }
}

export const certificate = (which: 'pck' | 'intermediate' | 'root' | 'tcbSigning', fault: object): Given => ({
  options: { faults: { certificates: { [which]: fault } } },
})
export const crl = (which: 'pck' | 'root', fault: object): Given => ({
  options: { faults: { crls: { [which]: fault } } },
})
export const document = (which: 'tdxTcbInfo' | 'tdQeIdentity', fault: object): Given => ({
  options: { faults: { documents: { [which]: fault } } },
})
export const edited = (which: 'tdxTcbInfo' | 'tdQeIdentity', changes: object): Given =>
  document(which, { edit: (it: object) => Object.assign(it, changes) })
