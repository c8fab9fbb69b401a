// What a SEV-SNP report says, against the certificates that vouch for it: its signature, its product, its TCBs; and what
// is claimed of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuses } from '../expect-refusal.ts'
import { createPlatform, NOW, verifyOn } from './isolated.ts'

const DAY_MS = 86_400_000

const milan = await createPlatform()
const turin = await createPlatform({ product: 'Turin' })

test('a report of every product under a VCEK or a VLEK is accepted, marked as simulated', async () => {
  for (const product of ['Milan', 'Genoa', 'Turin'] as const) {
    for (const signingKey of ['VCEK', 'VLEK'] as const) {
      const platform = await createPlatform({ product, signingKey })
      const { claims, steps, validUntil } = await verifyOn(platform)
      assert.equal(claims.simulated, true)
      assert.equal(claims.snp.product, product)
      assert.equal(claims.snp.signingKey, signingKey)
      assert.equal(claims.snp.revocation, 'checked')
      assert.equal(claims.snp.cspId === null, signingKey === 'VCEK')
      assert.equal(claims.snp.reportedTcb.fmc !== null, product === 'Turin')
      assert.equal(claims.reportData, '07'.repeat(64))
      assert.deepEqual(
        steps.map(({ name }) => name),
        [
          'amd-signer',
          'amd-chain',
          'amd-revocation',
          'amd-product',
          'amd-reported-tcb',
          'amd-chip-id',
          'snp-report-signature',
          'snp-tcb-relations',
        ],
      )
      // The revocation list and a VLEK end after a year, before the rest.
      assert.ok(validUntil.getTime() <= NOW.getTime() + 365 * DAY_MS)
    }
  }
})

test('every version of the report is accepted', async () => {
  for (const version of [2, 3, 4, 5] as const) {
    const { claims } = await verifyOn(milan, { request: { version } })
    assert.equal(claims.reportVersion, version)
    assert.equal(claims.snp.cpuid === null, version === 2)
    assert.equal(claims.snp.launchMitVector === null, version < 5)
  }
})

test('a changed field and a changed signature are refused', async () => {
  for (const field of [
    'measurement',
    'reportData',
    'hostData',
    'guestSvn',
    'familyId',
    'reportId',
  ] as const) {
    await refuses('quote-signature-invalid', verifyOn(milan, { request: { tamper: [field] } }))
  }
  for (const field of ['signatureR', 'signatureS'] as const) {
    await refuses('quote-signature-invalid', verifyOn(milan, { request: { tamper: [field] } }))
  }
})

test('a report whose signature is all zero, as the firmware writes under MASK_CHIP_KEY, is refused', async () => {
  const edit = (bytes: Uint8Array): void => void bytes.fill(0, 0x2a0)
  await refuses('quote-signature-invalid', verifyOn(milan, { request: { keyInfo: 2 }, edit }))
})

test('a CPUID of another product than the chain’s is refused', async () => {
  const { claims } = await verifyOn(milan, { request: { cpuidModel: 0x0f } })
  assert.deepEqual(claims.snp.cpuid, { family: 0x19, model: 0x0f, stepping: 1 })
  await refuses('product-mismatch', verifyOn(milan, { request: { cpuidModel: 0x11 } }))
  await refuses('product-mismatch', verifyOn(milan, { request: { cpuidModel: 0xa0 } }))
})

test('a CPUID of no known product is refused, by name where it has one, before any certificate is missed', async () => {
  await refuses('evidence-unsupported', verifyOn(milan, { request: { cpuidFamily: 0x17 } }))
  for (const cpuidModel of [0x50, 0x57, 0x90, 0xaf, 0xc7]) {
    const request = { cpuidFamily: 0x1a, cpuidModel }
    const { message } = await refuses(
      'evidence-unsupported',
      verifyOn(milan, { request, without: ['leaf.der'] }),
    )
    assert.match(message, /^no root of AMD’s is pinned here for Venice \(CPUID family 26, model \d+/)
  }
  const { message } = await refuses(
    'evidence-unsupported',
    verifyOn(milan, { request: { cpuidFamily: 0x1a, cpuidModel: 0x58 } }),
  )
  assert.doesNotMatch(message, /Venice/)
})

test('a root of another product than the leaf’s is refused', async () => {
  const anchors = milan.anchors.map(anchor => ({ ...anchor, name: 'ARK-Genoa' }))
  await refuses('product-mismatch', verifyOn(milan, { anchors }))
})

test('a leaf for another TCB than the reported one is refused', async () => {
  const reportedTcb = { snp: 23, microcode: 218 }
  const mismatch = await refuses('tcb-mismatch', verifyOn(milan, { request: { reportedTcb } }))
  assert.match(mismatch.message, /REPORTED_TCB: snp 23, not 24; microcode 218, not 219$/)
  const ofTurin = await refuses('tcb-mismatch', verifyOn(turin, { request: { reportedTcb: { fmc: 0 } } }))
  assert.match(ofTurin.message, /REPORTED_TCB: fmc 0, not 1$/)
})

test('a committed TCB above the current one is refused', async () => {
  const committedTcb = { microcode: 220 }
  const above = await refuses('tcb-inconsistent', verifyOn(milan, { request: { committedTcb } }))
  assert.equal(above.message, 'COMMITTED_TCB is above CURRENT_TCB: microcode 220, at most 219')
  await verifyOn(milan, { request: { committedTcb, currentTcb: committedTcb } })
})

test('a reported TCB above the current one is refused', async () => {
  const lower = { snp: 23 }
  const request = { currentTcb: lower, committedTcb: lower, launchTcb: lower }
  await refuses('tcb-inconsistent', verifyOn(milan, { request }))
})

test('a launch TCB above the current one is refused unless the guest may have migrated', async () => {
  const launchTcb = { bootloader: 5 }
  const above = await refuses(
    'tcb-inconsistent',
    verifyOn(milan, { request: { launchTcb: { ...launchTcb, snp: 23 } } }),
  )
  assert.equal(above.message, 'LAUNCH_TCB is above CURRENT_TCB: bootloader 5, at most 4')
  const { claims } = await verifyOn(milan, { request: { launchTcb, policy: 0x7_0000 } })
  assert.equal(claims.snp.policy.migrateMaAllowed, true)
})

test('a committed firmware version above the current one is refused', async () => {
  const one = { currentMinor: 55, currentBuild: 3 }
  await verifyOn(milan, { request: { ...one, committedMinor: 54, committedBuild: 6 } })
  const later = { ...one, committedMinor: 55, committedBuild: 4 }
  await refuses('tcb-inconsistent', verifyOn(milan, { request: later }))
  const major = { ...one, committedMajor: 2, committedMinor: 0, committedBuild: 0 }
  await refuses('tcb-inconsistent', verifyOn(milan, { request: major }))
})

test('debugging is claimed, not refused', async () => {
  const { claims } = await verifyOn(milan, { request: { policy: 0xb_0000 } })
  assert.equal(claims.debug, true)
})

test('a refusal says which steps had passed', async () => {
  const { steps } = await refuses('tcb-mismatch', verifyOn(milan, { request: { reportedTcb: { snp: 1 } } }))
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['amd-signer', 'amd-chain', 'amd-revocation', 'amd-product'],
  )
})
