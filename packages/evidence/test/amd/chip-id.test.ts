// Which machine a SEV-SNP report names: CHIP_ID, and the VCEK where that is masked.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { readEndorsements } from '../../src/read-endorsements.ts'
import { parseCertificate } from '../../src/x509.ts'
import { refuses } from '../expect-refusal.ts'
import { reissue } from '../reissue.ts'
import { createPlatform, MASKED, verifyOn } from './isolated.ts'

const milan = await createPlatform()
const vlek = await createPlatform({ signingKey: 'VLEK' })
const turin = await createPlatform({ product: 'Turin' })

test('a chip id that is not the VCEK’s is refused', async () => {
  await refuses('hardware-id-mismatch', verifyOn(milan, { request: { chipId: new Uint8Array(64).fill(1) } }))
})

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
