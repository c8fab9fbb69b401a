// A broker that trusts one simulated TDX platform and has one secret, and guests whose attestation can be made wrong in one
// thing each; for the tests of refusals.

import { tdxKbsEvidence } from '@casemate/evidence'
import { createIntelPlatform } from '@casemate/simulator'
import type { Refused } from './answers.ts'
import { Guest, type GuestOptions } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { openHarness, START } from './harness.ts'

export const SESSION: Refused = { status: 401, variant: 'AttestationError', code: 'session-invalid' }
export const EVIDENCE: Refused = { status: 401, variant: 'AttestationError', code: 'evidence-refused' }
export const APPRAISAL: Refused = { status: 401, variant: 'AttestationError', code: 'appraisal-refused' }
export const MALFORMED: Refused = { status: 400, variant: 'SerdeError', code: 'request-malformed' }

export async function openTdxGuests() {
  const intel = await createIntelPlatform({ now: START })
  const broker = await openHarness({ platforms: [intel], flags: { 'auth-limit': '10000' } })
  await broker.putSecret('default/key/disk', 'correct horse')
  await broker.putDocument('rule', 'all', {
    secrets: 'default/key/disk',
    expression: 'true',
    message: 'a test',
    enabled: true,
  })
  const tdx = (reportData: Buffer): unknown => tdxKbsEvidence(intel.tdxQuote({ reportData }))
  const newGuest = (options: Partial<GuestOptions> = {}): Guest =>
    new Guest({ app: broker.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence: tdx, ...options })
  /** The newest refusal on record. */
  const lastRefusal = async () => {
    const { items } = await broker.context.store.attestations.list('refused', { limit: 1, after: null })
    const [newest] = items
    if (newest === undefined) throw new Error('nothing was refused')
    return newest
  }
  return { intel, broker, tdx, newGuest, lastRefusal, close: () => broker.close() }
}
