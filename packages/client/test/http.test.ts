import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import {
  BrokerRefusal,
  type Fetch,
  fetchInfo,
  isLoopback,
  itemsOf,
  MAX_RESPONSE_BYTES,
  openAdmin,
  Unavailable,
} from '../src/index.ts'
import { type Faults, send, startFakeBroker } from './fake-broker.ts'

const broker = await startFakeBroker()
after(() => broker.close())
beforeEach(() => {
  broker.faults = {}
  broker.seen.length = 0
})
const { url } = broker

function answering(answer: NonNullable<Faults['answer']>): void {
  broker.faults = { answer }
}

test('the broker’s error keeps its code, its values and its hint', async () => {
  const error = {
    code: 'policy-invalid',
    message: 'no',
    expected: 'an object',
    got: 'a list',
    hint: 'mend it',
    violations: [{ path: '/a', expected: 'b', got: 'c' }],
  }
  answering((_, response) => {
    send(response, 422, { error })
    return true
  })
  await assert.rejects(fetchInfo({ url }), thrown => {
    assert.ok(thrown instanceof BrokerRefusal)
    const { code, message, expected, got, hint, violations, status } = thrown
    assert.deepEqual({ code, message, expected, got, hint, violations }, error)
    assert.equal(status, 422)
    return true
  })
})

test('of an error nothing is taken that is not what it is to be', async () => {
  const violation = { path: '/a', expected: 'b', got: 'c' }
  const odd = [null, 'x', { ...violation, got: 1 }, { ...violation, hint: {} }, {}]
  const error = {
    code: 'x',
    message: 'no',
    expected: 1,
    got: null,
    hint: ['h'],
    cause: 'theirs',
    status: 200,
  }
  answering((_, response) => {
    send(response, 403, { error: { ...error, violations: [...odd, violation] } })
    return true
  })
  await assert.rejects(fetchInfo({ url }), thrown => {
    assert.ok(thrown instanceof BrokerRefusal)
    const { expected, got, hint, cause, status, violations } = thrown
    assert.deepEqual([expected, got, hint, cause, status], [undefined, undefined, undefined, undefined, 403])
    assert.deepEqual(violations, [violation])
    return true
  })
  answering((_, response) => {
    send(response, 403, { error: { code: 'x', message: 'no', violations: { length: 1 } } })
    return true
  })
  await assert.rejects(fetchInfo({ url }), { code: 'x', violations: [] })
})

test('a list whose items are no objects, or whose cursor is no text, is malformed', async () => {
  for (const page of [{ items: [null] }, { items: ['x'] }, { items: {} }, { items: [], next: 1 }]) {
    answering((_, response) => {
      send(response, 200, page)
      return true
    })
    const admin = openAdmin({ url, token: 'cmt_x' })
    await assert.rejects(admin.tokens.list(), { code: 'response-malformed' })
  }
})

test('an error that is not JSON is told by its status', async () => {
  answering((_, response) => {
    response.writeHead(418).end('<html>')
    return true
  })
  await assert.rejects(fetchInfo({ url }), { name: 'BrokerRefusal', code: 'http-418' })
})

test('an answer that no broker gives says so, and what may have given it', async () => {
  for (const [status, hint] of [
    [400, /https:/],
    [401, /proxy/],
    [403, /proxy/],
    [404, /proxy pass this path/],
    [413, /client_max_body_size/],
    [429, /limits requests/],
    [502, /reaches none/],
    [503, /reaches none/],
    [504, /reaches none/],
  ] as const) {
    answering((_, response) => {
      response.writeHead(status).end('<html>')
      return true
    })
    await assert.rejects(fetchInfo({ url }), thrown => {
      const said = thrown instanceof Unavailable || thrown instanceof BrokerRefusal ? thrown.hint : undefined
      assert.match(said ?? '', /no answer of a broker/, String(status))
      assert.match(said ?? '', hint, String(status))
      return true
    })
  }
})

test('a hint of the broker’s own is kept where it cannot serve', async () => {
  answering((_, response) => {
    send(response, 503, { error: { code: 'write-refused', message: 'no', hint: 'make room' } })
    return true
  })
  await assert.rejects(fetchInfo({ url }), { name: 'Unavailable', hint: 'make room' })
})

test('TLS where there is none is told from a broker that is away, and so is the reverse', async t => {
  const secure = url.replace('http:', 'https:')
  await assert.rejects(fetchInfo({ url: secure }), {
    code: 'unreachable',
    hint: /a URL with http: http:\/\/127/,
  })
  const closing = createServer(socket => socket.once('data', () => socket.end()))
  await once(closing.listen(0, '127.0.0.1'), 'listening')
  t.after(() => closing.close())
  const { port } = closing.address() as AddressInfo
  const away = fetchInfo({ url: `http://127.0.0.1:${port}` })
  await assert.rejects(away, { code: 'unreachable', hint: /begins with https:/ })
})

test('429 and 503 are unavailable, with the wait that the broker asks for', async () => {
  for (const [status, code, told, message] of [
    [429, 'rate-limited', 'rate-limited', 'later'],
    [503, 'server-error', 'x', 'later (x)'],
  ] as const) {
    answering((_, response) => {
      response.setHeader('retry-after', '7')
      send(response, status, { error: { code: told, message: 'later' } })
      return true
    })
    const expected = { name: 'Unavailable', code, message, retryAfterMs: 7000 }
    await assert.rejects(fetchInfo({ url }), expected)
  }
})

test('a server error is unavailable', async () => {
  answering((_, response) => {
    send(response, 500, {})
    return true
  })
  await assert.rejects(fetchInfo({ url }), { name: 'Unavailable', code: 'server-error', retryAfterMs: null })
})

test('nobody at the address is unavailable, and says which address', async () => {
  const gone = await startFakeBroker()
  await gone.close()
  await assert.rejects(fetchInfo({ url: gone.url }), error => {
    assert.ok(error instanceof Unavailable)
    assert.equal(error.code, 'unreachable')
    assert.ok(error.message.includes(gone.url) && error.message.includes('ECONNREFUSED'), error.message)
    return true
  })
})

test('a broker that does not answer in time is unavailable', async () => {
  answering(() => true)
  await assert.rejects(fetchInfo({ url, timeoutMs: 50 }), { name: 'Unavailable', code: 'timeout' })
})

test('a body that never ends in time is unavailable as well', async () => {
  answering((_, response) => {
    response.writeHead(200).write('{')
    return true
  })
  await assert.rejects(fetchInfo({ url, timeoutMs: 50 }), { name: 'Unavailable', code: 'timeout' })
})

test('a redirect is refused, and nothing is sent to where it points', async () => {
  const elsewhere = await startFakeBroker()
  answering((_, response) => {
    response.writeHead(307, { location: `${elsewhere.url}/v1/info` }).end()
    return true
  })
  await assert.rejects(fetchInfo({ url }), { name: 'BrokerRefusal', code: 'redirect-refused' })
  assert.equal(elsewhere.seen.length, 0)
  await elsewhere.close()
})

test('an answer over the limit is refused while it is being read', async () => {
  answering((_, response) => {
    response.writeHead(200)
    response.end(Buffer.alloc(MAX_RESPONSE_BYTES + 1, 0x20))
    return true
  })
  await assert.rejects(fetchInfo({ url }), { name: 'BrokerRefusal', code: 'response-too-large' })
})

test('an answer that is not JSON, or not an object, is malformed', async () => {
  for (const body of ['<html>', '7', 'null', '']) {
    answering((_, response) => {
      response.writeHead(200).end(body)
      return true
    })
    await assert.rejects(fetchInfo({ url }), { name: 'BrokerRefusal', code: 'response-malformed' })
  }
})

test('a URL with another scheme, credentials or a query is refused', () => {
  for (const bad of ['ftp://a', 'nonsense', 'https://user:pass@a', 'https://a/?b', 'https://a/#b']) {
    assert.throws(() => openAdmin({ url: bad, token: 't' }), {
      name: 'ClientConfigError',
      code: 'url-invalid',
    })
  }
})

test('an administrator’s token goes over TLS or to this machine only', () => {
  assert.throws(() => openAdmin({ url: 'http://broker.example', token: 't' }), { code: 'url-insecure' })
  assert.ok(openAdmin({ url: 'https://broker.example', token: 't' }))
  assert.ok(openAdmin({ url: 'http://localhost:8080', token: 't' }))
})

test('loopback is told from names that only begin like it', () => {
  for (const host of ['localhost', '127.0.0.1', '127.8.8.8', '[::1]']) assert.ok(isLoopback(host), host)
  for (const host of ['127.0.0.1.example', 'localhost.example', '[::2]', '10.0.0.1'])
    assert.ok(!isLoopback(host), host)
})

test('the token is sent as a bearer and never in the URL', async () => {
  answering((_, response) => {
    send(response, 200, { items: [], next: null })
    return true
  })
  await openAdmin({ url, token: 'cmt_test' }).secrets.list({ limit: 5 })
  assert.equal(broker.seen[0]!.headers.authorization, 'Bearer cmt_test')
  assert.equal(broker.seen[0]!.path, '/v1/secrets?limit=5')
})

test('a secret is put as raw octets, under the condition that was given', async () => {
  answering((_, response) => {
    send(response, 201, { path: 'a/b/c', version: 1, ledgerIndex: 3 })
    return true
  })
  const admin = openAdmin({ url, token: 't' })
  const content = new Uint8Array([0, 255, 10])
  assert.equal((await admin.secrets.put('a/b/c', content, 'new')).ledgerIndex, 3)
  assert.deepEqual(broker.seen[0]!.body, content)
  assert.equal(broker.seen[0]!.headers['content-type'], 'application/octet-stream')
  assert.equal(broker.seen[0]!.headers['if-none-match'], '*')
  await admin.secrets.put('a/b/c', content, { etag: '"7"' })
  assert.equal(broker.seen[1]!.headers['if-match'], '"7"')
  await admin.secrets.put('a/b/c', content, 'any')
  assert.equal(broker.seen[2]!.headers['if-match'] ?? broker.seen[2]!.headers['if-none-match'], undefined)
})

test('a name with a slash stays one segment', async () => {
  answering((_, response) => {
    send(response, 200, {})
    return true
  })
  await openAdmin({ url, token: 't' }).policies.delete('../tokens')
  assert.equal(broker.seen[0]!.path, '/v1/policies/..%2Ftokens')
})

test('a list is read page after page', async () => {
  answering((request, response) => {
    const second = request.url?.includes('cursor=more') ?? false
    const items = (second ? [3] : [1, 2]).map(index => ({ index }))
    send(response, 200, { items, next: second ? null : 'more' })
    return true
  })
  const admin = openAdmin({ url, token: 't' })
  const indices = []
  for await (const { index } of itemsOf(page => admin.ledger.entries(page))) indices.push(index)
  assert.deepEqual(indices, [1, 2, 3])
})

test('entries of the ledger are read newest first where that is asked for', async () => {
  answering((_, response) => {
    send(response, 200, { items: [], next: null })
    return true
  })
  const { ledger } = openAdmin({ url, token: 't' })
  await ledger.entries({ order: 'desc', limit: 5 })
  await ledger.entries()
  assert.deepEqual(
    broker.seen.map(({ path }) => path),
    ['/v1/ledger/entries?order=desc&limit=5', '/v1/ledger/entries'],
  )
})

test('a fetch of one’s own is used instead of the runtime’s', async () => {
  const fetch: Fetch = async () => new Response('{"version":"9"}')
  assert.equal((await fetchInfo({ url: 'https://broker.example', fetch })).version, '9')
})
