// Handshakes over every protocol version and key type with a guest that follows the protocol strictly.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sgxKbsEvidence, tdxKbsEvidence } from '@casemate/evidence'
import {
  type AmdPlatform,
  createAmdPlatform,
  createIntelPlatform,
  type IntelPlatform,
} from '@casemate/simulator'
import * as jose from 'jose'
import { type Answer, Guest, type GuestOptions } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { type Harness, LENIENT, openHarness, START } from './harness.ts'

let intel: IntelPlatform
let amd: AmdPlatform
let broker: Harness

before(async () => {
  intel = await createIntelPlatform({ now: START })
  amd = await createAmdPlatform({ now: START, modulusBits: 2048 })
  broker = await openHarness({
    platforms: [intel, amd],
    flags: { 'rsa-15': 'true', 'auth-limit': '10000' },
    policy: { ...LENIENT, kinds: ['sgx', 'tdx', 'snp', 'sample'] },
  })
  await broker.putSecret('default/key/disk', 'correct horse')
  await broker.putDocument('rule', 'disk', {
    secrets: 'default/key/*',
    expression: 'claims.simulated && !claims.debug',
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
  sample: (_: Buffer, digest: Buffer) => ({ svn: '1', report_data: digest.toString('base64') }),
} as const

const newGuest = (options: Partial<GuestOptions> = {}): Guest =>
  new Guest({ app: broker.app, key: GUEST_KEYS['P-256'](), tee: 'tdx', evidence: tdx, ...options })

function refused(answer: Answer, status: number, variant: string, detail: RegExp): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  assert.deepEqual(Object.keys(answer.body).sort(), ['detail', 'type'])
  assert.equal(answer.body.type, `https://github.com/confidential-containers/kbs/errors/${variant}`)
  assert.match(answer.body.detail, detail)
}

for (const name of ['P-256', 'P-521', 'RSA-OAEP-256', 'ML-KEM-768'] as const) {
  test(`a guest of 0.4.0 gets its secret with a ${name} key`, async () => {
    assert.equal(await newGuest({ key: GUEST_KEYS[name]() }).secret('default/key/disk'), 'correct horse')
  })
}

test('a guest on tdx gets its secret with the largest event log that firmware is known to leave', async () => {
  const log = Buffer.alloc(2 ** 20, 7).toString('base64')
  const evidence = (reportData: Buffer): unknown => ({ ...(tdx(reportData) as object), cc_eventlog: log })
  assert.equal(await newGuest({ evidence }).secret('default/key/disk'), 'correct horse')
})

for (const tee of ['tdx', 'sgx', 'snp', 'sample'] as const) {
  test(`a guest on ${tee} gets its secret`, async () => {
    assert.equal(
      await newGuest({ tee, evidence: evidenceOf[tee] }).secret('default/key/disk'),
      'correct horse',
    )
  })
}

for (const name of ['P-256', 'RSA-OAEP-256'] as const) {
  test(`a guest of 0.2.0 gets its secret with a ${name} key`, async () => {
    const guest = newGuest({ version: '0.2.0', key: GUEST_KEYS[name]() })
    assert.equal(await guest.secret('default/key/disk'), 'correct horse')
  })
}

test('a guest before 0.4.0 may send its evidence as JSON in a string', async () => {
  const guest = newGuest({ version: '0.2.0' })
  await guest.auth()
  const { 'tee-pubkey': key, 'tee-evidence': value } = guest.attestBody() as Record<string, unknown>
  const answer = await guest.attest(() => ({
    'tee-pubkey': key,
    'tee-evidence': JSON.stringify(value),
  }))
  assert.equal(answer.status, 200, answer.text)
})

test('a guest of 0.1.1 gets its secret with an RSA1_5 key, where that is turned on', async () => {
  const guest = newGuest({ version: '0.1.1', key: GUEST_KEYS.RSA1_5() })
  assert.equal(await guest.secret('default/key/disk'), 'correct horse')
})

test('a guest of 0.1.1 gets its secret with its evidence as JSON in a string', async () => {
  const guest = newGuest({ version: '0.1.1', key: GUEST_KEYS.RSA1_5(), evidenceInString: true })
  assert.equal(await guest.secret('default/key/disk'), 'correct horse')
})

test('RSA1_5 is refused where it is not turned on', async () => {
  const strict = await openHarness({ platforms: [intel] })
  try {
    const guest = newGuest({ app: strict.app, key: GUEST_KEYS.RSA1_5() })
    refused(await guest.handshake(), 401, 'JweError', /^tee-key-unsupported: .*RSA1_5/)
  } finally {
    await strict.close()
  }
})

test('the challenge is as guests parse it, in a cookie that no script reads', async () => {
  const guest = newGuest()
  const { body, headers } = await guest.auth()
  assert.deepEqual(Object.keys(body), ['nonce', 'extra-params'])
  assert.equal(body['extra-params'], '')
  assert.equal(Buffer.from(body.nonce, 'base64').length, 32)
  assert.match(
    String(headers['set-cookie']),
    /^kbs-session-id=[\w-]+; Expires=[^;]+; Max-Age=300; HttpOnly; SameSite=Strict$/,
  )
})

test('the name of the TEE is read in any case', async () => {
  assert.equal(await newGuest({ tee: 'TDX' }).secret('default/key/disk'), 'correct horse')
})

test('a guest that offers no SHA-384 is told which digest to use', async () => {
  const guest = newGuest({ offered: { 'supported-hash-algorithms': ['sm3', 'SHA256'] } })
  assert.equal(await guest.secret('default/key/disk'), 'correct horse')
  assert.equal(guest.hash, 'sha256')
})

test('the attestation result is an EAR that jose verifies with the published keys', async () => {
  const guest = newGuest()
  assert.equal((await guest.handshake()).status, 200)
  const jwks = jose.createLocalJWKSet(
    (await broker.context.tokenKeys.jwks()) as unknown as jose.JSONWebKeySet,
  )
  const { payload, protectedHeader } = await jose.jwtVerify(guest.token, jwks, {
    issuer: 'casemate',
    audience: 'casemate',
    currentDate: broker.clock,
  })
  assert.equal(protectedHeader.alg, 'ES256')
  assert.ok(protectedHeader.kid)
  assert.equal(payload.exp! - payload.iat!, 300)
  assert.equal(payload['eat_nonce'], guest.nonce)
  const { cpu0 } = payload['submods'] as { cpu0: Record<string, unknown> }
  assert.equal(cpu0['ear.appraisal-policy-id'], 'default')
  const annotated = cpu0['ear.veraison.annotated-evidence'] as Record<string, unknown>
  assert.deepEqual(annotated['runtime_data_claims'], {
    nonce: guest.nonce,
    'tee-pubkey': guest.options.key.jwk,
    'additional-evidence': '',
  })
})

test('a token ends where a paper that it rests on gets older than the policy allows', async () => {
  const policy = { ...LENIENT, tcb: { maxCollateralAge: '4m' } }
  const brief = await openHarness({ platforms: [intel], policy })
  try {
    brief.clock = new Date(START.getTime() + 60_000)
    const guest = newGuest({ app: brief.app })
    assert.equal((await guest.handshake()).status, 200)
    const { exp } = jose.decodeJwt(guest.token)
    assert.equal(exp, START.getTime() / 1000 + 240)
  } finally {
    await brief.close()
  }
})

test('an accepted attestation is on record with explanation, evidence and ledger entry', async () => {
  const guest = newGuest()
  await guest.handshake()
  const { jti = '' } = jose.decodeJwt(guest.token)
  const stored = await broker.context.store.attestations.find(jti)
  assert.equal(stored?.verdict, 'accepted')
  assert.equal(stored.kind, 'tdx')
  assert.equal(stored.code, null)
  const { explanation } = stored
  assert.ok((explanation['steps'] as readonly unknown[]).length > 3)
  assert.equal((explanation['claims'] as { kind: string }).kind, 'tdx')
  assert.equal((explanation['result'] as { accepted: boolean }).accepted, true)
  const evidence = await broker.context.store.attestations.evidence(jti)
  const digest = `sha256:${createHash('sha256').update(evidence!).digest('hex')}`
  const entries = await broker.entries('attestation.accepted')
  const entry = entries.find(({ actor }) => (actor as { attestation: string }).attestation === jti)
  assert.equal(entry?.['evidenceDigest'], digest)
  assert.equal(entry['simulated'], true)
})

test('a release is on record with the secret, its version and what each rule said', async () => {
  const guest = newGuest()
  await guest.secret('default/key/disk')
  const { jti } = jose.decodeJwt(guest.token)
  const entries = await broker.entries('release.granted')
  const entry = entries.find(({ actor }) => (actor as { attestation: string }).attestation === jti)
  assert.equal(entry?.['secret'], 'default/key/disk')
  assert.equal(entry['version'], 1)
  assert.deepEqual(entry['rules'], [{ rule: 'disk', outcome: 'true', message: '' }])
})

test('a token is as good as a session, without a cookie', async () => {
  const guest = newGuest()
  await guest.handshake()
  guest.cookie = null
  const answer = await guest.fetch('default/key/disk', { authorization: `Bearer ${guest.token}` })
  assert.equal(answer.status, 200)
  assert.equal(guest.decrypt(answer), 'correct horse')
})

test('a hundred guests at a time each get their own', async () => {
  const guests = Array.from({ length: 100 }, () => newGuest())
  const secrets = await Promise.all(guests.map(guest => guest.secret('default/key/disk')))
  assert.ok(secrets.every(secret => secret === 'correct horse'))
  assert.equal(new Set(guests.map(({ nonce }) => nonce)).size, 100)
})

test('no secret, path, token, cookie or evidence is in the log', async () => {
  const guest = newGuest()
  await guest.secret('default/key/disk')
  const text = broker.log.join('\n')
  assert.ok(text.length > 0)
  for (const forbidden of ['correct horse', 'default/key/disk', guest.token, guest.cookie!, guest.nonce]) {
    assert.ok(!text.includes(forbidden), forbidden.slice(0, 20))
  }
})
