// A guest that states the enclave that it runs: accepted where evidence, statement and policy agree, and recorded with both
// layers; every way to claim another enclave is refused.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sgxKbsEvidence, tdxKbsEvidence } from '@casemate/evidence'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
} from '@casemate/simulator'
import * as jose from 'jose'
import type { JsonObject } from '../../src/json.ts'
import { DEBUG, MR_ENCLAVE, MR_SIGNER, statement } from './enclave-signed.ts'
import { type Answer, type AttestBody, Guest, type GuestOptions } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { type Harness, LENIENT, openHarness, START } from './harness.ts'

const STATED = statement()
const WANTED = { mrEnclave: MR_ENCLAVE, mrSigner: MR_SIGNER, isvProdId: 7, minIsvSvn: 3 }

let intel: IntelPlatform
let amd: AmdPlatform
let broker: Harness

before(async () => {
  intel = await createIntelPlatform({ now: START })
  amd = await createAmdPlatform({ now: START, modulusBits: 2048 })
  broker = await openHarness({
    platforms: [intel, amd],
    flags: { 'auth-limit': '10000' },
    policy: { ...LENIENT, enclave: WANTED },
  })
  await broker.putSecret('default/key/disk', 'correct horse')
  await broker.putDocument('rule', 'disk', {
    secrets: 'default/key/*',
    expression: `claims.enclave != null && claims.enclave.mrEnclave == "${MR_ENCLAVE}" && claims.enclave.isvSvn >= 3`,
    message: 'a test',
    enabled: true,
  })
})

after(() => broker.close())

const tdx = (reportData: Buffer): unknown => tdxKbsEvidence(intel.tdxQuote({ reportData }))
const evidenceOf = {
  tdx,
  sgx: (reportData: Buffer) => sgxKbsEvidence(intel.sgxQuote({ reportData })),
  snp: (reportData: Buffer) => amd.kbsEvidence(amd.snpReport({ reportData })),
} as const

const newGuest = (options: Partial<GuestOptions> = {}): Guest =>
  new Guest({ app: broker.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence: tdx, ...options })

async function attesting(additional: string, options: Partial<GuestOptions> = {}): Promise<[Guest, Answer]> {
  const guest = newGuest(options)
  await guest.auth()
  return [guest, await guest.attest(() => guest.attestBody(additional))]
}

async function lastExplanation(): Promise<JsonObject> {
  const { items } = await broker.context.store.attestations.list('any', { limit: 1, after: null })
  const found = await broker.context.store.attestations.find(items[0]?.id ?? '')
  assert.ok(found)
  return found.explanation
}

/** Refused, with this code on record; violations of these paths where it was appraised. */
async function refused(answer: Answer, code: string, paths: readonly string[] = []): Promise<void> {
  assert.equal(answer.status, 401, answer.text)
  const explanation = await lastExplanation()
  assert.equal(explanation['code'], code)
  const violations = (explanation['result'] as JsonObject | null)?.['violations'] as JsonObject[] | undefined
  assert.deepEqual(violations?.map(({ path }) => path) ?? [], paths)
}

for (const tee of ['tdx', 'sgx', 'snp'] as const) {
  test(`a ${tee} machine that states the wanted enclave gets the secret under the same policy and rule`, async () => {
    const [guest, answer] = await attesting(STATED, { tee, evidence: evidenceOf[tee] })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(guest.decrypt(await guest.fetch('default/key/disk')), 'correct horse')
  })
}

test('token, record and ledger have both layers', async () => {
  const [guest] = await attesting(STATED)
  const { submods } = jose.decodeJwt<{ submods: { cpu0: Record<string, JsonObject> } }>(guest.token)
  const annotated = submods.cpu0['ear.veraison.annotated-evidence']
  assert.ok(annotated?.['tdx'])
  assert.equal((annotated['casemate_enclave'] as JsonObject)['mr_enclave'], MR_ENCLAVE)
  const explanation = await lastExplanation()
  const claims = explanation['claims'] as JsonObject
  assert.equal((claims['enclave'] as JsonObject)['measuredBy'], 'host')
  assert.equal((claims['enclave'] as JsonObject)['mrSigner'], MR_SIGNER)
  const steps = explanation['steps'] as JsonObject[]
  assert.deepEqual(
    steps.slice(-2).map(({ name }) => name),
    ['enclave-signature', 'enclave-measurement'],
  )
  const checks = (explanation['result'] as JsonObject)['checks'] as JsonObject[]
  assert.equal(checks.find(({ path }) => path === 'workloads')?.['outcome'], 'not-checked')
  const [recorded] = (await broker.entries('attestation.accepted')).slice(-1)
  assert.equal(recorded?.['enclave'], MR_ENCLAVE)
  assert.equal(recorded?.['measurement'], claims['measurement'])
})

test('a policy that demands an enclave refuses a machine that states none', async () => {
  for (const additional of ['', '{}']) {
    const [, answer] = await attesting(additional)
    await refused(answer, 'appraisal-refused', ['enclave'])
  }
})

test('a statement that is swapped after it was hashed is refused as unbound', async () => {
  const guest = newGuest()
  await guest.auth()
  const swap = (made: AttestBody): AttestBody => ({
    ...made,
    'tee-evidence': { ...made['tee-evidence'], additional_evidence: STATED },
  })
  const own = statement({ enclaveHash: new Uint8Array(32).fill(1) })
  const answer = await guest.attest(() => swap(guest.attestBody(own) as AttestBody))
  await refused(answer, 'appraisal-refused', ['reportData'])
})

test('a statement that is added to evidence without one is refused as unbound', async () => {
  const guest = newGuest()
  await guest.auth()
  const answer = await guest.attest(made => ({
    ...made,
    'tee-evidence': { ...made['tee-evidence'], additional_evidence: STATED },
  }))
  await refused(answer, 'appraisal-refused', ['reportData'])
})

test('a SIGSTRUCT that its signer did not sign is refused, though the evidence binds it', async () => {
  const bytes = Buffer.from(JSON.parse(STATED)['casemate-enclave'].sigstruct, 'base64url')
  bytes.writeUInt16LE(9, 1026)
  const forged = STATED.replace(/"[\w-]{100,}"/, `"${bytes.toString('base64url')}"`)
  const [, answer] = await attesting(forged)
  await refused(answer, 'enclave-signature-invalid')
  const passed = (await lastExplanation())['steps'] as JsonObject[]
  assert.ok(passed.some(({ name }) => name === 'quote-signature'))
})

const FORMS: Readonly<Record<string, string>> = {
  'names its member twice': STATED.replace('"}}', '","sigstruct":""}}'),
  'has another member': STATED.replace('"}}', '","svn":9}}'),
  'has white space': STATED.replace(':{', ': {'),
  'names its class twice': `${STATED.slice(0, -1)},${STATED.slice(1)}`,
  'is no SIGSTRUCT': '{"casemate-enclave":{"sigstruct":"AAAA"}}',
  'is empty': '{"casemate-enclave":{}}',
  'is null': '{"casemate-enclave":null}',
}
for (const [form, text] of Object.entries(FORMS)) {
  test(`a statement that ${form} is refused as malformed`, async () => {
    const [, answer] = await attesting(text)
    await refused(answer, 'enclave-malformed')
  })
}

test('other classes of devices are refused, beside a statement as well, and so is a huge one', async () => {
  for (const text of [
    '{"nvidia":{}}',
    STATED.replace('}}', '},"nvidia":{}}'),
    STATED.replace('{"', '{"nvidia":{},"'),
    `[${STATED}]`,
    STATED.replace('"}}', `${'A'.repeat(100_000)}"}}`),
  ]) {
    const [, answer] = await attesting(text)
    assert.equal(answer.status, 401)
    assert.match(answer.body.detail, /^device-evidence-unsupported: .*casemate-enclave/)
  }
})

test('a debug enclave on a production machine is refused', async () => {
  const [, answer] = await attesting(statement(DEBUG))
  await refused(answer, 'appraisal-refused', ['enclave.debug'])
})

test('an older security version and another product are refused', async () => {
  await refused((await attesting(statement({ isvSvn: 2 })))[1], 'appraisal-refused', ['enclave.minIsvSvn'])
  await refused((await attesting(statement({ isvProdId: 8 })))[1], 'appraisal-refused', ['enclave.isvProdId'])
})

for (const version of ['0.1.1', '0.2.0']) {
  test(`protocol ${version} binds no statement, so that none is believed`, async () => {
    const guest = newGuest({ version, key: GUEST_KEYS['RSA-OAEP-256']() })
    await guest.auth()
    const answer = await guest.attest(made => ({ ...made, additional_evidence: STATED }))
    await refused(answer, 'appraisal-refused', ['enclave'])
    await guest.auth()
    const inside = await guest.attest(made => {
      const evidence = made['tee-evidence'] as unknown as JsonObject
      return { ...made, 'tee-evidence': { ...evidence, additional_evidence: STATED } }
    })
    await refused(inside, 'evidence-malformed')
  })
}

test('a rule that reads the enclave denies where there is none', async () => {
  await broker.putDocument('policy', 'default', LENIENT)
  try {
    const [guest, answer] = await attesting('')
    assert.equal(answer.status, 200, answer.text)
    assert.equal((await guest.fetch('default/key/disk')).status, 403)
  } finally {
    await broker.putDocument('policy', 'default', { ...LENIENT, enclave: WANTED })
  }
})
