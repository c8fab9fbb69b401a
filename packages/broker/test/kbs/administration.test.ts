// The protocol's administrative routes, and where they lead.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertRefused } from './answers.ts'
import { type Answer, Guest } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { type Harness, openHarness } from './harness.ts'

let broker: Harness
let client: Guest
let writer: Readonly<Record<string, string>>

before(async () => {
  broker = await openHarness()
  client = new Guest({ app: broker.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence: () => null })
  writer = { authorization: `Bearer ${await broker.admin('writer')}` }
})

after(() => broker.close())

const message = (values: unknown): unknown => ({
  version: '0.1.0',
  type: 'sample',
  payload: Buffer.from(JSON.stringify(values)).toString('base64'),
})
const post = (path: string, body: unknown): Promise<Answer> =>
  client.send('POST', `/kbs/v0/${path}`, body, writer)
const get = (path: string): Promise<Answer> => client.send('GET', `/kbs/v0/${path}`, undefined, writer)

test('an upload of a resource policy is refused with the rule to write instead', async () => {
  const answer = await post('resource-policy', { policy: 'cGFja2FnZSBwb2xpY3k' })
  assertRefused(answer, { status: 400, variant: 'ParsePolicyError', code: 'rego-unsupported' })
  assert.match(answer.body.detail, /CEL rule with PUT \/v1\/rules\/\{name\}/)
})

test('an upload of an attestation policy is refused with the policy to write instead', async () => {
  const answer = await post('attestation-policy', { type: 'rego', policy_id: 'default_cpu', policy: 'cGFj' })
  assertRefused(answer, { status: 400, variant: 'ParsePolicyError', code: 'rego-unsupported' })
  assert.match(answer.body.detail, /PUT \/v1\/policies\/default/)
})

test('the list of resource policies has the names of the rules', async () => {
  for (let count = 0; count < 120; count++) {
    const document = { secrets: 'a/b/*', expression: 'true', message: 'm', enabled: true }
    await broker.putDocument('rule', `rule-${String(count).padStart(3, '0')}`, document)
  }
  const names = JSON.parse((await get('resource-policy')).text) as readonly string[]
  assert.equal(names.length, 120)
  assert.equal(names[119], 'rule-119')
})

test('reference values become one reference document and read back by name', async () => {
  const [a, b] = ['aa', 'bb'].map(byte => byte.repeat(48)) as [string, string]
  assert.equal((await post('reference-value', message({ snp_launch_measurement: [a] }))).status, 200)
  assert.equal((await post('reference-value', message({ mr_td: b, rtmr_1: [a, b] }))).status, 200)
  assert.deepEqual(JSON.parse((await get('reference-value/snp_launch_measurement')).text), [a])
  assert.deepEqual(JSON.parse((await get('reference-value/rtmr_1')).text), [a, b])
  const stored = await broker.context.store.documents.find('reference', 'kbs')
  assert.deepEqual(
    (stored!.document['workloads'] as readonly { name: string }[]).map(({ name }) => name),
    ['kbs-snp', 'kbs-tdx'],
  )
  assert.equal((await post('reference-value', message({ snp_launch_measurement: [b] }))).status, 200)
  assert.deepEqual(JSON.parse((await get('reference-value/snp_launch_measurement')).text), [b])
  assert.deepEqual(JSON.parse((await get('reference-value/mr_td')).text), [b])
})

test('reference values that are set at the same time are all there', async () => {
  const names = ['rtmr_0', 'rtmr_2', 'rtmr_3']
  const value = 'cd'.repeat(48)
  const answers = await Promise.all(names.map(name => post('reference-value', message({ [name]: [value] }))))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  )
  for (const name of names) assert.deepEqual(JSON.parse((await get(`reference-value/${name}`)).text), [value])
})

test('a reference value that was never set is missing', async () => {
  const missing = { status: 404, variant: 'RvpsError', code: 'reference-missing' }
  for (const id of ['mr_enclave', 'anything', 'a/b', 'constructor']) {
    assertRefused(await get(`reference-value/${id}`), missing)
  }
})

test('what is no reference value here is refused with the place where it belongs', async () => {
  const answer = await post('reference-value', message({ snp_bootloader: [3] }))
  assertRefused(answer, { status: 400, variant: 'RvpsError', code: 'reference-invalid' })
  assert.match(answer.body.detail, /PUT \/v1\/policies\/default/)
})

test('a reference value of the wrong shape is refused', async () => {
  const invalid = { status: 400, variant: 'RvpsError', code: 'reference-invalid' }
  for (const values of [{ mr_td: ['aa'] }, { mr_td: [] }, { mr_td: 7 }, { mr_td: { a: 1 } }, []]) {
    assertRefused(await post('reference-value', message(values)), invalid)
  }
  assertRefused(await post('reference-value', { version: '0.1.0', type: 'sample', payload: '*' }), invalid)
  const malformed = { status: 400, variant: 'SerdeError', code: 'request-malformed' }
  assertRefused(await post('reference-value', { version: '0.1.0', type: 'corim', payload: '' }), malformed)
  assertRefused(
    await post('reference-value', { version: '0.1.0', type: 'sample', payload: 'ew==' }),
    malformed,
  )
})

test('nobody but an administrator gets to any of it', async () => {
  const none = { status: 401, variant: 'AdminAuthAccess', code: 'token-missing' }
  for (const path of ['attestation-policy', 'resource-policy', 'reference-value']) {
    assertRefused(await client.send('POST', `/kbs/v0/${path}`, {}), none)
  }
  assertRefused(await client.send('GET', '/kbs/v0/resource-policy'), none)
  assertRefused(await client.send('GET', '/kbs/v0/reference-value/mr_td'), none)
})
