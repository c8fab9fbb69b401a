// The protocol's administrative routes, and where they lead.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { POLICY_SCHEMA } from '@casemate/appraisal'
import { createIntelPlatform } from '@casemate/simulator'
import { createPipeline } from '../../src/attestation/pipeline.ts'
import { ELSEWHERE, PLACES } from '../../src/kbs/reference-names.ts'
import { compileExpression } from '../../src/release/expression.ts'
import { assertRefused } from './answers.ts'
import { type Answer, Guest, type GuestOptions } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { type Harness, LENIENT, openHarness, START } from './harness.ts'

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

test('reference values are counted anew with those that others put meanwhile', async t => {
  const { documents } = broker.context.store
  const all = documents.all.bind(documents)
  const meanwhile = async (kind: Parameters<typeof all>[0]) => {
    const read = await all(kind)
    await broker.putDocument('reference', 'meanwhile', { workloads: [] })
    return read
  }
  const put = t.mock.method(documents, 'put')
  t.mock.method(documents, 'all').mock.mockImplementationOnce(meanwhile)
  const values = { snp_launch_measurement: ['cc'.repeat(48)] }
  assert.equal((await post('reference-value', message(values))).status, 200)
  const names = put.mock.calls.map(({ arguments: [{ name }] }) => name)
  assert.deepEqual(names, ['meanwhile', 'kbs', 'kbs'])
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
  assert.deepEqual(JSON.parse((await get('reference-value/mr_td')).text), b)
})

test('what reference values were set to is on record, as it is where they are set over /v1', async () => {
  await post('reference-value', message({ mr_signer: HEX[32] }))
  const [document, record] = [
    (await broker.context.store.documents.find('reference', 'kbs'))!.document,
    (await broker.entries('reference.put')).at(-1)!,
  ]
  assert.deepEqual(record['document'], document)
})

test('what is left open of a TD beside what was set is in the record and the log', async () => {
  const fresh = await openHarness()
  const admin = { authorization: `Bearer ${await fresh.admin('writer')}` }
  const guest = new Guest({ app: fresh.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence: () => null })
  const told = (): number => fresh.log.filter(line => line.includes('"leftOpen":')).length
  for (const [values, open] of [
    [{ mr_enclave: HEX[32] }, undefined],
    [{ rtmr_1: HEX[48] }, ['mr_td', 'rtmr_2']],
    [{ mr_td: HEX[48] }, ['rtmr_2']],
    [{ rtmr_2: HEX[48] }, undefined],
  ] as const) {
    const before = told()
    const set = await guest.send('POST', '/kbs/v0/reference-value', message(values), admin)
    assert.equal(set.status, 200, set.text)
    assert.deepEqual((await fresh.entries('reference.put')).at(-1)!['leftOpen'], open)
    assert.equal(told() - before, open === undefined ? 0 : 1)
  }
  await fresh.close()
})

test('a TD of which a part was set is known once the rest is set, and not before', async () => {
  const intel = await createIntelPlatform({ now: START })
  const fresh = await openHarness({ platforms: [intel], policy: { ...LENIENT, workloads: 'known' } })
  try {
    const admin = { authorization: `Bearer ${await fresh.admin('writer')}` }
    const guest = new Guest({ app: fresh.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence: () => null })
    const [mrTd, rtmr1, rtmr2] = ['a1', 'b2', 'c3'].map(digits => digits.repeat(48))
    const evidence = intel.tdxQuote({
      reportData: Buffer.alloc(64),
      mrTd: mrTd!,
      rtmr1: rtmr1!,
      rtmr2: rtmr2!,
    })
    const pipeline = createPipeline(fresh.context)
    const question = { evidence, endorsements: [], at: fresh.clock, policy: 'default' }
    for (const [values, left] of [
      [{ rtmr_1: rtmr1 }, 'kbs-tdx, which leaves open mrTd and rtmr2'],
      [{ rtmr_2: rtmr2 }, 'kbs-tdx, which leaves open mrTd'],
      [{ rtmr_1: 'ff'.repeat(48), mr_td: mrTd }, null],
      [{ rtmr_1: rtmr1 }, 'accepted'],
    ] as const) {
      await guest.send('POST', '/kbs/v0/reference-value', message(values), admin)
      const { verdict, result } = await pipeline.explain(question)
      const { violations } = result as { violations: readonly { path: string; got: string }[] }
      if (left === 'accepted') assert.deepEqual([verdict, violations], ['accepted', []])
      else
        assert.deepEqual(violations, [
          { ...violations[0], path: 'workloads', got: left ?? violations[0]?.got },
        ])
    }
  } finally {
    await fresh.close()
  }
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
  for (const id of ['anything', 'a/b', 'constructor']) {
    assertRefused(await get(`reference-value/${id}`), missing)
  }
})

const ANY_RTMR = { rtmr0: 'any', rtmr1: 'any', rtmr2: 'any', rtmr3: 'any' }

test('what is set over the protocol leaves other workloads of the same document alone', async () => {
  const other = { kind: 'tdx', name: 'other', mrTd: 'ee'.repeat(48), ...ANY_RTMR }
  const mine = { kind: 'tdx', name: 'kbs-tdx', mrTd: 'dd'.repeat(48), ...ANY_RTMR }
  await broker.putDocument('reference', 'kbs', { workloads: [other, mine] })
  assert.equal((await post('reference-value', message({ mr_td: 'cc'.repeat(48) }))).status, 200)
  const stored = await broker.context.store.documents.find('reference', 'kbs')
  assert.deepEqual(stored!.document, { workloads: [other, { ...mine, mrTd: 'cc'.repeat(48) }] })
})

const HEX = { 32: 'ab'.repeat(32), 48: 'ab'.repeat(48) }

test('values come back as they were set: one or a list, number or text', async () => {
  for (const [name, ...values] of [
    ['snp_launch_measurement', HEX[48], [HEX[48]], [HEX[48], HEX[48].toUpperCase()]],
    ['mr_td', HEX[48], [HEX[48]]],
    ['mr_enclave', [HEX[32]], HEX[32]],
    ['svn', '1', ['1'], ['1', '2']],
    ['launch_digest', ['abcde'], 'abcde'],
    ['major_version', [1], 1, [1, 2]],
    ['minimum_minor_version', 4, 0],
  ] as const) {
    for (const value of values) {
      const set = await post('reference-value', message({ [name]: value }))
      assert.equal(set.status, 200, set.text)
      assert.deepEqual(JSON.parse((await get(`reference-value/${name}`)).text), value)
    }
  }
})

/** Every name that the default policies of the protocol's first server query. */
const SHIPPED = `launch_digest svn major_version minimum_minor_version snp_launch_measurement snp_bootloader
  snp_microcode snp_snp_svn snp_tee_svn snp_smt_enabled snp_tsme_enabled snp_guest_abi_major snp_guest_abi_minor
  snp_single_socket snp_smt_allowed rtmr_1 rtmr_2 mr_seam mr_td xfam tdvfkernel tdvfkernelparams measurement snp_pcr11
  tcb_bootloader tcb_microcode tcb_snp tcb_tee smt_enabled tsme_enabled abi_major abi_minor single_socket smt_allowed
  tdx_pcr11 tpm_pcr11 trusted_aks allowed_vbios_versions allowed_driver_versions allowed_switch_bios_versions
  device_svn tcb_svn`.split(/\s+/)

test('every name that scripts bring along is compared, or refused by its name', async () => {
  for (const name of SHIPPED) {
    if (Object.hasOwn(PLACES, name)) continue
    assert.ok(Object.hasOwn(ELSEWHERE, name), name)
    const answer = await post('reference-value', message({ [name]: [1] }))
    assertRefused(answer, { status: 400, variant: 'RvpsError', code: 'reference-invalid' })
    assert.ok(answer.body.detail.includes(` ${name} is `), answer.body.detail)
    const missing = await get(`reference-value/${name}`)
    assertRefused(missing, { status: 404, variant: 'RvpsError', code: 'reference-missing' })
    assert.ok(missing.body.detail.includes(` ${name} is `), missing.body.detail)
  }
})

test('the fields and claims that a refusal points to exist', () => {
  for (const [name, elsewhere] of Object.entries(ELSEWHERE)) {
    if ('field' in elsewhere) {
      const path = elsewhere.field.replace('FAMILY', 'Milan').split('.')
      assert.notEqual(descend(POLICY_SCHEMA, path), undefined, name)
    }
    if ('claim' in elsewhere) compileExpression(`${elsewhere.claim} == 1`)
  }
})

/** The schema of a field, through blocks and choices. */
function descend(schema: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || schema === undefined) return schema
  const { properties, anyOf = [] } = schema as {
    properties?: Record<string, unknown>
    anyOf?: readonly { properties?: Record<string, unknown> }[]
  }
  const found = [properties, ...anyOf.map(one => one.properties)].find(one => one && Object.hasOwn(one, name))
  return descend(found?.[name], rest)
}

test('a name of one’s own is refused by that name, with the places that there are', async () => {
  for (const [name, shown] of [
    ['my-digest', 'my-digest'],
    ['rvps:///example.org/tdx/rtmr_1:v0.18.0', 'rvps:///example.org/tdx/rtmr_1:v0.18.0'],
    ['constructor', 'constructor'],
    ['a "name"\n', '"a \\"name\\"\\n"'],
    ['\u009b2J\u202e', '"\\u009b2J\\u202e"'],
    ['', '""'],
  ] as const) {
    const answer = await post('reference-value', message({ [name]: ['aa'], mr_td: HEX[48] }))
    assertRefused(answer, { status: 400, variant: 'RvpsError', code: 'reference-invalid' })
    assert.ok(answer.body.detail.includes(`: ${shown} is no reference value`), answer.body.detail)
    assert.match(answer.body.detail, /PUT \/v1\/rules\/\{name\}/)
  }
})

test('where one value of a message is refused, none is set', async () => {
  const before = (await get('reference-value/rtmr_0')).text
  const bad = await post('reference-value', message({ rtmr_0: HEX[48], snp_bootloader: 3, mine: 1 }))
  assert.match(bad.body.detail, /snp_bootloader .*mine /)
  assert.equal((await get('reference-value/rtmr_0')).text, before)
})

test('a reference value of the wrong shape is refused under the name that was sent', async () => {
  for (const [values, wanted] of [
    [{ mr_td: ['aa'] }, /mr_td\[0\]: got 'aa', want hex of 48 bytes; it has 1 bytes/],
    [{ mr_td: [] }, /mr_td: got an empty list/],
    [{ mr_td: 7 }, /mr_td: got 7.*quotes around hex/],
    [{ mr_td: 'aa' }, /mr_td: got 'aa', want (?!.*'any').*hex of 48 bytes/],
    [{ mr_td: { a: 1 } }, /mr_td: got an object/],
    [{ mr_td: null }, /mr_td: /],
    [{ mr_td: 'any' }, /mr_td takes values/],
    [{ mr_td: ['any'] }, /mr_td\[0\]: /],
    [{ minimum_minor_version: [4] }, /minimum_minor_version: got a list/],
    [{ svn: 1 }, /svn: got 1/],
    [[], /map of names/],
  ] as const) {
    const answer = await post('reference-value', message(values))
    assertRefused(answer, { status: 400, variant: 'RvpsError', code: 'reference-invalid' })
    assert.match(answer.body.detail, wanted)
  }
  const notBase64 = await post('reference-value', { version: '0.1.0', type: 'sample', payload: '*' })
  assertRefused(notBase64, { status: 400, variant: 'RvpsError', code: 'reference-invalid' })
  const malformed = { status: 400, variant: 'SerdeError', code: 'request-malformed' }
  const corim = await post('reference-value', { version: '0.1.0', type: 'corim', payload: '' })
  assertRefused(corim, malformed)
  assert.match(corim.body.detail, /; got \/type /)
  assertRefused(
    await post('reference-value', { version: '0.1.0', type: 'sample', payload: 'ew==' }),
    malformed,
  )
})

test('a sample attests where every reference value agrees, whichever was set first', async () => {
  const values = { launch_digest: ['abcde'], svn: ['1'], major_version: 1, minimum_minor_version: 4 }
  const wrong = { launch_digest: ['abcdf'], svn: ['2'], major_version: 2, minimum_minor_version: 5 }
  for (const first of Object.keys(values) as (keyof typeof values)[]) {
    const fresh = await openHarness({ policy: SAMPLE_POLICY })
    try {
      const admin = { authorization: `Bearer ${await fresh.admin('writer')}` }
      const set = async (named: object): Promise<void> => {
        const answer = await new Guest({ ...sampleOn(fresh), key: GUEST_KEYS['P-256']() }).send(
          'POST',
          '/kbs/v0/reference-value',
          message(named),
          admin,
        )
        assert.equal(answer.status, 200, answer.text)
      }
      const attests = async (): Promise<number> => (await new Guest(sampleOn(fresh)).handshake()).status
      assert.equal(await attests(), 401)
      await set({ [first]: values[first] })
      for (const name of Object.keys(values) as (keyof typeof values)[]) await set({ [name]: values[name] })
      assert.equal(await attests(), 200)
      await set({ [first]: wrong[first] })
      assert.equal(await attests(), 401, first)
    } finally {
      await fresh.close()
    }
  }
})

test('a sample attests with init-data where the policy leaves that open', async () => {
  const initData = 'version = "0.1.0"\nalgorithm = "sha384"\n[data]\n"aa.toml" = "x"\n'
  for (const [asked, status] of [
    ['any', 200],
    ['bound', 401],
  ] as const) {
    const fresh = await openHarness({ policy: { ...SAMPLE_POLICY, workloads: 'any', initData: asked } })
    const answer = await new Guest({ ...sampleOn(fresh), initData }).handshake()
    await fresh.close()
    assert.equal(answer.status, status, answer.text)
  }
})

const SAMPLE_POLICY = { ...LENIENT, kinds: ['sample'], workloads: 'known' }
const sampleOn = ({ app }: Harness): GuestOptions => ({
  app,
  key: GUEST_KEYS['P-256'](),
  tee: 'sample',
  evidence: (_, digest) => ({ svn: '1', report_data: digest.toString('base64') }),
})

test('nobody but an administrator gets to any of it', async () => {
  const none = { status: 401, variant: 'AdminAuthAccess', code: 'token-missing' }
  for (const path of ['attestation-policy', 'resource-policy', 'reference-value']) {
    assertRefused(await client.send('POST', `/kbs/v0/${path}`, {}), none)
  }
  assertRefused(await client.send('GET', '/kbs/v0/resource-policy'), none)
  assertRefused(await client.send('GET', '/kbs/v0/reference-value/mr_td'), none)
})
