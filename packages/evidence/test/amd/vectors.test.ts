// Every captured SEV-SNP report gets the verdict that its publisher and an independent script gave it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AMD_ANCHORS } from '../../src/amd/anchors.ts'
import { parseSnpEvidence } from '../../src/amd/evidence.ts'
import { encodeSnpReport } from '../../src/amd/report.ts'
import { verifySnp } from '../../src/amd/verify.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'
import { leavesOf, readAmdCrl, readSnpVectors, type SnpVector, skipVectors } from './vectors.ts'

const vectors = readSnpVectors().filter(({ files }) => files.has('report.bin'))
const valid = vectors.filter(({ expectedVerdict }) => expectedVerdict.startsWith('cryptographically VALID'))
const withoutLeaf = vectors.filter(vector => leavesOf(vector).length === 0)

function reportOf(vector: SnpVector): Uint8Array {
  const report = vector.files.get('report.bin')
  assert.ok(report)
  return report
}

function verifyVector(vector: SnpVector, changes: Partial<Parameters<typeof verifySnp>[1]> = {}, now?: Date) {
  const at = now ?? vector.suggestedTime ?? new Date('2025-01-01T00:00:00Z')
  return verifySnp(
    parseSnpEvidence(reportOf(vector)),
    { certificates: leavesOf(vector), crls: [], ...changes },
    { now: at, anchors: AMD_ANCHORS },
  )
}

function refusal(code: RefusalCode): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof Refusal, String(error))
    assert.equal(error.code, code, error.message)
    return true
  }
}

test('the captured SEV-SNP reports are there to be verified', { skip: skipVectors }, () => {
  assert.equal(vectors.length, 23)
  assert.equal(valid.length, 18)
  assert.equal(withoutLeaf.length, 5)
})

for (const vector of valid) {
  test(`${vector.name} verifies at its suggested time and says what it is known to say`, async () => {
    const { claims, steps, validUntil } = await verifyVector(vector)
    const { report } = vector.meta
    assert.ok(report)
    assert.equal(claims.snp.product, vector.product)
    assert.equal(claims.debug, vector.debug)
    assert.equal(claims.simulated, false)
    assert.equal(claims.reportVersion, report['version'])
    assert.equal(claims.reportData, report['report_data'])
    assert.equal(claims.measurement, report['measurement'])
    assert.equal(claims.hostData, report['host_data'])
    assert.equal(claims.snp.idKeyDigest, report['id_key_digest'])
    assert.equal(claims.snp.authorKeyDigest, report['author_key_digest'])
    // One reference value was written without its leading zero.
    assert.equal(claims.snp.reportId, String(report['report_id']).padStart(64, '0'))
    assert.equal(claims.snp.chipId, report['chip_id'])
    assert.equal(claims.snp.vmpl, report['vmpl'])
    assert.equal(claims.snp.guestSvn, report['guest_svn'])
    assert.equal(claims.snp.policy.smtAllowed, report['smt'])
    assert.equal(claims.snp.policy.debugAllowed, report['debug'])
    assert.equal(claims.snp.policy.migrateMaAllowed, report['migrate_ma'])
    assert.equal(claims.snp.policy.singleSocketRequired, report['single_socket'])
    assert.equal(claims.snp.signingKey, report['signing_key'])
    assert.equal(claims.snp.maskChipKey, report['mask_chip_key'])
    assert.equal(claims.snp.authorKeyEnabled, report['author_key_en'])
    assert.equal(BigInt(`0x${claims.snp.platformInfoBits}`), BigInt(String(report['platform_info'])))
    assert.equal(claims.snp.revocation, 'not-supplied')
    assert.match(steps.find(({ name }) => name === 'amd-revocation')?.looked ?? '', /^NOT SUPPLIED/)
    const firstEnd = Math.min(...leavesOf(vector).map(({ notAfter }) => notAfter))
    assert.ok(validUntil.getTime() >= firstEnd)
  })

  test(`${vector.name} is refused once its VCEK or VLEK has expired`, async () => {
    const lastEnd = Math.max(...leavesOf(vector).map(({ notAfter }) => notAfter))
    await assert.rejects(verifyVector(vector, {}, new Date(lastEnd + 1000)), refusal('certificate-expired'))
  })

  test(`${vector.name} is refused before its VCEK or VLEK was issued`, async () => {
    const firstBegin = Math.min(...leavesOf(vector).map(({ notBefore }) => notBefore))
    await assert.rejects(
      verifyVector(vector, {}, new Date(firstBegin - 1000)),
      refusal('certificate-not-yet-valid'),
    )
  })
}

for (const vector of withoutLeaf) {
  test(`${vector.name}, whose VCEK nobody supplied, is refused for the want of it`, async () => {
    await assert.rejects(verifyVector(vector), refusal('endorsement-missing'))
  })
}

for (const vector of vectors) {
  test(`${vector.name} is encoded to the same bytes that it was parsed from`, () => {
    assert.deepEqual(encodeSnpReport(parseSnpEvidence(reportOf(vector)).report), reportOf(vector))
  })
}

test('a report with the VCEK of another chip is refused for the chip', { skip: skipVectors }, async () => {
  const [one, other] = ['cdai-evidence-v1-hcl', 'azsamples-get-sevsnp-jwt'].map(name =>
    valid.find(vector => vector.name === name),
  )
  assert.ok(one && other)
  const now = new Date('2024-01-01T00:00:00Z')
  await assert.rejects(
    verifyVector(one, { certificates: leavesOf(other) }, now),
    refusal('hardware-id-mismatch'),
  )
})

const ofMilan = valid.find(({ name }) => name === 'cdai-live-evidence-hcl')
const ofGenoa = valid.find(({ name }) => name === 'coco-evidence-genoa-hcl')

test('AMD’s captured revocation lists are consulted in their windows', { skip: skipVectors }, async () => {
  for (const [vector, file, now] of [
    [ofMilan, 'milan-20250506.der', '2025-06-01T00:00:00Z'],
    [ofGenoa, 'genoa-20241023.der', '2025-06-01T00:00:00Z'],
  ] as const) {
    assert.ok(vector)
    const crl = readAmdCrl(file)
    const { claims, steps, validUntil } = await verifyVector(vector, { crls: [crl] }, new Date(now))
    assert.equal(claims.snp.revocation, 'checked')
    assert.match(steps.find(({ name }) => name === 'amd-revocation')?.looked ?? '', /^revocation list of ARK/)
    assert.equal(validUntil.getTime(), crl.nextUpdate)
  }
})

test('a captured revocation list outside of its window is claimed as none', {
  skip: skipVectors,
}, async () => {
  assert.ok(ofMilan)
  const crls = [readAmdCrl('milan-20250506.der')]
  for (const now of ['2026-06-01T00:00:00Z', '2025-03-01T00:00:00Z']) {
    const { claims } = await verifyVector(ofMilan, { crls }, new Date(now))
    assert.equal(claims.snp.revocation, 'outside-window')
  }
})

test('another product’s revocation list does not count', { skip: skipVectors }, async () => {
  assert.ok(ofMilan)
  const crls = [readAmdCrl('genoa-20241023.der')]
  const { claims } = await verifyVector(ofMilan, { crls }, new Date('2025-06-01T00:00:00Z'))
  assert.equal(claims.snp.revocation, 'not-supplied')
})
