// Whether a quoting enclave is the one that Intel describes (Intel DCAP QuoteVerificationLibrary,
// EnclaveReportVerifier): signer, product, masked attributes and MISCSELECT, and the level that its version reaches.

import { equal, toHex } from '../bytes.ts'
import type { EnclaveIdentity } from '../documents/enclave-identity.ts'
import type { TcbVerdict } from '../documents/tcb-info.ts'
import { Refusal } from '../refusal.ts'
import type { SgxReportBody } from './report-body.ts'

/** @throws {Refusal} `qe-identity-mismatch`, `tcb-level-unknown` */
export function judgeQuotingEnclave(report: SgxReportBody, identity: EnclaveIdentity): TcbVerdict {
  const { miscSelect, miscSelectMask, attributes, attributesMask, mrSigner } = identity
  matchMasked('MISCSELECT', report.miscSelect, miscSelectMask, miscSelect)
  matchMasked('ATTRIBUTES', report.attributes, attributesMask, attributes)
  if (!equal(report.mrSigner, mrSigner)) mismatch('MRSIGNER', toHex(mrSigner), toHex(report.mrSigner))
  if (report.isvProdId !== identity.isvProdId) {
    mismatch('ISVPRODID', `${identity.isvProdId}`, `${report.isvProdId}`)
  }
  const level = identity.levels.find(it => report.isvSvn >= it.isvSvn)
  if (level) return level
  const lowest = `at least ${identity.levels.at(-1)?.isvSvn ?? 'one level'}`
  throw new Refusal('tcb-level-unknown', `no level of ${identity.id} is reached by ISVSVN ${report.isvSvn}`, {
    expected: lowest,
    got: `${report.isvSvn}`,
    hint: 'the quoting enclave is older than anything that Intel still judges: update it',
  })
}

// oxlint-disable-next-line max-params -- what it is called, what was reported, what of it counts, and what that has to be
function matchMasked(field: string, value: Uint8Array, mask: Uint8Array, expected: Uint8Array): void {
  const isMatch =
    value.length === expected.length && value.every((octet, at) => (octet & (mask[at] ?? 0)) === expected[at])
  if (isMatch) return
  mismatch(field, toHex(expected), toHex(value.map((octet, at) => octet & (mask[at] ?? 0))))
}

function mismatch(field: string, expected: string, got: string): never {
  const message = `the quoting enclave’s ${field} is not the one in Intel’s identity`
  throw new Refusal('qe-identity-mismatch', message, { expected, got })
}
