// What one root's hierarchy signs says nothing about another's platforms: endorsements of a simulator beside a
// vendor's change no verdict in either direction, nor does anything that nobody's key signed.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
  type IntelPlatformOptions,
  intelPlatformFromJSON,
} from '@casemate/simulator'
import {
  type EndorsementSource,
  parse,
  readEndorsements,
  type TrustAnchor,
  VENDOR_ANCHORS,
  type Verified,
  verify,
} from '../src/index.ts'
import { parseCertificate, readPem } from '../src/x509.ts'
import { refusal } from './expect-refusal.ts'
import {
  intelCertificates,
  readIntelVector,
  readVectorFile,
  skipVectors,
  suggestedEndorsements,
} from './intel/vectors.ts'
import { privateKey, reissue } from './reissue.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
const later = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS)
const REPORT_DATA = new Uint8Array(64).fill(7)
const revoked = { status: 'Revoked', advisoryIds: ['INTEL-SA-00001'] } as const
/** Not as newer, and judged badly in everything. */
const VENDOR: IntelPlatformOptions = {
  tcbEvaluationDataNumber: 19,
  statuses: { platform: revoked, qe: revoked, module: revoked },
}

let vendor: IntelPlatform
let simulator: IntelPlatform
let anchors: readonly TrustAnchor[]

before(async () => {
  vendor = await createIntelPlatform({ now: NOW, ...VENDOR })
  simulator = await createIntelPlatform({ now: NOW })
  anchors = [...vendor.anchors.map(anchor => ({ ...anchor, simulated: false })), ...simulator.anchors]
})

function verifyBy(
  platform: IntelPlatform,
  sources: readonly EndorsementSource[],
  now = NOW,
): Promise<Verified> {
  return verify(parse(platform.tdxQuote({ reportData: REPORT_DATA })), readEndorsements(sources), {
    now,
    anchors,
    minTcbEvaluationDataNumber: 'any',
  })
}

const named = (platform: IntelPlatform, name: string): EndorsementSource =>
  platform.endorsements.find(it => it.name === name) ?? assert.fail(name)
const without = (platform: IntelPlatform, ...names: readonly string[]): readonly EndorsementSource[] =>
  platform.endorsements.filter(({ name }) => !names.includes(name))

test('endorsements of two roots in one bag judge each platform as its own alone do', async () => {
  for (const platform of [vendor, simulator]) {
    const { claims, validUntil } = await verifyBy(platform, platform.endorsements)
    assert.equal(claims.tcbStatus, platform === vendor ? 'Revoked' : 'UpToDate')
    assert.equal(claims.simulated, platform === simulator)
    for (const both of [
      [...vendor.endorsements, ...simulator.endorsements],
      [...simulator.endorsements, ...vendor.endorsements],
      [...simulator.endorsementsAt(later(-1)), ...vendor.endorsements, ...simulator.endorsements],
    ]) {
      const merged = await verifyBy(platform, both)
      assert.deepEqual(merged.claims, claims)
      assert.deepEqual(merged.validUntil, validUntil)
    }
  }
})

for (const name of ['tdx-tcb-info.json', 'td-qe-identity.json']) {
  test(`${name} of another root alone is refused for its root`, async () => {
    const sources = [...without(vendor, name), ...simulator.endorsements]
    const found = await refusal(verifyBy(vendor, sources))
    assert.equal(found.code, 'chain-untrusted', found.message)
    assert.equal(found.steps.at(-1)?.name, name.startsWith('td-') ? 'pck-revocation' : 'qe-identity')
  })

  test(`an own ${name} that has expired is named before that of another root`, async () => {
    const now = later(31)
    const fresh = vendor.endorsementsAt(now).filter(it => it.name !== name)
    const found = await refusal(
      verifyBy(vendor, [...fresh, named(vendor, name), ...simulator.endorsementsAt(now)], now),
    )
    assert.equal(found.code, 'endorsement-expired', found.message)
  })

  test(`${name} that says a higher evaluation number than was signed does not block the signed one`, async () => {
    const text = new TextDecoder().decode(named(vendor, name).bytes)
    const forged = {
      name: 'forged',
      bytes: new TextEncoder().encode(text.replace('DataNumber":19', 'DataNumber":99')),
    }
    assert.notDeepEqual(forged.bytes, named(vendor, name).bytes)
    const { claims } = await verifyBy(vendor, [forged, ...vendor.endorsements])
    assert.deepEqual(claims, (await verifyBy(vendor, vendor.endorsements)).claims)
    const found = await refusal(verifyBy(vendor, [forged, ...without(vendor, name)]))
    assert.equal(found.code, 'endorsement-signature-invalid', found.message)
  })
}

test('a signer that may not sign does not block the one that may', async () => {
  const { settings, keys, ...rest } = vendor.toJSON()
  const stranger = simulator.toJSON().keys.tcbSigning
  const newer = await intelPlatformFromJSON(
    {
      ...rest,
      settings: { ...settings, tcbEvaluationDataNumber: 30 },
      keys: { ...keys, tcbSigning: stranger },
    },
    { now: NOW },
  )
  const both = (signing: EndorsementSource): readonly EndorsementSource[] => [
    named(newer, 'tdx-tcb-info.json'),
    named(newer, 'td-qe-identity.json'),
    signing,
    ...vendor.endorsements,
  ]
  const chain = named(newer, 'tcb-signing-chain.pem')
  assert.equal((await verifyBy(vendor, both(chain))).claims.tcbEvaluationDataNumber, 30)
  // The same key, certified by the authority of PCKs instead of the root.
  const [signing] = readPem(new TextDecoder().decode(chain.bytes))
  const [authority] = readPem(new TextDecoder().decode(named(vendor, 'pck-crl-issuer-chain.pem').bytes))
  assert.ok(signing && authority)
  const issuer = Uint8Array.from(Buffer.from(parseCertificate(authority.der).subject, 'hex'))
  const bytes = reissue(signing.der, privateKey(keys.intermediate), { issuer })
  const { claims } = await verifyBy(vendor, both({ name: 'by the PCK CA', bytes }))
  assert.equal(claims.tcbEvaluationDataNumber, 19)
})

test('revocation lists of another root of the same name are none', async () => {
  for (const name of ['pck-crl.der', 'root-ca-crl.der']) {
    const alone = await refusal(verifyBy(vendor, without(vendor, name)))
    assert.equal(alone.code, 'crl-missing')
    const beside = await refusal(verifyBy(vendor, [...without(vendor, name), ...simulator.endorsements]))
    assert.equal(beside.code, 'crl-missing', beside.message)
  }
})

test('a captured quote verifies beside a simulator’s endorsements for the same family', async t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  const vector = readIntelVector('tdx', 'cdai-live-evidence')
  const fmspc = vector.meta.fmspc ?? assert.fail('no FMSPC')
  const now = new Date(vector.meta.suggested_time ?? assert.fail('no time'))
  const twin = await createIntelPlatform({ now, fmspc, tcbEvaluationDataNumber: 99 })
  const { tcbinfo, qe_identity } = vector.meta.suggested_collateral ?? {}
  const paths = [tcbinfo, qe_identity, ...(vector.meta.suggested_crls ?? [])]
  const real = paths
    .filter(path => typeof path === 'string')
    .map(path => ({ name: path, bytes: readVectorFile(path) }))
  const options = {
    now,
    anchors: [...VENDOR_ANCHORS, ...twin.anchors],
    minTcbEvaluationDataNumber: 'any',
  } as const
  const { claims } = await verify(
    parse(vector.quote),
    readEndorsements([...twin.endorsements, ...intelCertificates(), ...real]),
    options,
  )
  const alone = await verify(parse(vector.quote), suggestedEndorsements(vector), options)
  assert.deepEqual(claims, alone.claims)
  assert.equal(claims.simulated, false)
})

function snp(
  platform: AmdPlatform,
  sources: readonly EndorsementSource[],
  chipId?: Uint8Array,
): Promise<Verified> {
  const report = platform.snpReport({ reportData: REPORT_DATA, ...(chipId ? { chipId } : {}) })
  return verify(parse(report), readEndorsements(sources), {
    now: NOW,
    anchors: [...one.anchors.map(anchor => ({ ...anchor, simulated: false })), ...other.anchors],
    minTcbEvaluationDataNumber: 'any',
  })
}

let one: AmdPlatform
let other: AmdPlatform

for (const signingKey of ['VCEK', 'VLEK'] as const) {
  test(`${signingKey}s, authorities and lists of two AMD roots in one bag change no verdict`, async () => {
    const options = { now: NOW, modulusBits: 2048, signingKey } as const
    one = await createAmdPlatform(options)
    other = await createAmdPlatform({ ...options, hardwareId: new Uint8Array(64) })
    // Masked, so that the chip id does not tell which certificate is meant.
    const chipId = new Uint8Array(64)
    for (const platform of [one, other]) {
      const { claims } = await snp(platform, platform.endorsements, chipId)
      assert.equal(claims.simulated, platform === other)
      for (const both of [
        [...one.endorsements, ...other.endorsements],
        [...other.endorsements, ...one.endorsements],
      ]) {
        assert.deepEqual((await snp(platform, both, chipId)).claims, claims)
      }
    }
    const listless = one.endorsements.filter(({ name }) => name !== 'crl.der')
    const { claims } = await snp(one, listless, chipId)
    assert.deepEqual((await snp(one, [...other.endorsements, ...listless], chipId)).claims, claims)
    assert.ok(claims.kind === 'snp' && claims.snp.revocation === 'not-supplied')
  })

  test(`a ${signingKey} that its authority did not sign does not block the one that it did`, async () => {
    const { claims } = await snp(one, one.endorsements)
    const forged = Uint8Array.from(one.endorsements.find(({ name }) => name === 'leaf.der')?.bytes ?? [])
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    assert.deepEqual(
      (await snp(one, [{ name: 'forged', bytes: forged }, ...one.endorsements])).claims,
      claims,
    )
    const leafless = one.endorsements.filter(({ name }) => name !== 'leaf.der')
    const found = await refusal(snp(one, [{ name: 'forged', bytes: forged }, ...leafless]))
    assert.equal(found.code, 'certificate-signature-invalid', found.message)
  })
}
