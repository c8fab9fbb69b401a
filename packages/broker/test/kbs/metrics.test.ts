// What the KBS protocol counts: Trustee's dashboards read these names.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { tdxKbsEvidence } from '@casemate/evidence'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { Guest } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { type Harness, openHarness, START } from './harness.ts'

let intel: IntelPlatform
let broker: Harness

before(async () => {
  intel = await createIntelPlatform({ now: START })
  broker = await openHarness({ platforms: [intel] })
  await broker.putSecret('default/yes/secret', 'a secret')
  for (const [name, expression] of [
    ['yes', 'true'],
    ['no', 'claims.debug'],
    ['broken', 'claims.snp.vmpl == 0'],
  ] as const) {
    const rule = { secrets: `default/${name}/*`, expression, message: 'no', enabled: true }
    await broker.putDocument('rule', name, rule)
  }
})

after(() => broker.close())

/** Name, labels and value of what the protocol counts, where it is not zero; durations aside. */
async function counts(): Promise<Readonly<Record<string, number>>> {
  const text = await broker.context.metrics.registry.metrics()
  const lines = [...text.matchAll(/^(kbs_(?:attestation|policy|resource|plugin)_\w+?_total\S*) (\d+)$/gm)]
  return Object.fromEntries(lines.flatMap(([, name = '', n]) => (n === '0' ? [] : [[name, Number(n)]])))
}

const newGuest = (evidence: (reportData: Uint8Array) => unknown): Guest =>
  new Guest({ app: broker.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence })

test('attestations are counted by their end: accepted, refused, or broken off', async () => {
  const good = newGuest(reportData => tdxKbsEvidence(intel.tdxQuote({ reportData })))
  assert.equal((await good.handshake()).status, 200)
  assert.equal((await newGuest(() => ({})).handshake()).status, 401)
  const { attestations } = broker.context.store
  const insert = attestations.insert.bind(attestations)
  attestations.insert = () => Promise.reject(new Error('the disk is gone'))
  try {
    const evidence = (reportData: Uint8Array) => tdxKbsEvidence(intel.tdxQuote({ reportData }))
    assert.equal((await newGuest(evidence).handshake()).status, 500)
  } finally {
    attestations.insert = insert
  }
  assert.deepEqual(await counts(), {
    kbs_attestation_requests_total: 3,
    'kbs_attestation_successes_total{tee_type="tdx"}': 1,
    'kbs_attestation_failures_total{tee_type="tdx"}': 1,
    kbs_attestation_errors_total: 1,
  })
})

test('fetches are counted by what the rules said and by what was released', async () => {
  const guest = newGuest(reportData => tdxKbsEvidence(intel.tdxQuote({ reportData })))
  await guest.handshake()
  const before = await counts()
  assert.equal((await guest.fetch('default/yes/secret')).status, 200)
  assert.equal((await guest.fetch('default/yes/missing')).status, 404)
  assert.equal((await guest.fetch('default/no/secret')).status, 403)
  assert.equal((await guest.fetch('default/broken/secret')).status, 403)
  assert.deepEqual(await counts(), {
    ...before,
    kbs_policy_evaluations_total: 4,
    kbs_policy_approvals_total: 2,
    kbs_policy_violations_total: 2,
    kbs_policy_errors_total: 1,
    kbs_resource_reads_total: 1,
    'kbs_plugin_requests_total{plugin_name="resource"}': 4,
    'kbs_plugin_errors_total{plugin_name="resource"}': 3,
  })
})
