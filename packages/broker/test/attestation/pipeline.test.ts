// Explanations outside of a session, and attestations as the handshake hands them over.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createIntelPlatform, type IntelPlatform, PREVIOUS_CPU_SVN } from '@casemate/simulator'
import { type AttestationPipeline, createPipeline } from '../../src/attestation/pipeline.ts'
import { BrokerError } from '../../src/errors.ts'
import type { JsonObject } from '../../src/json.ts'
import { type Harness, LENIENT, openHarness, START } from '../kbs/harness.ts'

let intel: IntelPlatform
let broker: Harness
let pipeline: AttestationPipeline
let evidence: Uint8Array

before(async () => {
  intel = await createIntelPlatform({ now: START })
  broker = await openHarness({ platforms: [intel] })
  pipeline = createPipeline(broker.context)
  evidence = intel.tdxQuote({ reportData: Buffer.alloc(64, 1) })
})

after(() => broker.close())

const withCode = (code: string) => (error: unknown) => error instanceof BrokerError && error.code === code

test('evidence is explained under a stored policy, without a session and without a record', async () => {
  const explanation = await pipeline.explain({ endorsements: [], evidence, at: START, policy: 'default' })
  assert.equal(explanation['verdict'], 'accepted')
  assert.equal(explanation['code'], null)
  assert.ok((explanation['steps'] as readonly JsonObject[]).every(({ name, looked }) => name && looked))
  assert.equal((explanation['result'] as JsonObject)['policyId'], 'default')
  assert.equal(
    (await broker.context.store.attestations.list('any', { limit: 1, after: null })).items.length,
    0,
  )
})

test('evidence is explained with the endorsements that come with the question, and with no others after', async () => {
  const bare = await openHarness({ platforms: [{ anchors: intel.anchors, endorsements: [] }] })
  try {
    const { app } = bare
    const authorization = `Bearer ${await bare.admin('auditor')}`
    const ask = async (url: string, body: object) => {
      const payload = { evidence: Buffer.from(evidence).toString('base64'), ...body }
      const answer = await app.inject({ method: 'POST', url, headers: { authorization }, payload })
      return answer.json<{ verdict?: string; code?: string; error?: { code: string; message: string } }>()
    }
    const endorsements = intel.endorsements.map(({ bytes }) => Buffer.from(bytes).toString('base64'))
    for (const url of ['/v1/policies/default/test', '/v1/verify']) {
      assert.equal((await ask(url, {})).code, 'crl-missing')
      assert.equal((await ask(url, { endorsements })).verdict, 'accepted')
      assert.equal((await ask(url, {})).code, 'crl-missing')
      const bad = await ask(url, { endorsements: [...endorsements, 'bm9uZQ=='] })
      assert.equal(bad.error?.code, 'endorsement-malformed')
      assert.match(bad.error?.message ?? '', new RegExp(`endorsements\\[${endorsements.length}\\]`))
    }
  } finally {
    await bare.close()
  }
})

test('evidence is explained under a policy that is not stored', async () => {
  const policy = { ...LENIENT, name: 'trial', debug: false, tdx: { mrTd: ['00'.repeat(48)] } }
  const explanation = await pipeline.explain({ endorsements: [], evidence, at: START, policy })
  assert.equal(explanation['verdict'], 'refused')
  assert.equal(explanation['code'], 'appraisal-refused')
  const { violations } = explanation['result'] as { violations: readonly { path: string; hint: string }[] }
  assert.deepEqual(
    violations.map(({ path }) => path),
    ['tdx.mrTd'],
  )
})

test('an outdated platform is explained by the versions that are short, in claims, step and hint', async () => {
  const old = await createIntelPlatform({ now: START, cpuSvn: PREVIOUS_CPU_SVN })
  const its = await openHarness({ platforms: [old] })
  try {
    const quote = old.tdxQuote({ reportData: Buffer.alloc(64, 1) })
    const explained = createPipeline(its.context)
    const explanation = await explained.explain({
      evidence: quote,
      at: START,
      policy: 'default',
      endorsements: [],
    })
    assert.equal(explanation['code'], 'appraisal-refused')
    const wanted =
      /short of UpToDate \(2024-11-13\): SGX component 1 \(BIOS, Early Microcode Update\) is 2, want 3;/
    const { violations } = explanation['result'] as { violations: readonly { path: string; hint: string }[] }
    assert.match(violations.find(({ path }) => path === 'tcb.statuses')?.hint ?? '', wanted)
    const steps = explanation['steps'] as readonly { name: string; looked: string }[]
    assert.match(steps.find(({ name }) => name === 'tcb-status')?.looked ?? '', wanted)
    const { platform } = explanation['claims'] as { platform: { tcbShortfalls: readonly JsonObject[] } }
    assert.deepEqual(platform.tcbShortfalls[0], {
      part: 'sgx',
      index: 1,
      name: 'BIOS, Early Microcode Update',
      got: 2,
      wanted: 3,
      status: 'UpToDate',
      date: '2024-11-13T00:00:00Z',
    })
  } finally {
    await its.close()
  }
})

test('evidence that was judged by documents of before is judged again by those that are stored', async t => {
  const { documents, attestations } = broker.context.store
  const request = {
    client: '192.0.2.1',
    challenge: { nonce: 'judged again', endsAt: START },
    tee: 'tdx',
    primaryEvidence: { quote: Buffer.from(evidence).toString('base64') },
    enclaveStatement: null,
    reportData: '01'.repeat(64),
    initData: null,
    runtimeData: { nonce: 'judged again' },
    protocolVersion: '0.4.0',
  } as const
  const before = { policy: -1, reference: -1 }
  const first = { times: 1 }
  const { mock: old } = t.mock.method(documents, 'appraisalGenerations', async () => before, first)
  const { mock: recorded } = t.mock.method(attestations, 'insert')
  const { id } = await pipeline.attest(request)
  assert.deepEqual([old.callCount(), recorded.callCount()], [1, 2])
  assert.equal((await attestations.find(id))?.verdict, 'accepted')
})

test('refused evidence is an explanation, with the steps that passed', async () => {
  const late = new Date(START.getTime() + 400 * 86_400_000)
  const explanation = await pipeline.explain({ endorsements: [], evidence, at: late, policy: 'default' })
  assert.equal(explanation['verdict'], 'refused')
  const refusal = explanation['refusal'] as JsonObject
  assert.equal(explanation['code'], refusal['code'])
  assert.equal(typeof refusal['message'], 'string')
  assert.ok((explanation['steps'] as readonly JsonObject[]).length > 0)
})

test('an attestation is of one instant, whatever the clock shows while it is judged', async () => {
  let asked = 0
  // Each reading is a year after the last: a second one would find nothing that is still valid.
  const now = () => new Date(START.getTime() + 365 * 86_400_000 * asked++)
  const accepted = await createPipeline({ ...broker.context, now }).attest({
    client: '192.0.2.1',
    challenge: null,
    tee: 'tdx',
    primaryEvidence: { quote: Buffer.from(evidence).toString('base64') },
    enclaveStatement: null,
    reportData: '01'.repeat(64),
    initData: null,
    runtimeData: { nonce: 'n'.repeat(44) },
    protocolVersion: '0.4.0',
  })
  assert.equal(accepted.explanation.verdict, 'accepted')
  assert.equal(asked, 1)
  const recorded = await broker.context.store.attestations.find(accepted.id)
  assert.deepEqual(recorded?.at, START)
})

test('what is no evidence is explained too', async () => {
  const explanation = await pipeline.explain({
    endorsements: [],
    evidence: Buffer.from('hello'),
    at: START,
    policy: 'default',
  })
  assert.equal(explanation['verdict'], 'refused')
})

test('a policy that does not exist or is none is an error', async () => {
  await assert.rejects(
    pipeline.explain({ endorsements: [], evidence, at: START, policy: 'nobody' }),
    withCode('policy-missing'),
  )
  await assert.rejects(
    pipeline.explain({ endorsements: [], evidence, at: START, policy: { a: 1 } }),
    withCode('policy-invalid'),
  )
})

test('a policy that is changed counts at once', async () => {
  await broker.putDocument('policy', 'changing', { ...LENIENT, name: 'changing' })
  const verdict = async () =>
    (await pipeline.explain({ endorsements: [], evidence, at: START, policy: 'changing' }))['verdict']
  assert.equal(await verdict(), 'accepted')
  await broker.putDocument('policy', 'changing', {
    ...LENIENT,
    name: 'changing',
    version: 2,
    simulated: false,
  })
  assert.equal(await verdict(), 'refused')
})
