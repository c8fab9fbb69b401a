// Every check of a SEV-SNP report, with one input that passes and one that fails that check alone.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { before, test } from 'node:test'
import {
  type AmdPlatform,
  type AmdPlatformOptions,
  createAmdPlatform,
  type SnpReportRequest,
} from '@casemate/simulator'
import { parseSnpEvidence } from '../src/amd/evidence.ts'
import { type VerifiedSnp, verifySnp } from '../src/amd/verify.ts'
import type { TrustAnchor } from '../src/anchor.ts'
import { type Endorsements, readEndorsements } from '../src/endorsements.ts'
import { Refusal, type RefusalCode } from '../src/refusal.ts'
import { parseCertificate } from '../src/x509.ts'
import { reissue } from './reissue.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
const REPORT_DATA = new Uint8Array(64).fill(7)

interface Changes {
  readonly request?: Partial<SnpReportRequest>
  /** Changes the bytes after everything else. */
  readonly edit?: (bytes: Uint8Array) => void
  readonly without?: readonly string[]
  readonly endorsements?: Endorsements
  readonly anchors?: readonly TrustAnchor[]
  readonly now?: Date
}

function createPlatform(options: AmdPlatformOptions = {}): Promise<AmdPlatform> {
  return createAmdPlatform({ now: NOW, modulusBits: 2048, ...options })
}

async function verifyOn(platform: AmdPlatform, changes: Changes = {}): Promise<VerifiedSnp> {
  const bytes = platform.snpReport({ reportData: REPORT_DATA, ...changes.request })
  changes.edit?.(bytes)
  const sources = platform.endorsements.filter(({ name }) => !changes.without?.includes(name))
  return verifySnp(parseSnpEvidence(bytes), changes.endorsements ?? readEndorsements(sources), {
    now: changes.now ?? NOW,
    anchors: changes.anchors ?? platform.anchors,
  })
}

async function refuses(code: RefusalCode, work: Promise<unknown>): Promise<Refusal> {
  const error = await work.then(
    () => assert.fail(`accepted, want ${code}`),
    (error: unknown) => error,
  )
  assert.ok(error instanceof Refusal, String(error))
  assert.equal(error.code, code, error.message)
  return error
}

let milan: AmdPlatform
let vlek: AmdPlatform
let turin: AmdPlatform

before(async () => {
  milan = await createPlatform()
  vlek = await createPlatform({ signingKey: 'VLEK' })
  turin = await createPlatform({ product: 'Turin' })
})

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

test('a chip id that is not the VCEK’s is refused', async () => {
  await refuses('hardware-id-mismatch', verifyOn(milan, { request: { chipId: new Uint8Array(64).fill(1) } }))
})

const MASKED = { request: { chipId: new Uint8Array(64) } }

test('where the chip id is masked the machine is the one that the VCEK was issued for, and the claims say so', async () => {
  for (const platform of [milan, turin]) {
    const plain = (await verifyOn(platform)).claims
    const { claims, steps } = await verifyOn(platform, MASKED)
    assert.equal(claims.hardwareId, platform.settings.hardwareId.padEnd(128, '0'))
    assert.equal(claims.hardwareId, plain.hardwareId)
    assert.equal(plain.snp.hardwareIdSource, 'report')
    assert.equal(claims.snp.hardwareIdSource, 'vcek')
    assert.equal(claims.snp.chipId, '0'.repeat(128))
    const looked = steps.find(({ name }) => name === 'amd-chip-id')?.looked ?? ''
    assert.ok(looked.endsWith(`the VCEK is of chip ${platform.settings.hardwareId}`), looked)
  }
})

test('a VCEK of another chip does not lend its chip to a masked report that it did not sign', async () => {
  const other = await createPlatform()
  const both = readEndorsements([...other.endorsements, ...milan.endorsements])
  const anchors = [...other.anchors, ...milan.anchors]
  const { claims } = await verifyOn(milan, { ...MASKED, endorsements: both, anchors })
  assert.equal(claims.hardwareId, milan.settings.hardwareId)
  const foreign = readEndorsements(other.endorsements)
  await refuses('quote-signature-invalid', verifyOn(milan, { ...MASKED, endorsements: foreign, anchors }))
})

test('of more VCEKs than are tried for a masked report that is said, and the one that the guest sends is tried first', async () => {
  const own = readEndorsements(milan.endorsements)
  const leaf = own.certificates.find(({ commonName }) => commonName === 'SEV-VCEK') ?? assert.fail()
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const others = Array.from({ length: 16 }, () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
    return parseCertificate(reissue(leaf.der, key, { spki }))
  })
  const masked = { chipId: new Uint8Array(64) }
  const fleet = { ...own, certificates: [...others, ...own.certificates] }
  const refusal = await refuses(
    'endorsement-missing',
    verifyOn(milan, { request: masked, endorsements: fleet }),
  )
  assert.match(refusal.message, /^17 VCEK certificates fit the report alike/)
  const fewer = { ...own, certificates: [...others.slice(1), ...own.certificates] }
  await verifyOn(milan, { request: masked, endorsements: fewer })
  await verifyOn(milan, { request: { ...masked, certificateTable: true }, endorsements: fleet })
})

test('a masked chip id under a VLEK, or under a VCEK whose hwID is zero, is no hardware id', async () => {
  const { claims } = await verifyOn(vlek, MASKED)
  assert.equal(claims.hardwareId, null)
  assert.equal(claims.snp.hardwareIdSource, null)
  const nameless = await createPlatform({ hardwareId: new Uint8Array(64) })
  assert.equal((await verifyOn(nameless, MASKED)).claims.hardwareId, null)
})

test('Turin’s chip id is 8 bytes and zeros', async () => {
  const { claims } = await verifyOn(turin)
  assert.equal(claims.hardwareId?.slice(16), '0'.repeat(112))
  const chipId = Buffer.from(claims.hardwareId ?? '', 'hex')
  chipId[63] = 1
  await refuses('hardware-id-mismatch', verifyOn(turin, { request: { chipId } }))
})

test('the chip id of a report under a VLEK is claimed and compared with nothing', async () => {
  const { claims } = await verifyOn(vlek, { request: { chipId: new Uint8Array(64).fill(1) } })
  assert.equal(claims.hardwareId, '01'.repeat(64))
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

test('a refusal says which steps had passed', async () => {
  const { steps } = await refuses('tcb-mismatch', verifyOn(milan, { request: { reportedTcb: { snp: 1 } } }))
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['amd-signer', 'amd-chain', 'amd-revocation', 'amd-product'],
  )
})
