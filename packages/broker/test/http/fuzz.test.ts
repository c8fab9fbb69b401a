// Whatever is sent to whatever route: an answer of the table, as the API description has it, never a failure of ours.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as fc from 'fast-check'
import { openTestBroker, type Sent, type TestBroker } from '../broker.ts'
import { type Answer, type ApiDescription, answersOf, operationsOf } from '../v1/api-description.ts'

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
  const described = new Map<string, ReadonlyMap<number, Answer>>()

  before(async () => {
    broker = await openTestBroker()
    for (const name of ['openapi.json', 'openapi-kbs.json']) {
      const document: ApiDescription = (await broker.send('GET', `/v1/${name}`, { token: null })).body
      for (const { method, path, operation } of operationsOf(document)) {
        const route = `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`
        described.set(
          route.replace('reference-value/:name', 'reference-value/*'),
          answersOf(document, operation),
        )
      }
    }
  })

  after(() => broker.close())

  test('is answered without a failure of ours', async () => {
    const routes = broker.routes.filter(route => !LEFT_OUT.includes(route))
    const request = fc.record({
      route: fc.constantFrom(...routes),
      // Half of them are names that a route takes, so that what lies behind is asked as well.
      segments: fc.oneof(
        fc.constant(['default', 'db', '1']),
        fc.array(segment, { minLength: 3, maxLength: 3 }),
      ),
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
      const answer = await broker.send(method, url, { headers, ...payload })
      const { status, text } = answer
      assert.ok(status < 500, `${method} ${url} ${status} ${text}`)
      if (status >= 400) assert.match(text, /^\{"(error|type)":/)
      checkDescribed(described.get(route), answer)
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  test('is answered to a stranger without a failure of ours, whatever the method, and says little', async () => {
    const paths = [...new Set(broker.routes.map(route => route.split(' ')[1] ?? ''))]
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'),
      path: fc.constantFrom(...paths, '/metrics', '/log/tile/*', '/nothing/*'),
      segments: fc.array(segment, { minLength: 3, maxLength: 3 }),
      query,
      body,
      metrics: fc.boolean(),
    })
    const property = fc.asyncProperty(request, async ({ method, path, segments, query, body, metrics }) => {
      const rest = [...segments]
      const url = path.replaceAll(/:\w+|\*/g, () => rest.shift() ?? 'x') + query
      const app = metrics ? broker.metricsApp : broker.app
      const headers = { 'content-type': 'application/json' }
      const how = { method: method as 'POST', url, headers }
      const answer = await app?.inject(['GET', 'HEAD'].includes(method) ? how : { ...how, payload: body })
      const status = answer?.statusCode ?? 0
      assert.ok(status >= 200 && status < 500, `${method} ${url} ${status} ${answer?.payload}`)
      if (status >= 400 && method !== 'HEAD') assert.match(answer?.payload ?? '', /^\{"(error|type)":/)
    })
    await fc.assert(property, { numRuns: RUNS })
  })
})

/** A path with `..` in it is another one, and may be none. */
const OF_OTHER_PATHS: readonly string[] = ['route-missing', 'method-not-allowed', 'name-invalid']

/** Of a route that is described, every status, content type and code is. */
function checkDescribed(
  answers: ReadonlyMap<number, Answer> | undefined,
  { status, text, headers }: Sent,
): void {
  if (answers === undefined) return
  const code = status < 400 ? null : /"(?:code":"|detail":")([a-z0-9-]+)/.exec(text)?.[1]
  if (code !== null && code !== undefined && OF_OTHER_PATHS.includes(code)) return
  const answer = answers.get(status)
  assert.ok(answer, `${status} ${text}`)
  if (code !== null) assert.ok(answer.codes.includes(code ?? ''), `${status} ${code}`)
  const { 'content-type': contentType } = headers
  const [type = ''] = typeof contentType === 'string' ? contentType.split(';') : []
  if (text !== '' && answer.types.length > 0) assert.ok(answer.types.includes(type), `${status} ${type}`)
}
