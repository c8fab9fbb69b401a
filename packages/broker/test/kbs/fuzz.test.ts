// Each door that a stranger may knock at, by its schema: every member is right, absent, or a value of any other shape,
// the ones that JavaScript turns into texts, numbers and dates by calling them among these. Nothing of it is our failure.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import { openTestBroker, type TestBroker } from '../broker.ts'
import { GUEST_KEYS } from './guest-jwe.ts'

const RUNS = process.env['CASEMATE_LONG_TESTS'] === undefined ? 200 : 20_000

let broker: TestBroker
before(async () => {
  broker = await openTestBroker({ flags: { 'auth-limit': '10000000' } })
})
after(() => broker.close())

const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    { toString: 1 },
    { valueOf: 1, toString: null },
    { toJSON: 1 },
    { length: 1e9 },
    { constructor: { name: 1 } },
    [{ toString: 1 }],
    [[['sha384']]],
    -0,
    1e308,
    2 ** 53,
    '',
    '\ud800',
    '\u0000',
    '9999-99-99T99:99:99Z',
    'A'.repeat(3000),
  ),
  fc.jsonValue(),
)

const either = (right: unknown): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: fc.constant(right), weight: 3 }, { arbitrary: hostile, weight: 1 })

const AUTH = fc.record(
  {
    version: either('0.4.0'),
    tee: either('sample'),
    'extra-params': fc.oneof(
      hostile,
      fc.record({ 'supported-hash-algorithms': fc.oneof(hostile, fc.array(hostile)) }),
    ),
  },
  { requiredKeys: [] },
)

const JWK = fc.oneof(
  hostile,
  fc.record(
    Object.fromEntries(
      Object.entries(GUEST_KEYS['P-256']().jwk).map(([name, value]) => [name, either(value)]),
    ),
  ),
)

const sized = (length: number) => either(Array.from({ length }, () => 1))
const SNP = fc.record({
  attestation_report: fc.oneof(
    hostile,
    fc.record({ version: either(2), chip_id: sized(64), report_data: sized(64), policy: either(0) }),
  ),
  cert_chain: fc.oneof(hostile, fc.array(fc.record({ cert_type: either('VCEK'), data: sized(9) }))),
})
const EVIDENCE = fc.oneof(
  hostile,
  SNP,
  fc.record({ quote: either('AwACAAAA'), cc_eventlog: either('') }),
  fc.record({ svn: either('1'), report_data: either('AAAA') }),
)

/** `nonce` is put in its place afterwards. */
const ATTEST = fc.record({
  'init-data': fc.oneof(
    fc.constant(null),
    hostile,
    fc.record({ format: either('toml'), body: either('algorithm = "sha256"\nversion = "0.1.0"\n[data]\n') }),
  ),
  'runtime-data': fc.oneof(hostile, fc.record({ nonce: either('NONCE'), 'tee-pubkey': JWK })),
  'tee-evidence': fc.oneof(
    hostile,
    fc.record({
      primary_evidence: EVIDENCE,
      additional_evidence: fc.oneof(
        either(''),
        fc.json(),
        fc.constant('{"casemate-enclave":{"toString":1}}'),
      ),
    }),
  ),
  'tee-pubkey': JWK,
})

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  broker.send('POST', url, { token: null, headers, payload: JSON.stringify(body) })

test('digests that are no texts are no digests, and the refusal says which there are', async () => {
  for (const offered of [[{ toString: 1 }], [null], [['sha384']], { 0: 'sha384', length: 1 }, 'sha384', 1]) {
    const extra = { 'supported-hash-algorithms': offered }
    const { status, body } = await post('/kbs/v0/auth', {
      version: '0.4.0',
      tee: 'tdx',
      'extra-params': extra,
    })
    assert.equal(status, 401, JSON.stringify(offered))
    assert.match(body.detail, /^hash-algorithm-unsupported: .*sha384/)
  }
})

test('a challenge asked for in any shape is answered without a failure of ours', async () => {
  const property = fc.asyncProperty(AUTH, async body => {
    const { status, text } = await post('/kbs/v0/auth', body)
    assert.ok(status < 500, `${status} ${text} ${JSON.stringify(body)}`)
  })
  await fc.assert(property, { numRuns: RUNS })
})

test('an attestation of any shape in a good session is answered without a failure of ours', async () => {
  const session = fc.record({
    tee: fc.constantFrom('sample', 'snp', 'tdx', 'sgx'),
    version: fc.constantFrom('0.4.0', '0.2.0', '0.1.1'),
  })
  const property = fc.asyncProperty(session, ATTEST, async ({ tee, version }, body) => {
    const challenge = await post('/kbs/v0/auth', { version, tee, 'extra-params': '' })
    const cookie = String(challenge.headers['set-cookie']).split(';')[0] ?? ''
    const payload = JSON.stringify(body).replaceAll('NONCE', String(challenge.body.nonce))
    const { status, text } = await broker.send('POST', '/kbs/v0/attest', {
      token: null,
      headers: { cookie },
      payload,
    })
    assert.ok(status >= 400 && status < 500, `${status} ${text} ${payload}`)
  })
  await fc.assert(property, { numRuns: RUNS })
})

test('tokens and cookies of any shape are answered without a failure of ours', async () => {
  const part = hostile.map(value => Buffer.from(JSON.stringify(value)).toString('base64url'))
  const head = fc.constantFrom(
    '{"alg":"ES256","kid":{"toString":1}}',
    '{"alg":1}',
    '{"alg":"ES256","kid":"x"}',
  )
  const token = fc.oneof(
    fc.stringMatching(/^[\w.-]{0,60}$/),
    fc
      .tuple(head, part, part)
      .map(([alg, ...rest]) => [Buffer.from(alg).toString('base64url'), ...rest].join('.')),
  )
  const property = fc.asyncProperty(token, token, async (bearer, cookie) => {
    const headers = { authorization: `Bearer ${bearer}`, cookie: `kbs-session-id=${cookie}` }
    for (const url of ['/kbs/v0/resource/a/b/c', '/v1/info', '/v1/secrets', '/log/tile/0/x000/1.p/9']) {
      const { status, text } = await broker.send('GET', url, { token: null, headers })
      assert.ok(status < 500, `${url} ${status} ${text}`)
    }
  })
  await fc.assert(property, { numRuns: RUNS })
})
