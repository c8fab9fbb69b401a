// A rule over past attestations, before it is switched on.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sgxKbsEvidence, tdxKbsEvidence } from '@casemate/evidence'
import { createIntelPlatform } from '@casemate/simulator'
import type { JsonObject } from '../../src/json.ts'
import { createReleaseRules, type ReleaseRules } from '../../src/release/rules.ts'
import { Guest } from '../kbs/guest.ts'
import { GUEST_KEYS } from '../kbs/guest-jwe.ts'
import { type Harness, openHarness, START } from '../kbs/harness.ts'

let broker: Harness
let rules: ReleaseRules

before(async () => {
  const intel = await createIntelPlatform({ now: START })
  broker = await openHarness({ platforms: [intel] })
  rules = createReleaseRules(broker.context)
  for (const tee of ['tdx', 'sgx', 'tdx']) {
    const evidence = (reportData: Buffer): unknown =>
      tee === 'tdx'
        ? tdxKbsEvidence(intel.tdxQuote({ reportData }))
        : sgxKbsEvidence(intel.sgxQuote({ reportData }))
    const guest = new Guest({ app: broker.app, key: GUEST_KEYS['P-256'](), tee, evidence })
    assert.equal((await guest.handshake()).status, 200)
  }
  const refused = new Guest({ app: broker.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence: () => ({}) })
  assert.equal((await refused.handshake()).status, 401)
  for (const path of ['default/key/a', 'default/key/b', 'other/key/c']) await broker.putSecret(path, 'x')
})

after(() => broker.close())

const rule = (expression: string, secrets = 'default/key/*') => ({
  secrets,
  expression,
  message: 'not this one',
  enabled: true,
})
const outcomes = ({ items }: JsonObject): readonly unknown[] =>
  (items as readonly JsonObject[]).map(({ outcome }) => outcome)

test('each accepted attestation is tried, the newest first', async () => {
  const result = await rules.dryRun(rule('claims.kind == "tdx"'), 100)
  assert.equal(result['evaluated'], 3)
  assert.deepEqual(result['outcomes'], { true: 2, false: 1, error: 0 })
  assert.deepEqual(outcomes(result), ['true', 'false', 'true'])
  const [, second] = result['items'] as readonly JsonObject[]
  assert.equal(second?.['message'], 'not this one')
})

test('a rule that errors on some of them says so', async () => {
  const result = await rules.dryRun(rule('claims.sgx.isvSvn >= 0'), 100)
  assert.deepEqual(outcomes(result), ['error', 'true', 'error'])
})

test('no more attestations are looked at than asked for', async () => {
  assert.deepEqual(outcomes(await rules.dryRun(rule('true'), 2)), ['true', 'true'])
})

test('a rule about the secret is tried with the secrets that match, and the worst counts', async () => {
  const result = await rules.dryRun(rule('secret.tag == "a"'), 1)
  assert.deepEqual(result['secretsTried'], ['default/key/a', 'default/key/b'])
  assert.deepEqual(outcomes(result), ['false'])
  const only = await rules.dryRun(rule('secret.tag == "a"', 'default/key/a'), 1)
  assert.deepEqual(outcomes(only), ['true'])
})

test('a rule about secrets that do not exist yet is tried with a stand-in', async () => {
  const result = await rules.dryRun(rule('secret.repository == "new"', 'new/*/*'), 1)
  assert.deepEqual(outcomes(result), ['true'])
})

test('a dry run changes nothing', async () => {
  const before = (await broker.context.store.documents.all('rule')).length
  await rules.dryRun(rule('true'), 10)
  assert.equal((await broker.context.store.documents.all('rule')).length, before)
})

test('a rule that is not acceptable is refused, and says what is wrong', async () => {
  const refused = (document: JsonObject, message: RegExp): void =>
    assert.throws(() => rules.check(document as Parameters<ReleaseRules['check']>[0]), message)
  refused({ ...rule('true'), extra: 1 }, /unknown member extra/)
  refused({ ...rule('true'), enabled: 'yes' }, /enabled is missing/)
  refused({ ...rule('true'), message: '' }, /message is missing or empty/)
  refused({ ...rule('true'), message: 'x'.repeat(600) }, /message is too long/)
  refused(rule('claims.knid == "a"'), /there is no claims\.knid/)
  refused(rule('true', 'default/*'), /not a pattern/)
  rules.check(rule('true'))
})

test('a stored rule that is no longer acceptable denies what it matches', async () => {
  await broker.putDocument('rule', 'stale', rule('claims.kind.matches("tdx")'))
  const subject = { claims: { kind: 'tdx' }, result: {} }
  const secret = { repository: 'default', type: 'key', tag: 'a', version: 1 }
  const decision = await rules.decide(subject, secret)
  assert.equal(decision.reason, 'rule-error')
})

test('a decision has the generation that the rules had before they were read', async t => {
  const { documents } = broker.context.store
  const all = documents.all.bind(documents)
  t.mock.method(documents, 'all', async (kind: Parameters<typeof all>[0]) => {
    const read = await all(kind)
    await broker.putDocument('rule', 'meanwhile', rule('false'))
    return read
  })
  const before = await documents.generation('rule')
  const secret = { repository: 'default', type: 'key', tag: 'a', version: 1 }
  const fresh = createReleaseRules(broker.context)
  const { ruleGeneration } = await fresh.decide({ claims: {}, result: {} }, secret)
  assert.deepEqual([ruleGeneration, await documents.generation('rule')], [before, before + 1])
})
