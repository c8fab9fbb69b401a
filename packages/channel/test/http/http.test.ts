// HTTP over attested channels: fetch-shaped on one end, Node's server on the other, each knowing whom it talks to.
import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { parsePolicy } from '@casemate/appraisal'
import {
  type AttestedFetch,
  createAttestedServer,
  type FetchOptions,
  type ListenOptions,
  openAttestedFetch,
  peerOf,
} from '../../src/index.ts'
import { identityOf, intelMachine, LAPTOP, rejectsCode } from '../fixtures.ts'

interface Serving extends AttestedFetch {
  readonly url: string
  readonly connections: () => number
}

async function serving(
  t: TestContext,
  onRequest: RequestListener,
  { listen = {}, fetch = {} }: { listen?: Partial<ListenOptions>; fetch?: Partial<FetchOptions> } = {},
): Promise<Serving> {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  const sockets = new Set<unknown>()
  const server = await createAttestedServer(
    { host: '127.0.0.1', port: 0, identity, peers: 'anyone', ...listen },
    (request, response) => {
      sockets.add(request.socket)
      onRequest(request, response)
    },
  )
  const client = openAttestedFetch({ peer: machine.demands, ...fetch })
  t.after(() => {
    client.close()
    return server.close()
  })
  return { ...client, url: `https://127.0.0.1:${server.port}`, connections: () => sockets.size }
}

const echo: RequestListener = (request, response) => void answer(request, response)

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request)
  response.setHeader('set-cookie', ['a=1', 'b=2'])
  response.setHeader('x-length', request.headers['content-length'] ?? 'chunked')
  response.end(`${request.method} ${request.url} ${String(request.headers['x-test'])} ${body}`)
}

test('a request goes there and its answer comes back, whatever its body is made of', async t => {
  const { fetchAttested, url } = await serving(t, echo)
  const headers = { 'x-test': 'yes' }
  const get = await fetchAttested(`${url}/path?query=1`, { headers })
  assert.equal(get.status, 200)
  assert.equal(await get.text(), 'GET /path?query=1 yes ')
  assert.deepEqual(get.headers.getSetCookie(), ['a=1', 'b=2'])
  assert.equal(get.url, `${url}/path?query=1`)
  const post = await fetchAttested(new URL(url), { method: 'POST', body: 'hello', headers })
  assert.equal(await post.text(), 'POST / yes hello')
  assert.equal(post.headers.get('x-length'), '5')
  const stream = new Blob(['in ', 'parts']).stream()
  const streamed = await fetchAttested(url, { method: 'PUT', body: stream, duplex: 'half', headers } as never)
  assert.equal(await streamed.text(), 'PUT / yes in parts')
  const request = await fetchAttested(new Request(url, { method: 'POST', body: 'whole', headers }))
  assert.equal(await request.text(), 'POST / yes whole')
})

test('both ends say who the other is', async t => {
  const client = await intelMachine('sgx')
  const identity = await identityOf(t, client.driver)
  const { fetchAttested, url } = await serving(
    t,
    (request, response) => response.end(peerOf(request)?.claims.kind),
    { listen: { peers: client.demands }, fetch: { identity } },
  )
  const response = await fetchAttested(url)
  assert.equal(await response.text(), 'sgx')
  assert.equal(peerOf(response)?.claims.kind, 'tdx')
  assert.throws(() => peerOf(new Response()), TypeError)
  assert.throws(() => peerOf({ socket: {} } as IncomingMessage), TypeError)
})

test('a connection is used again', async t => {
  const { fetchAttested, url, connections } = await serving(t, echo)
  for (let index = 0; index < 5; index++) await (await fetchAttested(url)).text()
  assert.equal(connections(), 1)
  const together = Array.from({ length: 20 }, async () => (await fetchAttested(url)).text())
  await Promise.all(together)
  assert.ok(connections() <= 8)
})

test('a server that is not what was wanted is never sent a request', async t => {
  const machine = await intelMachine('tdx')
  const peer = { ...machine.demands, policy: parsePolicy({ ...LAPTOP, simulated: false }) }
  const { fetchAttested, url, connections } = await serving(t, echo, { fetch: { peer } })
  const error = await rejectsCode('evidence-refused', fetchAttested(url, { method: 'POST', body: 'secret' }))
  assert.ok(error.cause)
  assert.equal(connections(), 0)
})

test('answers without content, redirects and large answers come as they are', async t => {
  const large = 'x'.repeat(1_000_000)
  const { fetchAttested, url } = await serving(t, (request, response) => {
    const [, status = '', length = '0'] = (request.url ?? '').split('/')
    response.writeHead(Number(status), { location: 'https://elsewhere.example/' })
    response.end(length === '0' ? undefined : large.slice(0, Number(length)))
  })
  assert.equal((await fetchAttested(`${url}/204/0`)).body, null)
  assert.equal((await fetchAttested(`${url}/200/5`, { method: 'HEAD' })).body, null)
  const moved = await fetchAttested(`${url}/302/0`)
  assert.equal(moved.status, 302)
  assert.equal(moved.headers.get('location'), 'https://elsewhere.example/')
  await assert.rejects(fetchAttested(`${url}/302/0`, { redirect: 'error' }), TypeError)
  assert.equal(await (await fetchAttested(`${url}/200/1000000`)).text(), large)
})

test('what is given up is given up, before and during the answer', async t => {
  const { fetchAttested, url } = await serving(t, (_, response) => {
    response.write('the beginning')
  })
  await assert.rejects(fetchAttested(url, { signal: AbortSignal.abort() }), { name: 'AbortError' })
  const controller = new AbortController()
  const response = await fetchAttested(url, { signal: controller.signal })
  const reading = response.text()
  controller.abort()
  await assert.rejects(reading, { name: 'AbortError' })
})

test('a connection that the server ended is replaced for a request that may be sent again', async t => {
  let requests = 0
  const { fetchAttested, url } = await serving(t, (request, response) => {
    requests++
    response.end('fine', () => {
      if (requests === 1) setImmediate(() => request.socket.destroy())
    })
  })
  await (await fetchAttested(url)).text()
  // With or without word of its end.
  assert.equal(await (await fetchAttested(url)).text(), 'fine')
})

test('a connection that is lost is an error with a code, a URL of another scheme too', async t => {
  const { fetchAttested, url } = await serving(t, request => request.socket.destroy())
  await rejectsCode('connection-lost', fetchAttested(url, { method: 'POST' }))
  await rejectsCode('request-invalid', fetchAttested(url.replace('https:', 'http:')))
})
