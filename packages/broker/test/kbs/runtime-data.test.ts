import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import canonicalize from 'canonicalize'
import { BrokerError } from '../../src/errors.ts'
import { expectedReportData } from '../../src/kbs/runtime-data.ts'
import { PROTOCOL_VERSIONS, parseVersion } from '../../src/kbs/version.ts'

const teeKey = { kty: 'EC', crv: 'P-256', alg: 'ECDH-ES+A256KW', x: 'xx', y: 'yy' }
const base = { nonce: 'bm9uY2U=', teeKey, additionalEvidence: '', hash: 'sha384' } as const
const digest = (name: string, text: string): string =>
  createHash(name).update(text).digest('hex').padEnd(128, '0')
const KEY = '{"alg":"ECDH-ES+A256KW","crv":"P-256","kty":"EC","x":"xx","y":"yy"}'

test('the canonicalisation gives the digest that guests are tested with', () => {
  const text = canonicalize({ b: 1, a: 'test', c: { d: 'e' } })!
  assert.equal(
    createHash('sha384').update(text).digest('hex'),
    'e71ce8e70d814ba6639c3612ebee0ff1f76f650f8dbb5e47157e0f3f525cd22c4597480a186427c813ca941da78870c3',
  )
})

test('version 0.4.0 binds nonce, key and the additional evidence, which is empty and there without devices', () => {
  const text = `{"additional-evidence":"","nonce":"bm9uY2U=","tee-pubkey":${KEY}}`
  assert.equal(expectedReportData({ ...base, version: '0.4.0' }), digest('sha384', text))
})

test('the additional evidence counts as the string that it is', () => {
  const text = `{"additional-evidence":"{\\"a\\":1}","nonce":"bm9uY2U=","tee-pubkey":${KEY}}`
  assert.equal(
    expectedReportData({ ...base, version: '0.4.0', additionalEvidence: '{"a":1}' }),
    digest('sha384', text),
  )
})

for (const version of ['0.2.0', '0.1.1'] as const) {
  test(`version ${version} binds nonce and key alone`, () => {
    assert.equal(
      expectedReportData({ ...base, version }),
      digest('sha384', `{"nonce":"bm9uY2U=","tee-pubkey":${KEY}}`),
    )
  })
}

test('the digest of the session is used and padded with zeros to 64 bytes', () => {
  const text = `{"additional-evidence":"","nonce":"bm9uY2U=","tee-pubkey":${KEY}}`
  for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
    assert.equal(expectedReportData({ ...base, version: '0.4.0', hash }), digest(hash, text))
  }
})

test('a string without a canonical form is refused', () => {
  assert.throws(
    () => expectedReportData({ ...base, version: '0.4.0', additionalEvidence: '\ud800' }),
    (error: unknown) => error instanceof BrokerError && error.code === 'request-malformed',
  )
})

test('the versions that are served are named to a guest that speaks another', () => {
  assert.deepEqual(PROTOCOL_VERSIONS.map(parseVersion), PROTOCOL_VERSIONS)
  for (const version of ['0.3.0', '1.0.0', '0.4.1', '', '0.4.0 ', '<script>']) {
    assert.throws(
      () => parseVersion(version),
      (error: unknown) =>
        error instanceof BrokerError &&
        error.code === 'protocol-version-unsupported' &&
        error.message.includes('expect one of 0.4.0, 0.2.0, 0.1.1') &&
        !error.message.includes('<'),
    )
  }
})
