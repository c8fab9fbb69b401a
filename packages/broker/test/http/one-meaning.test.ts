// What a proxy before the broker might understand otherwise is refused, and ends its connection.
import assert from 'node:assert/strict'
import { type AddressInfo, connect } from 'node:net'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { openTestBroker, type TestBroker } from '../broker.ts'

const BODY = '{"version":"0.4.0","tee":"snp","extra-params":""}'
const CHUNKED = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`
const NEXT = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

let broker: TestBroker
before(async () => {
  broker = await openTestBroker({ flags: { 'metrics-listen': '127.0.0.1:0' } })
  for (const app of [broker.app, broker.metricsApp!]) await app.listen({ port: 0, host: '127.0.0.1' })
})
after(() => broker.close())

/** The status of each answer on one connection. */
async function statuses(text: string, app: FastifyInstance = broker.app): Promise<number[]> {
  // A refused body in chunks takes much of what a client may cost at once.
  broker.clock = new Date(broker.clock.getTime() + 60_000)
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
}

const challenge = (headers: string, version = '1.1') =>
  `POST /kbs/v0/auth HTTP/${version}\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${CHUNKED}`
const live = (headers: string) => `GET /healthz HTTP/1.1\r\n${headers}\r\n\r\n`

test('a head of one meaning is answered, in every form that it has', async () => {
  for (const text of [
    challenge('Host: x\r\nTransfer-Encoding: Chunked'),
    ...['broker.example', 'broker_1:8080', '192.0.2.1', '[2001:db8::1]:8080', ''].map(host =>
      live(`Host: ${host}`),
    ),
  ]) {
    assert.deepEqual(await statuses(text + NEXT), [200, 200], text)
  }
})

test('a head that says something twice, or in a coding that is not read, is refused and closes', async () => {
  for (const text of [
    live('Host: a\r\nHost: b'),
    live('Host: a\r\nHost: a'),
    'GET /nothing HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET /v1/secrets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n\r\n',
    ...['a, b', 'a b', 'a@b', 'a/b', 'a:b', '[::1', 'a:1:2'].map(host => live(`Host: ${host}`)),
    live(`Host: x\r\nAuthorization: Bearer ${broker.admin}\r\nAuthorization: Bearer x`),
    challenge('Host: x\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain'),
    challenge('Host: x\r\nTransfer-Encoding: identity, chunked'),
    challenge('Host: x\r\nTransfer-Encoding: gzip, chunked'),
    challenge('Host: x\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked'),
    challenge('Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  ]) {
    assert.deepEqual(await statuses(text + NEXT), [400], text)
  }
})

test('HTTP/1.0 has no chunks', async () => {
  assert.deepEqual(await statuses(challenge('Host: x\r\nTransfer-Encoding: chunked', '1.0')), [400])
})

test('metrics are no exception', async () => {
  assert.deepEqual(await statuses(live('Host: a\r\nHost: b') + NEXT, broker.metricsApp!), [400])
})
