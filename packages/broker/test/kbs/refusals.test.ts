// Every refusal of the handshake: one thing is wrong each time, and the answer is the one that the protocol has.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sgxKbsEvidence, tdxKbsEvidence } from '@casemate/evidence'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import { assertRefused, type Refused } from './answers.ts'
import { type AttestBody, Guest, type GuestOptions } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { type Harness, LENIENT, openHarness, START } from './harness.ts'

let intel: IntelPlatform
let broker: Harness

before(async () => {
  intel = await createIntelPlatform({ now: START })
  broker = await openHarness({ platforms: [intel], flags: { 'auth-limit': '10000' } })
  await broker.putSecret('default/key/disk', 'correct horse')
  await broker.putDocument('rule', 'all', {
    secrets: 'default/key/disk',
    expression: 'true',
    message: 'a test',
    enabled: true,
  })
})

after(() => broker.close())

const tdx = (reportData: Buffer): unknown => tdxKbsEvidence(intel.tdxQuote({ reportData }))
const newGuest = (options: Partial<GuestOptions> = {}): Guest =>
  new Guest({ app: broker.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence: tdx, ...options })

const SESSION: Refused = { status: 401, variant: 'AttestationError', code: 'session-invalid' }
const EVIDENCE: Refused = { status: 401, variant: 'AttestationError', code: 'evidence-refused' }
const APPRAISAL: Refused = { status: 401, variant: 'AttestationError', code: 'appraisal-refused' }
const MALFORMED: Refused = { status: 400, variant: 'SerdeError', code: 'request-malformed' }
const KEY: Refused = { status: 401, variant: 'JweError', code: 'tee-key-unsupported' }

async function lastRefusal(): Promise<{
  code: string | null
  explanation: Readonly<Record<string, unknown>>
}> {
  const [newest] = (await broker.context.store.attestations.list('refused', { limit: 1, after: null })).items
  return newest!
}

test('what a guest sent in the wrong shape is named in the text that it shows', async () => {
  const guest = newGuest()
  await guest.auth()
  const answer = await guest.attest(body => ({ ...body, 'runtime-data': { nonce: 1 } }))
  assertRefused(answer, MALFORMED)
  assert.match(answer.body.detail, /got \/runtime-data/)
})

test('another protocol version is refused, and those that are served are named', async () => {
  for (const version of ['0.3.0', '0.1.0', '1.0.0', 'x']) {
    const answer = await newGuest({ version }).auth()
    assertRefused(answer, { status: 401, variant: 'AttestationError', code: 'protocol-version-unsupported' })
    assert.match(answer.body.detail, /expect one of 0\.4\.0, 0\.2\.0, 0\.1\.1/)
  }
})

test('a TEE that is not verified here is refused at once', async () => {
  for (const tee of ['az-snp-vtpm', 'cca', 'se', 'nvidia', '', 'toString']) {
    const answer = await newGuest({ tee }).auth()
    assertRefused(answer, { status: 401, variant: 'AttestationError', code: 'tee-unsupported' })
  }
})

test('a guest that offers only digests that are not supported is refused', async () => {
  for (const offered of [['sm3'], [], 'sha384', [1]]) {
    const answer = await newGuest({ offered: { 'supported-hash-algorithms': offered } }).auth()
    assertRefused(answer, { status: 401, variant: 'AttestationError', code: 'hash-algorithm-unsupported' })
  }
})

test('a request that is not what the protocol has is malformed', async () => {
  const guest = newGuest()
  for (const body of ['', '{', 'null', '[]', '{}', '{"version":"0.4.0"}', '{"version":4,"tee":"tdx"}']) {
    assertRefused(await guest.send('POST', '/kbs/v0/auth', body), MALFORMED)
  }
  assert.equal(guest.cookie, null)
})

test('the content type of a request does not matter', async () => {
  const body = JSON.stringify({ version: '0.4.0', tee: 'tdx', 'extra-params': '' })
  for (const type of ['text/plain', 'application/octet-stream', 'application/json; charset=utf-8']) {
    const answer = await newGuest().send('POST', '/kbs/v0/auth', body, { 'content-type': type })
    assert.equal(answer.status, 200, type)
  }
})

test('without a session cookie nothing is attested', async () => {
  const guest = newGuest()
  await guest.auth()
  guest.cookie = null
  assertRefused(await guest.attest(), { status: 401, variant: 'AttestationError', code: 'session-missing' })
})

test('a cookie that was altered, cut or made up is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const [name, value] = guest.cookie!.split('=') as [string, string]
  const flipped = (at: number): string =>
    value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
  const forged = ['', 'x', value.slice(0, -4), `${value}AAAA`, 'A'.repeat(200), 'A'.repeat(5000)]
  for (const at of [0, 8, 20, 60, value.length - 6]) forged.push(flipped(at))
  for (const one of forged) {
    guest.cookie = `${name}=${one}`
    assertRefused(await guest.attest(), SESSION)
  }
})

test('a session of a broker with other keys is refused', async () => {
  const other = await openHarness({ platforms: [intel] })
  try {
    const guest = newGuest({ app: other.app })
    await guest.auth()
    const here = newGuest()
    here.cookie = guest.cookie
    here.nonce = guest.nonce
    assertRefused(await here.attest(), SESSION)
  } finally {
    await other.close()
  }
})

test('a session that is over is refused', async () => {
  const other = await openHarness({ platforms: [intel] })
  try {
    const guest = newGuest({ app: other.app })
    await guest.auth()
    other.clock = new Date(START.getTime() + 5 * 60_000)
    assertRefused(await guest.attest(), { status: 401, variant: 'AttestationError', code: 'session-expired' })
  } finally {
    await other.close()
  }
})

test('another nonce than that of the session is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const stranger = newGuest()
  await stranger.auth()
  guest.nonce = stranger.nonce
  assertRefused(await guest.attest(), { status: 401, variant: 'AttestationError', code: 'nonce-mismatch' })
})

test('a session that was attested is not attested again', async () => {
  const guest = newGuest()
  await guest.handshake()
  assertRefused(await guest.attest(), SESSION)
})

test('a challenge is answered once: cookie and evidence that are replayed are refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const { cookie } = guest
  const body = guest.attestBody() as AttestBody
  assert.equal((await guest.attest(() => body)).status, 200)
  guest.cookie = cookie
  assertRefused(await guest.attest(() => body), SESSION)
})

test('evidence that was replayed into a new session is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const old = (guest.attestBody() as AttestBody)['tee-evidence']
  await guest.attest()
  await guest.auth()
  assertRefused(await guest.attest(body => ({ ...body, 'tee-evidence': old })), APPRAISAL)
  assert.deepEqual(violatedPaths(await lastRefusal()), ['reportData'])
})

test('a key that was swapped after the evidence was made is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const { jwk } = GUEST_KEYS['P-256']()
  const swapped = (body: AttestBody): unknown => ({
    ...body,
    'runtime-data': { ...body['runtime-data'], 'tee-pubkey': jwk },
  })
  assertRefused(await guest.attest(swapped), APPRAISAL)
  assert.deepEqual(violatedPaths(await lastRefusal()), ['reportData'])
})

test('evidence that binds another key is refused whatever the policy says of report data', async () => {
  const careless = await openHarness({ platforms: [intel], policy: { ...LENIENT, reportData: 'any' } })
  try {
    const evidence = (): unknown => tdx(Buffer.alloc(64, 7))
    assertRefused(await newGuest({ app: careless.app, evidence }).handshake(), APPRAISAL)
    assert.equal((await newGuest({ app: careless.app }).handshake()).status, 200)
  } finally {
    await careless.close()
  }
})

test('additional evidence that was added after the evidence was made is refused', async () => {
  const guest = newGuest()
  await guest.auth()
  const emptyMap = (body: AttestBody): unknown => ({
    ...body,
    'tee-evidence': { ...body['tee-evidence'], additional_evidence: '{}' },
  })
  assertRefused(await guest.attest(emptyMap), APPRAISAL)
})

test('an empty map of devices is as good as none, where the evidence binds it', async () => {
  const guest = newGuest()
  await guest.auth()
  assert.equal((await guest.attest(() => guest.attestBody('{}'))).status, 200)
})

test('device evidence is refused as not verified here', async () => {
  const padded = `${' '.repeat(100_000)}{}`
  for (const additional of [
    '{"nvidia":{"device_evidence_list":[]}}',
    '[]',
    '1',
    'null',
    '{',
    '{ }',
    padded,
  ]) {
    const guest = newGuest()
    await guest.auth()
    assertRefused(await guest.attest(() => guest.attestBody(additional)), {
      status: 401,
      variant: 'AttestationError',
      code: 'device-evidence-unsupported',
    })
  }
})

test('evidence of another TEE than the session’s is refused', async () => {
  const evidence = (reportData: Buffer): unknown => sgxKbsEvidence(intel.sgxQuote({ reportData }))
  assertRefused(await newGuest({ evidence }).handshake(), EVIDENCE)
  assert.equal((await lastRefusal()).code, 'evidence-malformed')
})

test('evidence that nobody trusted signed is refused', async () => {
  const rogue = await createIntelPlatform({ now: START })
  const evidence = (reportData: Buffer): unknown => tdxKbsEvidence(rogue.tdxQuote({ reportData }))
  assertRefused(await newGuest({ evidence }).handshake(), EVIDENCE)
  const { explanation } = await lastRefusal()
  assert.equal((explanation['refusal'] as { code: string }).code, 'chain-untrusted')
})

test('sample evidence is refused unless the policy names it', async () => {
  const evidence = (_: Buffer, digest: Buffer): unknown => ({
    svn: '1',
    report_data: digest.toString('base64'),
  })
  assertRefused(await newGuest({ tee: 'sample', evidence }).handshake(), APPRAISAL)
  assert.deepEqual(violatedPaths(await lastRefusal()), ['kinds'])
})

test('without a policy the strict one holds, which refuses simulated evidence', async () => {
  const strict = await openHarness({ platforms: [intel], policy: null })
  try {
    assertRefused(await newGuest({ app: strict.app }).handshake(), APPRAISAL)
  } finally {
    await strict.close()
  }
})

test('a guest learns no more than a code from a refusal', async () => {
  const answer = await newGuest({ evidence: () => tdx(Buffer.alloc(64)) }).handshake()
  assert.match(
    answer.body.detail,
    /^appraisal-refused: the evidence is not what the policy wants \(attestation [0-9a-f-]{36}\)$/,
  )
  const garbled = await newGuest({ evidence: () => ({ quote: 'AAAA' }) }).handshake()
  assert.match(
    garbled.body.detail,
    /^evidence-refused: the evidence did not verify \(attestation [0-9a-f-]{36}\)$/,
  )
})

test('a refusal is on record with its explanation, its evidence and a ledger entry that says why', async () => {
  await newGuest({ evidence: () => tdx(Buffer.alloc(64)) }).handshake()
  const [newest] = (await broker.context.store.attestations.list('refused', { limit: 1, after: null })).items
  assert.equal(newest?.code, 'appraisal-refused')
  assert.ok(newest.evidenceKept)
  const entry = (await broker.entries('attestation.refused')).at(-1)
  assert.deepEqual(entry?.['actor'], { attestation: newest.id })
  assert.deepEqual(
    (entry['violations'] as readonly { path: string }[]).map(({ path }) => path),
    ['reportData'],
  )
})

test('every way out of an attestation in a good session is on record, with a ledger entry that says why', async () => {
  const key = (guest: Guest) => ({
    ...(guest.attestBody() as AttestBody),
    'runtime-data': { nonce: guest.nonce, 'tee-pubkey': {} },
  })
  const waysOut: Readonly<Record<string, (guest: Guest) => unknown>> = {
    'device-evidence-unsupported': guest => guest.attestBody('{"nvidia":{}}'),
    'init-data-invalid': guest => ({
      ...(guest.attestBody() as AttestBody),
      'init-data': { format: 'x', body: '' },
    }),
    'tee-key-unsupported': key,
    'nonce-mismatch': guest => ({
      ...(guest.attestBody() as AttestBody),
      'runtime-data': { nonce: 'x', 'tee-pubkey': {} },
    }),
    'request-malformed': () => '{',
    'request-too-complex': () => '['.repeat(100),
    'request-too-large': () => ' '.repeat(3_000_000),
    'evidence-malformed': guest => ({
      ...(guest.attestBody() as AttestBody),
      'tee-evidence': { primary_evidence: {}, additional_evidence: '' },
    }),
  }
  for (const [code, change] of Object.entries(waysOut)) {
    const guest = newGuest()
    await guest.auth()
    const before = (await broker.entries('attestation.refused')).length
    assert.notEqual((await guest.attest(() => change(guest))).status, 200, code)
    const entries = await broker.entries('attestation.refused')
    assert.deepEqual([entries.length, entries.at(-1)?.['code']], [before + 1, code])
    const newest = await lastRefusal()
    assert.equal(newest.code, code)
    assert.equal((newest.explanation['refusal'] as { code: string }).code, code)
  }
})

test('large evidence is not kept, and the record does not say that it is', async () => {
  await newGuest({ evidence: () => ({ quote: 'A'.repeat(400_000) }) }).handshake()
  const { attestations } = broker.context.store
  const [newest] = (await attestations.list('refused', { limit: 1, after: null })).items
  assert.equal(newest?.evidenceKept, false)
  assert.equal(await attestations.evidence(newest.id), null)
  const entry = (await broker.entries('attestation.refused')).at(-1)
  assert.equal(entry?.['evidenceBytes'], 400_012)
  await newGuest({ evidence: () => ({ quote: 'A'.repeat(200_000) }) }).handshake()
  const [small] = (await attestations.list('refused', { limit: 1, after: null })).items
  assert.equal(small?.evidenceKept, true)
})

test('of what a refused guest sent beside its evidence, a digest is kept', async () => {
  await newGuest({ evidence: () => tdx(Buffer.alloc(64)) }).handshake()
  const session = (await lastRefusal()).explanation['session'] as Record<string, unknown>
  assert.deepEqual(Object.keys(session), ['client', 'protocolVersion', 'runtimeDataDigest', 'initDataDigest'])
  assert.match(String(session['runtimeDataDigest']), /^sha256:[0-9a-f]{64}$/)
})

test('an attestation that is not what the protocol has is malformed', async () => {
  const guest = newGuest()
  const wrong: readonly ((body: AttestBody) => unknown)[] = [
    () => '{',
    () => ({}),
    body => ({ ...body, 'runtime-data': undefined }),
    body => ({ ...body, 'tee-evidence': undefined }),
    body => ({ ...body, 'tee-evidence': { primary_evidence: {} } }),
    body => ({ ...body, 'init-data': 'toml' }),
  ]
  for (const change of wrong) {
    await guest.auth()
    assertRefused(await guest.attest(change), MALFORMED)
  }
})

test('evidence of an earlier protocol that is neither an object nor JSON in a string is malformed', async () => {
  const guest = newGuest({ version: '0.2.0' })
  for (const evidence of [null, 7, [], '{', undefined]) {
    await guest.auth()
    assertRefused(await guest.attest(body => ({ ...body, 'tee-evidence': evidence })), MALFORMED)
  }
})

test('a key that the protocol does not have is refused', async () => {
  const guest = newGuest()
  for (const jwk of [
    null,
    { ...guest.options.key.jwk, kid: 'x' },
    { ...guest.options.key.jwk, crv: 'P-384' },
  ]) {
    await guest.auth()
    const change = (body: AttestBody): unknown => ({
      ...body,
      'runtime-data': { ...body['runtime-data'], 'tee-pubkey': jwk },
    })
    assertRefused(await guest.attest(change), KEY)
  }
})

test('whatever is sent uses the challenge up, also what cannot be read', async () => {
  const unread: readonly ((body: AttestBody) => unknown)[] = [
    () => ({}),
    body => ({ ...body, 'runtime-data': { ...body['runtime-data'], nonce: 'x' } }),
    body => ({ ...body, 'runtime-data': { ...body['runtime-data'], 'tee-pubkey': null } }),
    body => ({ ...body, 'init-data': { format: 'toml', body: 'version = 1' } }),
    body => ({ ...body, 'tee-evidence': { ...body['tee-evidence'], additional_evidence: '[]' } }),
  ]
  for (const change of unread) {
    const guest = newGuest()
    await guest.auth()
    assert.notEqual((await guest.attest(change)).status, 200)
    assertRefused(await guest.attest(), SESSION)
  }
})

test('a body over the limit is refused with a JSON body', async () => {
  const guest = newGuest()
  await guest.auth()
  const answer = await guest.send('POST', '/kbs/v0/attest', 'x'.repeat(3 * 1024 * 1024))
  assertRefused(answer, { status: 413, variant: 'HTTPFailed', code: 'request-too-large' })
})

test('a client that asks for too many challenges has to wait', async () => {
  const limited = await openHarness({ flags: { 'auth-limit': '3' } })
  try {
    const guest = newGuest({ app: limited.app })
    for (let count = 0; count < 3; count++) assert.equal((await guest.auth()).status, 200)
    const answer = await guest.auth()
    assertRefused(answer, { status: 429, variant: 'HTTPFailed', code: 'rate-limited' })
    assert.ok(Number(answer.headers['retry-after']) > 0)
  } finally {
    await limited.close()
  }
})

test('what is not served answers 404 or 405 with a JSON body', async () => {
  const guest = newGuest()
  const missing = { status: 404, variant: 'PluginNotFound', code: 'route-missing' }
  const method = { status: 405, variant: 'HTTPFailed', code: 'method-not-allowed' }
  assertRefused(await guest.send('GET', '/kbs/v0/auth'), method)
  assertRefused(await guest.send('GET', '/kbs/v0/nebula-ca/credential'), missing)
  assertRefused(await guest.send('PUT', '/kbs/v0/resource/a/b/c', '{}'), method)
  assertRefused(await guest.send('GET', '/kbs/v0/resource/%ff/b/c'), { ...MALFORMED })
})

function violatedPaths({
  explanation,
}: {
  explanation: Readonly<Record<string, unknown>>
}): readonly string[] {
  const { violations } = explanation['result'] as { violations: readonly { path: string }[] }
  return violations.map(({ path }) => path)
}
