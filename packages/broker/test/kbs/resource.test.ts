// Secrets over the protocol: who gets them, who does not, and what each of them learns.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { tdxKbsEvidence } from '@casemate/evidence'
import { createIntelPlatform, type IntelPlatform } from '@casemate/simulator'
import * as jose from 'jose'
import { assertRefused, type Refused } from './answers.ts'
import { Guest, type GuestOptions } from './guest.ts'
import { GUEST_KEYS } from './guest-jwe.ts'
import { type Harness, openHarness, START } from './harness.ts'

let intel: IntelPlatform
let broker: Harness

const rule = (secrets: string, expression: string, enabled = true) => ({
  secrets,
  expression,
  message: 'not this one',
  enabled,
})

before(async () => {
  intel = await createIntelPlatform({ now: START })
  broker = await openHarness({ platforms: [intel], flags: { 'auth-limit': '10000' } })
  for (const tag of ['yes', 'no', 'broken', 'mixed', 'off', 'none']) {
    await broker.putSecret(`default/${tag}/secret`, `the ${tag} secret`)
  }
  await broker.putDocument('rule', 'yes', rule('default/yes/*', 'true'))
  await broker.putDocument('rule', 'no', rule('default/no/*', 'claims.debug'))
  await broker.putDocument('rule', 'broken', rule('default/broken/*', 'claims.snp.vmpl == 0'))
  await broker.putDocument('rule', 'mixed-a', rule('default/mixed/*', 'true'))
  await broker.putDocument('rule', 'mixed-b', rule('*/mixed/secret', 'claims.debug'))
  await broker.putDocument('rule', 'off', rule('default/off/*', 'true', false))
})

after(() => broker.close())

const newGuest = (options: Partial<GuestOptions> = {}): Guest =>
  new Guest({
    app: broker.app,
    key: GUEST_KEYS['P-256'](),
    tee: 'tdx',
    evidence: reportData => tdxKbsEvidence(intel.tdxQuote({ reportData })),
    ...options,
  })

async function attested(): Promise<Guest> {
  const guest = newGuest()
  assert.equal((await guest.handshake()).status, 200)
  return guest
}

const DENIED: Refused = { status: 403, variant: 'PolicyDeny', code: 'release-denied' }
const MISSING: Refused = { status: 404, variant: 'ResourceNotFound', code: 'secret-missing' }
const NO_PATH: Refused = { status: 404, variant: 'InvalidRequestPath', code: 'name-invalid' }
const NO_TOKEN: Refused = { status: 401, variant: 'TokenNotFound', code: 'attestation-token-missing' }
const BAD_TOKEN: Refused = { status: 401, variant: 'TokenVerifierError', code: 'attestation-token-invalid' }

test('a path that begins with a slash, as trustee-attester sends a bare one, is the path without it', async () => {
  const guest = await attested()
  const answer = await guest.fetch('/default/yes/secret')
  assert.equal(answer.status, 200, answer.text)
  assert.equal(guest.decrypt(answer), 'the yes secret')
  assertRefused(await guest.fetch('/default/no/secret'), DENIED)
  for (const path of [
    '//default/yes/secret',
    '/default//yes/secret',
    'default/yes/secret/',
    '/default/yes',
  ]) {
    assertRefused(await guest.fetch(path), NO_PATH)
  }
})

test('a guest that has not attested is asked to', async () => {
  assertRefused(await newGuest().fetch('default/yes/secret'), NO_TOKEN)
})

test('a session that was only challenged is asked to attest', async () => {
  const guest = newGuest()
  await guest.auth()
  assertRefused(await guest.fetch('default/yes/secret'), NO_TOKEN)
})

test('a session that is over is asked to attest again, and the session cookie does not outlive the token', async () => {
  const other = await openHarness({ platforms: [intel], flags: { 'session-timeout': '1h' } })
  try {
    await other.putSecret('default/yes/secret', 'the yes secret')
    await other.putDocument('rule', 'yes', rule('default/yes/*', 'true'))
    const guest = newGuest({ app: other.app })
    await guest.handshake()
    other.clock = new Date(START.getTime() + 5 * 60_000 - 1)
    assert.equal((await guest.fetch('default/yes/secret')).status, 200)
    other.clock = new Date(START.getTime() + 5 * 60_000)
    assertRefused(await guest.fetch('default/yes/secret'), NO_TOKEN)
    const bearer = await guest.fetch('default/yes/secret', { authorization: `Bearer ${guest.token}` })
    assertRefused(bearer, { status: 401, variant: 'TokenVerifierError', code: 'attestation-token-expired' })
  } finally {
    await other.close()
  }
})

test('session and token end with the endorsements that the verdict rests on', async () => {
  const other = await openHarness({ platforms: [intel] })
  try {
    const end = START.getTime() + 30 * 86_400_000
    other.clock = new Date(end - 60_000)
    const guest = newGuest({ app: other.app })
    assert.equal((await guest.handshake()).status, 200)
    const { exp = 0 } = jose.decodeJwt(guest.token)
    assert.ok(exp * 1000 <= end, `${exp * 1000} > ${end}`)
    other.clock = new Date(end)
    assertRefused(await guest.fetch('default/yes/secret'), NO_TOKEN)
  } finally {
    await other.close()
  }
})

test('a secret that no rule speaks about is denied', async () => {
  assertRefused(await (await attested()).fetch('default/none/secret'), DENIED)
})

test('a rule that is switched off releases nothing', async () => {
  assertRefused(await (await attested()).fetch('default/off/secret'), DENIED)
})

test('a rule that is false denies, also beside one that is true', async () => {
  const guest = await attested()
  assertRefused(await guest.fetch('default/no/secret'), DENIED)
  assertRefused(await guest.fetch('default/mixed/secret'), DENIED)
})

test('a rule that errors denies', async () => {
  assertRefused(await (await attested()).fetch('default/broken/secret'), DENIED)
  const entry = (await broker.entries('release.denied')).at(-1)
  assert.equal(entry?.['reason'], 'rule-error')
})

test('a rule that is switched on later counts at once', async () => {
  const guest = await attested()
  await broker.putSecret('default/later/secret', 'later')
  assertRefused(await guest.fetch('default/later/secret'), DENIED)
  await broker.putDocument('rule', 'later', rule('default/later/*', 'true'))
  assert.equal((await guest.fetch('default/later/secret')).status, 200)
})

test('a denied secret and a missing one look the same to a guest that may have neither', async () => {
  const guest = await attested()
  const denied = await guest.fetch('default/none/secret')
  const missing = await guest.fetch('default/none/there-is-no-such')
  assert.equal(missing.status, denied.status)
  assert.equal(missing.text, denied.text)
})

test('a guest that may have a secret learns that there is none', async () => {
  assertRefused(await (await attested()).fetch('default/yes/there-is-no-such'), MISSING)
  const entry = (await broker.entries('release.denied')).at(-1)
  assert.equal(entry?.['reason'], 'secret-missing')
})

test('why a secret was denied is in the ledger and not in the answer', async () => {
  const answer = await (await attested()).fetch('default/no/secret')
  assert.match(answer.body.detail, /^release-denied: Access denied by policy \(attestation [0-9a-f-]{36}\)$/)
  const entry = (await broker.entries('release.denied')).at(-1)
  assert.deepEqual(entry?.['rules'], [{ rule: 'no', outcome: 'false', message: 'not this one' }])
  assert.equal(entry['secret'], 'default/no/secret')
})

test('denials of one guest are recorded once each and thirty-two at most, the rest as a count', async () => {
  const guest = await attested()
  const own = async () => {
    const actor = jose.decodeJwt(guest.token).jti
    const all = [...(await broker.entries('release.denied')), ...(await broker.entries('release.granted'))]
    return all.filter(entry => (entry['actor'] as { attestation?: string }).attestation === actor)
  }
  for (let n = 0; n < 5; n++) assertRefused(await guest.fetch('default/no/secret'), DENIED)
  assert.equal((await own()).length, 1)
  for (let n = 0; n < 40; n++) {
    assertRefused(await guest.fetch(`default/none/made-up-${n}`), DENIED)
    assertRefused(await guest.fetch(`default/yes/made-up-${n}`), MISSING)
  }
  assert.equal((await own()).length, 32)
  for (let n = 0; n < 3; n++) assert.equal((await guest.fetch('default/yes/secret')).status, 200)
  assert.equal((await own()).length, 35)
  // Another guest has entries of its own.
  const before = (await broker.entries('release.denied')).length
  assertRefused(await (await attested()).fetch('default/no/secret'), DENIED)
  assert.equal((await broker.entries('release.denied')).length, before + 1)
  await broker.context.counted.flush()
  const counted = (await own()).filter(({ count }) => count !== undefined)
  assert.deepEqual(
    counted.map(({ count, reason }) => [count, reason]),
    [[4 + 80 - 31, 'further-denials']],
  )
})

test('what names no resource is 404, whoever asks for it once attested', async () => {
  const guest = await attested()
  const invalid = { status: 404, variant: 'InvalidRequestPath', code: 'name-invalid' }
  for (const path of ['default/yes', 'default/yes/secret/more', 'default//secret', 'default/yes/.hidden']) {
    assertRefused(await guest.fetch(path), invalid)
  }
  assertRefused(await guest.fetch('default/yes/a%2Fb'), invalid)
  assertRefused(await guest.fetch('..%2F..%2Fetc/yes/secret'), invalid)
})

test('a token that is not ours, was altered or is for another audience is refused', async () => {
  const guest = await attested()
  guest.cookie = null
  const bearer = (token: string) => guest.fetch('default/yes/secret', { authorization: `Bearer ${token}` })
  const [header, payload, signature] = guest.token.split('.') as [string, string, string]
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, string>
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const { privateKey } = await jose.generateKeyPair('ES256')
  const kid = jose.decodeProtectedHeader(guest.token).kid!
  const forged = await new jose.SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)
  const foreign = { ...claims, aud: 'elsewhere' }
  const unsigned = `${encode({ alg: 'none' })}.${payload}.`
  const cases = [
    'x',
    'cmt_abc',
    forged,
    unsigned,
    `${header}.${encode({ ...claims, jti: 'x' })}.${signature}`,
    `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    await broker.context.tokenKeys.signToken(foreign),
    await broker.context.tokenKeys.signToken({ ...claims, iss: 'elsewhere' }),
    await broker.context.tokenKeys.signToken({ ...claims, submods: 'none' }),
  ]
  for (const token of cases) assertRefused(await bearer(token), BAD_TOKEN)
  assert.equal((await bearer(guest.token)).status, 200)
})

test('a token of ours for an attestation that is not on record is refused', async () => {
  const guest = await attested()
  const claims = jose.decodeJwt(guest.token) as Record<string, string>
  guest.cookie = null
  const token = await broker.context.tokenKeys.signToken({ ...claims, jti: 'nobody' })
  assertRefused(await guest.fetch('default/yes/secret', { authorization: `Bearer ${token}` }), {
    status: 401,
    variant: 'AttestationError',
    code: 'session-invalid',
  })
})

test('a token of ours for an attestation that was refused is refused', async () => {
  const guest = await attested()
  const claims = jose.decodeJwt(guest.token) as Record<string, string>
  assert.equal((await newGuest({ evidence: () => ({}) }).handshake()).status, 401)
  const { items } = await broker.context.store.attestations.list('refused', { limit: 1, after: null })
  guest.cookie = null
  const token = await broker.context.tokenKeys.signToken({ ...claims, jti: items[0]!.id })
  assertRefused(await guest.fetch('default/yes/secret', { authorization: `Bearer ${token}` }), {
    status: 401,
    variant: 'AttestationError',
    code: 'session-invalid',
  })
})

test('a token works after the signing key was rotated', async () => {
  const guest = await attested()
  guest.cookie = null
  const admin = await broker.admin('admin')
  const rotated = await guest.send(
    'POST',
    '/v1/keys/rotate',
    { key: 'signing' },
    { authorization: `Bearer ${admin}` },
  )
  assert.ok(rotated.status < 300, rotated.text)
  const answer = await guest.fetch('default/yes/secret', { authorization: `Bearer ${guest.token}` })
  assert.equal(answer.status, 200)
})

test('what a thief of a session gets is encrypted to the key that was attested', async () => {
  const guest = await attested()
  const thief = newGuest()
  thief.cookie = guest.cookie
  const answer = await thief.fetch('default/yes/secret')
  assert.equal(answer.status, 200)
  assert.throws(() => thief.decrypt(answer))
  assert.equal(guest.decrypt(answer), 'the yes secret')
})

test('writers put and delete secrets, and guests get the newest version', async () => {
  const guest = await attested()
  const writer = { authorization: `Bearer ${await broker.admin('writer')}` }
  const url = '/kbs/v0/resource/default/yes/put'
  const octets = { ...writer, 'content-type': 'application/octet-stream' }
  for (const text of ['first', 'second']) {
    const answer = await guest.send('POST', url, text, octets)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.text, '')
    assert.equal(guest.decrypt(await guest.fetch('default/yes/put')), text)
  }
  assert.equal((await guest.send('DELETE', url, undefined, writer)).status, 200)
  assertRefused(await guest.fetch('default/yes/put'), MISSING)
  assertRefused(await guest.send('DELETE', url, undefined, writer), MISSING)
})

test('a secret may be JSON, or empty', async () => {
  const guest = await attested()
  const writer = { authorization: `Bearer ${await broker.admin('writer')}` }
  await guest.send('POST', '/kbs/v0/resource/default/yes/json', '{"not":"parsed', {
    ...writer,
    'content-type': 'application/json',
  })
  assert.equal(guest.decrypt(await guest.fetch('default/yes/json')), '{"not":"parsed')
  await guest.send('POST', '/kbs/v0/resource/default/yes/empty', '', writer)
  assert.equal(guest.decrypt(await guest.fetch('default/yes/empty')), '')
})

test('nobody but a writer puts or deletes secrets', async () => {
  const guest = await attested()
  const unauthenticated = { status: 401, variant: 'AdminAuthAccess', code: 'token-missing' }
  for (const method of ['POST', 'DELETE'] as const) {
    const url = '/kbs/v0/resource/default/yes/secret'
    const body = method === 'POST' ? 'x' : undefined
    assertRefused(await guest.send(method, url, body), unauthenticated)
    assertRefused(await guest.send(method, url, body, { authorization: `Bearer ${guest.token}` }), {
      ...unauthenticated,
      code: 'token-invalid',
    })
    assertRefused(
      await guest.send(method, url, body, { authorization: `Bearer ${await broker.admin('auditor')}` }),
      {
        status: 403,
        variant: 'AdminAuthAccess',
        code: 'role-insufficient',
      },
    )
  }
})

/** Has `change` committed between the decision about one release and its record. */
function changeBeforeRecord(change: () => Promise<void>): void {
  const { releases } = broker.context.store
  const record = releases.record.bind(releases)
  releases.record = async (entry, basis) => {
    releases.record = record
    await change()
    return record(entry, basis)
  }
}

test('a rule that is switched off while a release is decided stops it, on record too', async () => {
  await broker.putSecret('race/rule/secret', 'raced')
  await broker.putDocument('rule', 'race', rule('race/rule/*', 'true'))
  const guest = await attested()
  const before = (await broker.entries('release.granted')).length
  changeBeforeRecord(() => broker.putDocument('rule', 'race', rule('race/rule/*', 'true', false)))
  assertRefused(await guest.fetch('race/rule/secret'), DENIED)
  assert.equal((await broker.entries('release.granted')).length, before)
})

test('a secret that is replaced while a release is decided goes out as it is now', async () => {
  await broker.putSecret('race/secret/secret', 'old')
  await broker.putDocument('rule', 'race-secret', rule('race/secret/*', 'true'))
  const guest = await attested()
  changeBeforeRecord(() => broker.putSecret('race/secret/secret', 'new'))
  assert.equal(guest.decrypt(await guest.fetch('race/secret/secret')), 'new')
})
