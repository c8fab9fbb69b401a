// Whether evidence belongs to this session: its report data is what the session demands, its host data the digest of
// the init-data that the guest sent. Confidential Containers' rules: report data is right-padded with zeros to 64
// bytes; an init-data digest is cut or right-padded to the size of the field.

import type { Claims } from '@casemate/evidence'
import { showClaim } from './expectation.ts'
import { appraisedKind } from './kinds/kinds.ts'
import type { AppraisalPolicy } from './policy-fields.ts'
import type { CheckedExpectation } from './result.ts'

/** What the session demands. */
export interface Binding {
  /** Hex of 32 to 64 bytes; `'any'` outside of a session, for evidence that is only explained. */
  readonly reportData: string
  /** Hex of 32 to 64 bytes; `'none'` when the guest sent no init-data; `'any'` outside of a session. */
  readonly initDataDigest: string
}

/** A finding on one field of the policy. */
export interface Finding extends CheckedExpectation {
  readonly hint: string
}

const DIGEST = /^(?:[0-9a-f]{2}){32,64}$/
const REPORT_DATA_HEX_DIGITS = 128
const MIN_HOST_DATA_HEX_DIGITS = 64

/** Claims without the member are of an older form, and state none; whatever else stands there does. */
export function statesEnclave({ enclave }: Claims): boolean {
  return enclave !== null && enclave !== undefined
}

/**
 * Report data against the session; null where the policy does not ask. An enclave is stated beside the evidence, and
 * only the report data ties it to the evidence: so it is compared for its sake whatever the policy says.
 */
export function reportDataFinding(policy: AppraisalPolicy, claims: Claims, binding: Binding): Finding | null {
  const states = statesEnclave(claims)
  if (policy.reportData === 'any' && !states) return null
  const path = 'reportData'
  const got = showClaim(claims.reportData)
  if (binding.reportData === 'any' && states) {
    const expected = 'what binds the stated enclave'
    const hint = 'outside of a session nothing ties a statement to the evidence; appraise without it'
    return { path, expected, got, outcome: 'violated', hint }
  }
  if (binding.reportData === 'any') {
    return { path, expected: 'what the session demands', got, outcome: 'not-checked', hint: '' }
  }
  const wanted = binding.reportData.toLowerCase()
  const met = DIGEST.test(wanted) && padded(wanted) === padded(got)
  return {
    path,
    expected: padded(wanted),
    got,
    outcome: met ? 'met' : 'violated',
    hint: 'the evidence was made for another session or key; attest again with this nonce',
  }
}

function padded(hex: string): string {
  return hex.padEnd(REPORT_DATA_HEX_DIGITS, '0')
}

/** Host data against the guest's init-data and against the digests that the policy lists. */
export function initDataFindings(policy: AppraisalPolicy, claims: Claims, binding: Binding): Finding[] {
  const listed = typeof policy.initData === 'string' ? [] : [listedFinding(policy.initData, claims)]
  const sent = sentFinding(policy, claims, binding.initDataDigest.toLowerCase())
  return sent === null ? listed : [...listed, sent]
}

function listedFinding(digests: readonly string[], claims: Claims): Finding {
  const met = digests.some(digest => fits(digest, claims.hostData))
  return {
    path: 'initData',
    expected: digests.length === 1 ? digests.join() : `one of ${digests.length} digests`,
    got: showClaim(claims.hostData),
    outcome: met ? 'met' : 'violated',
    hint: 'start the workload with init-data that the policy lists',
  }
}

function sentFinding(policy: AppraisalPolicy, claims: Claims, digest: string): Finding | null {
  const asked = policy.initData !== 'any'
  const got = showClaim(claims.hostData)
  const base = { path: 'initData', got }
  if (digest === 'any') {
    const expected = "the digest of the guest's init-data"
    return asked ? { ...base, expected, outcome: 'not-checked', hint: '' } : null
  }
  if (digest === 'none') {
    if (!asked) return null
    const hint = 'the guest has to send its init-data with the evidence'
    return { path: 'initData', expected: 'init-data', got: 'none', outcome: 'violated', hint }
  }
  // Where there is no field to compare, `unchecked` says so.
  if (appraisedKind(claims.kind)?.hasHostData === false && !asked) return null
  const outcome = DIGEST.test(digest) && fits(digest, claims.hostData) ? 'met' : 'violated'
  const hint = 'the init-data that the guest sent is not what the TEE was started with'
  return { ...base, expected: digest, outcome, hint }
}

/** Whether a field holds a digest, cut or padded to its size. */
function fits(digest: string, hostData: unknown): boolean {
  if (typeof hostData !== 'string' || hostData.length < MIN_HOST_DATA_HEX_DIGITS) return false
  return digest.slice(0, hostData.length).padEnd(hostData.length, '0') === hostData
}
