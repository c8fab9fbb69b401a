// SGX and TDX as kinds of evidence: two quotes in one format, under one root.

import type { BinaryFormat, EvidenceKind } from '../kind.ts'
import { intelItems } from './addresses.ts'
import { INTEL_ANCHORS } from './anchors.ts'
import { parseSgxKbs, parseTdxKbs, sgxKbsEvidence, tdxKbsEvidence } from './kbs.ts'
import { parseIntelQuote, QUOTE_VERSIONS, type SgxQuote, type TdxQuote } from './quote.ts'
import { SGX_FIELDS, type SgxClaims } from './sgx-claims.ts'
import { TDX_FIELDS, type TdxClaims } from './tdx-claims.ts'
import { verifySgx, verifyTdx } from './verify.ts'

/** It begins with a version and a key type of two bytes each; no key type is zero, as the upper half of others' versions is. */
export const INTEL_QUOTE: BinaryFormat<SgxQuote | TdxQuote> = {
  what: 'a quote of SGX or TDX',
  versions: 'an SGX quote of version 3, a TDX quote of version 4 or 5',
  begins: ([v0 = 0, v1 = 0, k0 = 0, k1 = 0]) =>
    (k0 | k1) !== 0 && QUOTE_VERSIONS.some(version => version === (v0 | (v1 << 8))),
  parse: parseIntelQuote,
}

const QUOTE = {
  reportData: (quote: SgxQuote | TdxQuote) => quote.body.reportData,
  signedBytes: (quote: SgxQuote | TdxQuote) => quote.signed,
  anchors: INTEL_ANCHORS,
  /** Its JSON wraps the bytes of a quote. */
  recogniseKbs: () => null,
  /** Its certificates are inside. */
  withBeside: <Q>(quote: Q): Q => quote,
  collateral: ['tcbInfo', 'qeIdentity', 'pckCrl', 'rootCrl'],
  fetchItems: intelItems,
  isSignerPublished: () => true,
  /** Verification demands every list. */
  lacksRevocation: () => false,
} as const

export const SGX: EvidenceKind<SgxQuote, SgxClaims> = {
  ...QUOTE,
  describe: ({ version }) => `Intel SGX quote, version ${version}`,
  parseKbs: parseSgxKbs,
  encodeKbs: sgxKbsEvidence,
  verify: verifySgx,
  claimFields: SGX_FIELDS,
  measuredEnclave: ({ sgx }) => sgx,
  enclaveRegister: () => null,
}

export const TDX: EvidenceKind<TdxQuote, TdxClaims> = {
  ...QUOTE,
  describe: ({ version }) => `Intel TDX quote, version ${version}`,
  parseKbs: parseTdxKbs,
  encodeKbs: tdxKbsEvidence,
  verify: verifyTdx,
  claimFields: TDX_FIELDS,
  measuredEnclave: () => null,
  enclaveRegister: ({ tdx }) => tdx.rtmr3,
}
