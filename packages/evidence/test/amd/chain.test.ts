// Which certificates vouch for a SEV-SNP report: the leaf that KEY_INFO names, its chain to a pinned root, revocation.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AmdPlatform } from '@casemate/simulator'
import { readEndorsements } from '../../src/read-endorsements.ts'
import { refuses } from '../expect-refusal.ts'
import { createPlatform, MASKED, NOW, verifyOn } from './isolated.ts'

const milan = await createPlatform()
const vlek = await createPlatform({ signingKey: 'VLEK' })

test('the certificate table that follows the report is enough', async () => {
  const { claims } = await verifyOn(milan, {
    request: { certificateTable: true },
    without: ['leaf.der', 'cert-chain.pem', 'crl.der'],
  })
  assert.equal(claims.snp.revocation, 'not-supplied')
})

test('a chain that does not end in a pinned root is refused', async () => {
  await refuses('chain-untrusted', verifyOn(milan, { anchors: [] }))
  await refuses('chain-untrusted', verifyOn(milan, { anchors: vlek.anchors }))
  const intel = milan.anchors.map(anchor => ({ ...anchor, vendor: 'intel' as const }))
  await refuses('chain-untrusted', verifyOn(milan, { anchors: intel }))
})

test('a report without its leaf certificate is refused', async () => {
  await refuses('endorsement-missing', verifyOn(milan, { without: ['leaf.der'] }))
})

test('a VCEK does not stand in for the VLEK that KEY_INFO names, nor the other way round', async () => {
  await refuses('endorsement-missing', verifyOn(milan, { request: { keyInfo: 1 << 2 } }))
  await refuses('endorsement-missing', verifyOn(vlek, { request: { keyInfo: 0 } }))
})

test('a certificate that AMD gives to nobody who asks is not said to be fetched', async () => {
  const without = { without: ['leaf.der'] }
  const known = await refuses('endorsement-missing', verifyOn(milan, without))
  assert.match(known.hint ?? '', /^fetch it from AMD/)
  assert.match(known.expected ?? '', /of chip/)
  for (const [platform, changes] of [
    [vlek, {}],
    [milan, MASKED],
  ] as const) {
    const refusal = await refuses('endorsement-missing', verifyOn(platform, { ...without, ...changes }))
    assert.match(refusal.hint ?? '', /have the guest send/)
    assert.doesNotMatch(`${refusal.hint} ${refusal.expected}`, /fetch|of chip/)
  }
  for (const [platform, hint] of [
    [milan, /^fetch the VCEK for the reported TCB$/],
    [vlek, /^have the host load the VLEK/],
  ] as const) {
    const other = { bootloader: 1, tee: 1, snp: 1, microcode: 1, fmc: null }
    const refusal = await refuses('tcb-mismatch', verifyOn(platform, { request: { reportedTcb: other } }))
    assert.match(refusal.hint ?? '', hint)
  }
})

test('a report that names no signing key is refused', async () => {
  await refuses('evidence-unsupported', verifyOn(milan, { request: { keyInfo: 7 << 2 } }))
})

test('a chain without its intermediate is refused', async () => {
  await refuses('chain-incomplete', verifyOn(milan, { without: ['cert-chain.pem'] }))
})

for (const which of ['leaf', 'intermediate', 'ark'] as const) {
  test(`a wrong signature on the ${which} is refused, or the certificate is not used`, async () => {
    const platform = await createPlatform({ faults: { certificates: { [which]: { damage: 'signature' } } } })
    // Of the root only the key is pinned, and that is known without its certificate.
    if (which === 'ark')
      assert.doesNotMatch((await verifyOn(platform)).steps[1]?.looked ?? '', /serial 0x010000/)
    else await refuses('certificate-signature-invalid', verifyOn(platform))
  })

  test(`an expired ${which} is refused`, async () => {
    const notAfter = new Date(NOW.getTime() - 1000)
    const platform = await createPlatform({ faults: { certificates: { [which]: { notAfter } } } })
    await refuses('certificate-expired', verifyOn(platform))
    await verifyOn(platform, { now: notAfter, without: ['crl.der'] })
  })

  test(`a ${which} that is not yet valid is refused`, async () => {
    const notBefore = new Date(NOW.getTime() + 1000)
    const platform = await createPlatform({ faults: { certificates: { [which]: { notBefore } } } })
    await refuses('certificate-not-yet-valid', verifyOn(platform))
    await verifyOn(platform, { now: notBefore })
  })
}

test('a malformed certificate in the table is refused', async () => {
  const platform = await createPlatform({ faults: { certificates: { leaf: { damage: 'encoding' } } } })
  const request = { certificateTable: true }
  await refuses('certificate-malformed', verifyOn(platform, { request, without: ['leaf.der'] }))
})

test('a revoked intermediate is refused', async () => {
  const platform = await createPlatform({ faults: { revoked: ['intermediate'] } })
  await refuses('certificate-revoked', verifyOn(platform))
})

test('without a revocation list the claims say so', async () => {
  const { claims, steps } = await verifyOn(milan, { without: ['crl.der'] })
  assert.equal(claims.snp.revocation, 'not-supplied')
  assert.match(steps.find(({ name }) => name === 'amd-revocation')?.looked ?? '', /^NOT SUPPLIED/)
})

test('a revocation list that is wrongly signed is refused', async () => {
  const damaged = await createPlatform({ faults: { crl: { damage: 'signature' } } })
  await refuses('crl-signature-invalid', verifyOn(damaged))
})

const [PAST, FUTURE] = [new Date(NOW.getTime() - 1000), new Date(NOW.getTime() + 1000)]
const OUTSIDE = {
  'has expired': { thisUpdate: new Date(0), nextUpdate: PAST },
  'has not begun': { thisUpdate: FUTURE },
} as const

for (const [why, crl] of Object.entries(OUTSIDE)) {
  test(`a revocation list that ${why} does no harm, is claimed as none, and revokes all the same`, async () => {
    const platform = await createPlatform({ faults: { crl } })
    const { claims, steps, validUntil } = await verifyOn(platform)
    assert.equal(claims.snp.revocation, 'outside-window')
    assert.equal(claims.collateral.arkCrl, null)
    assert.match(steps.find(({ name }) => name === 'amd-revocation')?.looked ?? '', /^OUTSIDE ITS WINDOW: /)
    assert.ok(validUntil.getTime() > NOW.getTime())
    const revoking = await createPlatform({ faults: { crl, revoked: ['intermediate'] } })
    await refuses('certificate-revoked', verifyOn(revoking))
  })
}

test('of several lists outside of their windows any revokes, as what was revoked once stays so', async () => {
  const old = { thisUpdate: new Date(0), nextUpdate: new Date(1000) }
  const platform = await createPlatform({ faults: { crl: old, revoked: ['intermediate'] } })
  const endorsements = readEndorsements(platform.endorsements)
  const [revoking] = endorsements.crls
  assert.ok(revoking)
  // Newer, and past as well.
  const silent = { ...revoking, thisUpdate: 2000, nextUpdate: 3000, revoked: new Set<string>() }
  for (const crls of [
    [revoking, silent],
    [silent, revoking],
  ]) {
    await refuses('certificate-revoked', verifyOn(platform, { endorsements: { ...endorsements, crls } }))
  }
  await verifyOn(platform, { endorsements: { ...endorsements, crls: [silent] } })
})

test('of several leaf certificates the one that fits is taken, wherever it stands', async () => {
  const leaf = ({ endorsements }: AmdPlatform) => endorsements.filter(({ name }) => name === 'leaf.der')
  const other = await createPlatform()
  for (const endorsements of [
    readEndorsements([...leaf(other), ...milan.endorsements]),
    readEndorsements([...milan.endorsements, ...leaf(other)]),
  ]) {
    await verifyOn(milan, { endorsements })
  }
})

test('a certificate that differs from a known one in its contents alone is another certificate', async () => {
  const without = ['leaf.der', 'crl.der']
  const request = { certificateTable: true }
  await verifyOn(milan, { request, without })
  const leaf = milan.endorsements.find(({ name }) => name === 'leaf.der')?.bytes
  assert.ok(leaf)
  const edit = (bytes: Uint8Array): void => {
    const at = Buffer.from(bytes).indexOf(leaf)
    // Within the subject’s public key.
    const offset = at + Buffer.from(leaf).indexOf(Buffer.from('2b81040022', 'hex')) + 20
    bytes[offset] = (bytes[offset] ?? 0) ^ 1
  }
  await refuses('certificate-signature-invalid', verifyOn(milan, { request, without, edit }))
})

test('a leaf that cannot be read is passed over where there is another, and named where there is none', async () => {
  const endorsements = readEndorsements(milan.endorsements)
  const [leaf] = endorsements.certificates.filter(({ commonName }) => commonName === 'SEV-VCEK')
  assert.ok(leaf)
  const unreadable = { ...leaf, extensions: new Map() }
  const { certificates } = endorsements
  await verifyOn(milan, { endorsements: { ...endorsements, certificates: [unreadable, ...certificates] } })
  const alone = [unreadable, ...certificates.filter(it => it !== leaf)]
  await refuses(
    'certificate-malformed',
    verifyOn(milan, { endorsements: { ...endorsements, certificates: alone } }),
  )
})
