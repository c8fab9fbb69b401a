// A campaign over the wire: requests whose head lies, whose body is made to cost, or which end where they should not, at
// every door and without any token. Each is answered from the table or cut, none is our failure, none is left hanging.
import assert from 'node:assert/strict'
import { type AddressInfo, connect } from 'node:net'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import { openTestBroker, type TestBroker } from '../broker.ts'

/** Rounds of {@link AT_ONCE} requests. */
const RUNS = process.env['CASEMATE_LONG_TESTS'] === undefined ? 2 : 150

/** Most wait for a limit of time. */
const AT_ONCE = 30

/** Far beyond the limits of the broker below. */
const HANG_MS = 60_000

const AUTH = '{"version":"0.4.0","tee":"sample","extra-params":""}'

let broker: TestBroker
before(async () => {
  const flags = { 'auth-limit': '10000000', 'request-timeout': '1s', 'idle-timeout': '1s' }
  broker = await openTestBroker({ flags })
  await broker.app.listen({ port: 0, host: '127.0.0.1' })
})
after(() => broker.close())

const size = fc.integer({ min: 0, max: 40_000 })
const names = (count: number) => `{${Array.from({ length: count }, (_, n) => `"${n}":0`).join(',')}}`

const body = fc.oneof(
  fc.constantFrom(AUTH, '', '{}', 'null', '"', '\\', '{"', '[', '"\\u', '{"a":"\\"}'),
  size.map(count => '['.repeat(count)),
  size.map(count => '['.repeat(count / 2) + ']'.repeat(count / 2)),
  size.map(count => names(count / 8)),
  size.map(count => `[${'1,'.repeat(count)}1]`),
  size.map(count => `[${'1e999,'.repeat(count)}1]`),
  size.map(count => `"${'\\"'.repeat(count)}"`),
  size.map(count => `{"a":"${'\\u0000'.repeat(count / 6)}`),
  size.map(count => '\u{1f600}'.repeat(count / 4)),
  fc.json(),
)

const path = fc.oneof(
  fc.constantFrom(
    '/kbs/v0/auth',
    '/kbs/v0/attest',
    '/kbs/v0/resource/a/b/c',
    '/kbs/v0/reference-value',
    '/v1/verify',
    '/v1/policies/default',
    '/v1/secrets/a/b/c',
    '/v1/ledger/consistency?from=0&to=1',
    '/log/tile/0/000',
    '/log/checkpoint',
    '/healthz',
    '/nothing',
    '*',
    'http://x/healthz',
  ),
  fc.string({ maxLength: 60 }).map(text => `/${encodeURIComponent(text)}`),
  size.map(count => `/${'a/'.repeat(count / 8)}`),
)

/** `LENGTH` is that of the body. */
const heads = fc.uniqueArray(
  fc.constantFrom(
    'Content-Length: LENGTH',
    'Content-Length: LENGTH',
    'Content-Length: 1',
    'Content-Length: 99999999999',
    'Content-Length: -1',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Content-Encoding: gzip',
    'Expect: 100-continue',
    'Expect: the-unexpected',
    'Content-Type: application/json',
    'Content-Type: multipart/form-data; boundary=x',
    'Connection: close',
    'Connection: Upgrade\r\nUpgrade: h2c',
    'Cookie: kbs-session-id=x',
    `Cookie: ${'a=b;'.repeat(2000)}`,
    `Authorization: Bearer cmt_${'a'.repeat(16)}_${'a'.repeat(43)}`,
    'Authorization: Bearer x.y.z',
    `X: ${'x'.repeat(60_000)}`,
    'Host: y',
    'bad header',
  ),
  { maxLength: 4 },
)

const delivery = fc.record({
  /** 1: one chunk of `Transfer-Encoding`; more: so many bytes in each. */
  chunk: fc.constantFrom(0, 0, 1, 7, 5000),
  kept: fc.constantFrom(1, 1, 0.9, 0.5),
  times: fc.constantFrom(1, 1, 1, 2, 30),
  end: fc.constantFrom('wait', 'wait', 'half-close', 'reset'),
})

function write(text: string, chunk: number): string {
  if (chunk === 0) return text
  const chunks = Array.from({ length: Math.ceil(text.length / chunk) }, (_, n) =>
    text.slice(n * chunk, (n + 1) * chunk),
  )
  return `${chunks.map(each => `${Buffer.byteLength(each).toString(16)}\r\n${each}\r\n`).join('')}0\r\n\r\n`
}

/** What comes back until the connection ends; the broker's own limits end each. */
function send(bytes: Buffer, end: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = broker.app.server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    let text = ''
    socket.on('data', data => {
      text += data.toString('latin1')
    })
    const hangs = setTimeout(() => {
      socket.destroy()
      reject(new Error(`left hanging after ${text.slice(0, 200)}: ${bytes.toString('latin1').slice(0, 400)}`))
    }, HANG_MS)
    socket.on('close', () => {
      clearTimeout(hangs)
      resolve(text)
    })
    socket.write(bytes, () => {
      if (end === 'half-close') socket.end()
      if (end === 'reset') socket.resetAndDestroy()
    })
  })
}

const TABLE = new Set([100, 200, 400, 401, 403, 404, 405, 408, 411, 413, 415, 417, 422, 429, 431, 503])

test('whatever comes over the wire is answered from the table or cut, and ends', async () => {
  const method = fc.constantFrom('POST', 'POST', 'PUT', 'GET', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'BREW')
  const request = fc.record({ method, path, heads, body, delivery })
  const property = fc.asyncProperty(
    fc.array(request, { minLength: AT_ONCE, maxLength: AT_ONCE }),
    async requests => {
      const answers = requests.map(({ method, path, heads, body, delivery: { chunk, kept, times, end } }) => {
        const lines = heads.map(line => line.replace('LENGTH', String(Buffer.byteLength(body))))
        const head = [`${method} ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n')
        const whole = Buffer.from(`${head}${write(body, chunk)}`.repeat(times))
        return send(whole.subarray(0, Math.ceil(whole.length * kept)), end)
      })
      for (const text of await Promise.all(answers)) {
        for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g))
          assert.ok(TABLE.has(Number(status)), text)
      }
    },
  )
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
  assert.equal(broker.log.filter(line => line.includes('"code":"internal"')).join('\n'), '')
  const honest = await broker.send('POST', '/kbs/v0/auth', { token: null, payload: AUTH })
  assert.equal(honest.status, 200)
})
