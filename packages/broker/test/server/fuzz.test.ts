// Whatever is sent to whatever route: an answer of the table, never a failure of ours.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as fc from 'fast-check'
import { openTestBroker, type TestBroker } from '../broker.ts'

const RUNS = process.env['CASEMATE_LONG_TESTS'] === undefined ? 400 : 10_000

/** Would change who may test, or take long, and have tests of their own. */
const LEFT_OUT = ['DELETE /v1/tokens/:id', 'POST /v1/keys/rotate']

const segment = fc.oneof(
  fc.constantFrom(
    'default',
    '1',
    '0',
    '..',
    '.',
    '%2e%2e',
    '__proto__',
    'constructor',
    '-1',
    '9'.repeat(20),
    '%00',
  ),
  fc.string({ maxLength: 40 }).map(encodeURIComponent),
)

const body = fc.oneof(
  fc.json(),
  fc.string(),
  fc.constantFrom(
    '{"__proto__":{"x":1}}',
    '{"evidence":"AAAA","at":"2026-02-30T00:00:00Z"}',
    '{"evidence":"////","policy":{"extends":"strict"}}',
    '{"rule":{"secrets":"*/*/*","expression":"[1,2].map(x, x * x).size() > 0","message":"m","enabled":true}}',
    '{"secrets":"a/b/c","expression":"claims.a.b.c == 1","message":"m","enabled":true}',
    '{"version":"0.4.0","tee":"tdx","extra-params":""}',
    '{"version":"0.4.0","tee":{},"extra-params":[]}',
    '{"runtime-data":{"nonce":"x","tee-pubkey":{"kty":"EC"}},"tee-evidence":{"primary_evidence":{}}}',
    '[[[[[[[[[[]]]]]]]]]]',
    '"\\ud800"',
  ),
)

const query = fc.oneof(
  fc.constant(''),
  fc.constantFrom(
    '?limit=5',
    '?limit=',
    '?cursor=AAAA',
    '?version=1',
    '?from=1&to=2',
    '?from=0&to=0',
    '?verdict=x',
    '?limit=1&limit=2',
  ),
  fc.string({ maxLength: 20 }).map(text => `?${encodeURIComponent(text)}`),
)

describe('anything sent to any route', () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  test('is answered without a failure of ours', async () => {
    const routes = broker.routes.filter(route => !LEFT_OUT.includes(route))
    const request = fc.record({
      route: fc.constantFrom(...routes),
      segments: fc.array(segment, { minLength: 3, maxLength: 3 }),
      query,
      body,
      type: fc.constantFrom('application/json', 'application/octet-stream', 'text/plain', ''),
      match: fc.constantFrom('', '"1"', '*', 'x', '"', '"999999999999999999999"'),
    })
    const property = fc.asyncProperty(request, async ({ route, segments, query, body, type, match }) => {
      const [method = '', pattern = ''] = route.split(' ')
      const rest = [...segments]
      const url = pattern.replaceAll(/:\w+|\*/g, () => rest.shift() ?? 'x') + query
      const headers = {
        ...(type === '' ? {} : { 'content-type': type }),
        ...(match === '' ? {} : { 'if-match': match }),
      }
      const payload = method === 'GET' ? {} : { payload: body }
      const { status, text } = await broker.send(method, url, { headers, ...payload })
      assert.ok(status < 500, `${method} ${url} ${status} ${text}`)
      if (status >= 400) assert.match(text, /^\{"(error|type)":/)
    })
    await fc.assert(property, { numRuns: RUNS })
  })
})
