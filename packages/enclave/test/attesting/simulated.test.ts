// The simulated driver: evidence that verifies under its own roots, of the code that it was told to pretend.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  type Claims,
  extendedRegister,
  type ParsedEvidence,
  parse,
  parseKbsEvidence,
  readEndorsements,
  verify,
} from '@casemate/evidence'
import { kbsAttester } from '../../src/attesting/kbs.ts'
import { openSimulatedDriver, type SimulatedDriver } from '../../src/attesting/simulated.ts'
import { openSimulatedPlatform } from '../../src/attesting/simulated-platform.ts'
import { ENCLAVE_CLASS } from '../../src/attesting/statement.ts'
import { encodeImage, parseImage } from '../../src/image/image.ts'
import { signImage } from '../../src/image/sign.ts'
import { rejectsCode } from '../expect-code.ts'
import { DATE, SIGNING } from '../image/keys.ts'
import { EMPTY_MODULE, MANIFEST } from '../image/samples.ts'

const NOW = new Date('2026-11-25T12:00:00Z')
const REPORT_DATA = Uint8Array.from({ length: 64 }, (_, index) => index)
const directory = mkdtempSync(join(tmpdir(), 'casemate-simulated-'))
after(() => rmSync(directory, { recursive: true }))

async function claimsOf(driver: SimulatedDriver): Promise<Claims> {
  const quote = await driver.quote(REPORT_DATA)
  return verified(driver, parse(quote.evidence))
}

async function verified(driver: SimulatedDriver, evidence: ParsedEvidence): Promise<Claims> {
  const { anchors, endorsements } = driver.trust
  return (
    await verify(evidence, readEndorsements(endorsements), {
      now: NOW,
      anchors,
      minTcbEvaluationDataNumber: 'any',
    })
  ).claims
}

for (const kind of ['sgx', 'tdx', 'snp'] as const) {
  test(`${kind} evidence carries the report data and is simulated under the platform’s own trust`, async () => {
    const driver = await openSimulatedDriver({ directory, kind, now: NOW })
    const claims = await claimsOf(driver)
    assert.equal(driver.simulated, true)
    assert.equal(claims.kind, kind)
    assert.equal(claims.simulated, true)
    assert.equal(claims.reportData, Buffer.from(REPORT_DATA).toString('hex'))
  })

  test(`what ${kind} measures is a hash of the code’s name`, async () => {
    const of = async (code: string) =>
      (await claimsOf(await openSimulatedDriver({ directory, kind, code, now: NOW }))).measurement
    assert.equal(await of('one'), await of('one'))
    assert.notEqual(await of('one'), await of('other'))
  })

  test(`${kind} evidence reaches a broker as its guests send it`, async () => {
    const driver = await openSimulatedDriver({ directory, kind, now: NOW })
    const attester = kbsAttester(driver, null)
    assert.equal(attester.tee, kind)
    assert.equal(attester.additionalEvidence, undefined)
    const evidence = parseKbsEvidence(kind, JSON.parse(JSON.stringify(await attester.evidence(REPORT_DATA))))
    assert.equal((await verified(driver, evidence)).kind, kind)
  })
}

for (const debug of [false, true]) {
  test(`an SGX quote has the identity of the ${debug ? 'debug' : 'production'} image that runs`, async () => {
    const manifest = { ...MANIFEST, debug }
    const image = parseImage(
      signImage(encodeImage(manifest, EMPTY_MODULE), { ...DATE, privateKey: SIGNING.privateKey }),
    )
    assert.ok(image.sigstruct)
    const enclave = { sigstruct: image.sigstruct.bytes }
    const claims = await claimsOf(await openSimulatedDriver({ directory, kind: 'sgx', enclave, now: NOW }))
    assert.ok(claims.kind === 'sgx')
    assert.equal(claims.sgx.mrEnclave, Buffer.from(image.mrEnclave).toString('hex'))
    assert.equal(claims.sgx.mrSigner, Buffer.from(image.sigstruct.mrSigner).toString('hex'))
    assert.equal(claims.sgx.isvProdId, MANIFEST.isvProdId)
    assert.equal(claims.sgx.isvSvn, MANIFEST.isvSvn)
    assert.equal(claims.debug, debug)
  })
}

test('a statement travels as the additional evidence of its class', async () => {
  const driver = await openSimulatedDriver({ directory, kind: 'tdx', now: NOW })
  const { additionalEvidence = '' } = kbsAttester(driver, { sigstruct: Uint8Array.of(1, 2, 3) })
  assert.deepEqual(JSON.parse(additionalEvidence), { [ENCLAVE_CLASS]: { sigstruct: 'AQID' } })
})

test('an SNP attester sends the leaf certificate along, so that nobody has to ask for it', async () => {
  const driver = await openSimulatedDriver({ directory, kind: 'snp', now: NOW })
  const sent = (await kbsAttester(driver, null).evidence(REPORT_DATA)) as {
    cert_chain: { cert_type: string }[]
  }
  assert.deepEqual(
    sent.cert_chain.map(one => one.cert_type),
    ['VCEK'],
  )
})

test('a simulated TD shows one enclave in RTMR3, as a real one would', async () => {
  const statementOf = (isvSvn: number) => {
    const image = encodeImage({ ...MANIFEST, isvSvn }, EMPTY_MODULE)
    const { sigstruct } = parseImage(signImage(image, { ...DATE, privateKey: SIGNING.privateKey }))
    assert.ok(sigstruct)
    return { sigstruct: sigstruct.bytes }
  }
  const driver = await openSimulatedDriver({ directory, kind: 'tdx', now: NOW })
  const rtmr3 = async (): Promise<string | null> => {
    const claims = await claimsOf(driver)
    return claims.kind === 'tdx' ? claims.tdx.rtmr3 : null
  }
  assert.equal(await rtmr3(), '00'.repeat(48))
  assert.equal(await driver.extendRegister?.(statementOf(3)), 'extended')
  const shown = Buffer.from(await extendedRegister(statementOf(3))).toString('hex')
  assert.equal(await rtmr3(), shown)
  assert.equal(await driver.extendRegister?.(statementOf(3)), 'extended')
  assert.equal(await driver.extendRegister?.(statementOf(4)), 'taken')
  assert.equal(await rtmr3(), shown)
  assert.equal((await openSimulatedDriver({ directory, kind: 'snp', now: NOW })).extendRegister, undefined)
})

test('report data of another size is refused before anything is signed', async () => {
  const driver = await openSimulatedDriver({ directory, now: NOW })
  await rejectsCode('invalid-parameter', driver.quote(new Uint8Array(48)))
})

test('processes that make the same platform at the same time end up with one', async t => {
  const shared = mkdtempSync(join(tmpdir(), 'casemate-simulated-'))
  t.after(() => rmSync(shared, { recursive: true }))
  const all = await Promise.all([1, 2, 3].map(() => openSimulatedPlatform(shared, NOW)))
  const [first, ...others] = all.map(one =>
    one.trust.anchors.map(anchor => Buffer.from(anchor.spki).toString('hex')),
  )
  for (const other of others) assert.deepEqual(other, first)
  assert.deepEqual(readdirSync(shared).toSorted(), ['amd.json', 'intel.json', 'public-trust.json'])
})

test('private keys are the owner’s alone, and the public trust holds none', () => {
  for (const name of ['intel.json', 'amd.json']) {
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600)
  }
  assert.doesNotMatch(readFileSync(join(directory, 'public-trust.json'), 'utf8'), /PRIVATE|"keys"/)
})

test('a damaged file is named, and not made anew', async t => {
  const damaged = mkdtempSync(join(tmpdir(), 'casemate-simulated-'))
  t.after(() => rmSync(damaged, { recursive: true }))
  writeFileSync(join(damaged, 'intel.json'), '{}')
  await rejectsCode('simulator-invalid', openSimulatedPlatform(damaged, NOW))
  assert.equal(readFileSync(join(damaged, 'intel.json'), 'utf8'), '{}')
})
