// Reports and endorsements of a simulated AMD platform, read by node:crypto and OpenSSL, which we did not write.

import assert from 'node:assert/strict'
import { randomBytes, verify, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { type AmdPlatform, amdPlatformFromJSON, createAmdPlatform } from '../src/index.ts'
import { opensslCertificateText, opensslCrlText, opensslMissing, opensslVerify } from './openssl.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
/** Large enough for RSA-PSS SHA-384, and quick to generate. */
const MODULUS_BITS = 2048

function certificates(platform: AmdPlatform): Record<'leaf' | 'intermediate' | 'ark', X509Certificate> {
  const [leaf, chain] = platform.endorsements
  const [ask = '', ark = ''] = Buffer.from(chain!.bytes)
    .toString()
    .split(/(?<=-----END CERTIFICATE-----\n)/)
  return {
    leaf: new X509Certificate(leaf!.bytes),
    intermediate: new X509Certificate(ask),
    ark: new X509Certificate(ark),
  }
}

function crl(platform: AmdPlatform): Uint8Array {
  return platform.endorsements.find(({ name }) => name === 'crl.der')!.bytes
}

/** r ‖ s big-endian from the report’s little-endian fields of 72 bytes. */
function signatureOf(report: Uint8Array): Buffer {
  const component = (offset: number) => Buffer.from(report.subarray(offset, offset + 48)).reverse()
  return Buffer.concat([component(0x2a0), component(0x2e8)])
}

function isSignedBy(report: Uint8Array, leaf: X509Certificate): boolean {
  return verify(
    'sha384',
    report.subarray(0, 0x2a0),
    { key: leaf.publicKey, dsaEncoding: 'ieee-p1363' },
    signatureOf(report),
  )
}

for (const product of ['Milan', 'Genoa', 'Turin'] as const) {
  for (const signingKey of ['VCEK', 'VLEK'] as const) {
    test(`node:crypto verifies the report and chain of ${product} with a ${signingKey}`, async () => {
      const platform = await createAmdPlatform({ now: NOW, product, signingKey, modulusBits: MODULUS_BITS })
      const { leaf, intermediate, ark } = certificates(platform)
      assert.ok(ark.verify(ark.publicKey))
      assert.ok(intermediate.verify(ark.publicKey))
      assert.ok(leaf.verify(intermediate.publicKey))
      const report = platform.snpReport({ reportData: randomBytes(64) })
      assert.equal(report.length, 1184)
      assert.ok(isSignedBy(report, leaf))
    })
  }
}

test('every report version is signed, and only the fields of its version are set', async () => {
  const platform = await createAmdPlatform({ now: NOW, modulusBits: MODULUS_BITS })
  const { leaf } = certificates(platform)
  const reportData = randomBytes(64)
  for (const version of [2, 3, 4, 5] as const) {
    const report = Buffer.from(platform.snpReport({ reportData, version }))
    assert.equal(report.readUInt32LE(0), version)
    assert.deepEqual(report.subarray(0x50, 0x90), reportData)
    assert.equal(report.subarray(0x188, 0x18b).toString('hex'), version === 2 ? '000000' : '190101')
    assert.ok(isSignedBy(report, leaf))
  }
})

test('tampering after signing leaves everything but the one field as it was', async () => {
  const platform = await createAmdPlatform({ now: NOW, modulusBits: MODULUS_BITS })
  const report = platform.snpReport({ reportData: new Uint8Array(64), tamper: ['measurement'] })
  assert.equal(isSignedBy(report, certificates(platform).leaf), false)
  report[0x90]! ^= 1
  assert.ok(isSignedBy(report, certificates(platform).leaf))
})

test('a chip id fills the report on Milan and eight bytes of it on Turin', async () => {
  for (const [product, size] of [
    ['Milan', 64],
    ['Turin', 8],
  ] as const) {
    const hardwareId = randomBytes(size)
    const platform = await createAmdPlatform({ now: NOW, product, hardwareId, modulusBits: MODULUS_BITS })
    const report = platform.snpReport({ reportData: new Uint8Array(64) })
    assert.deepEqual(
      Buffer.from(report.subarray(0x1a0, 0x1e0)),
      Buffer.concat([hardwareId, Buffer.alloc(64 - size)]),
    )
  }
})

test('the decoded report of KBS evidence holds the bytes of the binary one', async () => {
  const platform = await createAmdPlatform({ now: NOW, product: 'Turin', modulusBits: MODULUS_BITS })
  const { attestation_report, cert_chain } = platform.kbsEvidence(
    platform.snpReport({ reportData: '5a'.repeat(64) }),
  )
  assert.deepEqual(attestation_report['report_data'], Array(64).fill(0x5a))
  assert.deepEqual(attestation_report['reported_tcb'], platform.settings.tcb)
  assert.equal(attestation_report['policy'], 0x30000)
  assert.equal(attestation_report['cpuid_fam_id'], 0x1a)
  assert.deepEqual(cert_chain?.[0]?.data, [...certificates(platform).leaf.raw])
})

test('a stored platform has the same root and keys after it is reopened', async () => {
  const platform = await createAmdPlatform({ now: NOW, modulusBits: MODULUS_BITS })
  const later = new Date(NOW.getTime() + 200 * DAY_MS)
  const reopened = await amdPlatformFromJSON(JSON.parse(JSON.stringify(platform)), { now: later })
  assert.deepEqual(reopened.anchors, platform.anchors)
  assert.deepEqual(reopened.settings, platform.settings)
  const report = reopened.snpReport({ reportData: new Uint8Array(64) })
  assert.ok(isSignedBy(report, certificates(platform).leaf))
})

test('openssl accepts the chain, and refuses it once the list revokes it', {
  skip: opensslMissing(),
}, async () => {
  const chainOf = (platform: AmdPlatform) => {
    const { leaf, intermediate, ark } = certificates(platform)
    const common = { root: ark.raw, at: NOW, strict: false }
    return {
      ofLeaf: { ...common, intermediates: [intermediate.raw], leaf: leaf.raw, crls: [] },
      // AMD lists its signing keys, not the leaves below them.
      ofSigningKey: { ...common, intermediates: [], leaf: intermediate.raw, crls: [crl(platform)] },
    }
  }
  const platform = await createAmdPlatform({ now: NOW, modulusBits: MODULUS_BITS })
  opensslVerify(chainOf(platform).ofLeaf)
  opensslVerify(chainOf(platform).ofSigningKey)
  assert.match(opensslCrlText(crl(platform)), /No Revoked Certificates/)

  const revoked = await createAmdPlatform({
    now: NOW,
    modulusBits: MODULUS_BITS,
    faults: { revoked: ['intermediate'] },
  })
  opensslVerify(chainOf(revoked).ofLeaf)
  assert.throws(() => opensslVerify(chainOf(revoked).ofSigningKey), /certificate revoked/)
  assert.match(opensslCrlText(crl(revoked)), /Serial Number: 010001\n/)
})

test('openssl reads the leaf’s extensions as those of a VCEK', { skip: opensslMissing() }, async () => {
  const platform = await createAmdPlatform({ now: NOW, product: 'Turin', modulusBits: MODULUS_BITS })
  const text = opensslCertificateText(certificates(platform).leaf.raw)
  for (const path of ['1.1', '1.2', '1.3.9', '1.3.1', '1.3.2', '1.3.3', '1.3.8', '1.4']) {
    assert.ok(text.includes(`1.3.6.1.4.1.3704.${path}: `), path)
  }
  assert.match(text, /Salt Length: 0x30/)
  assert.match(text, /CN = SEV-VCEK/)
})
