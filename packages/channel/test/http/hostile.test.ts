// Answers and requests that are not what they should be: each is an error with a code, none is half an answer, and
// none stays for ever.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import {
  type ChannelErrorCode,
  connectAttested,
  createAttestedServer,
  HTTP_PROTOCOL,
  openAttestedFetch,
} from '../../src/index.ts'
import { identityOf, intelMachine, listenerOf, rejectsCode } from '../fixtures.ts'

/** A fetch from an attested server that gives these bytes for an answer, and then ends the connection. */
async function answering(t: TestContext, head: string): Promise<Promise<Response>> {
  const machine = await intelMachine('tdx')
  const listener = await listenerOf(t, await identityOf(t, machine.driver), {
    protocol: HTTP_PROTOCOL,
    onConnection: ({ socket }) => {
      socket.once('data', () => socket.end(Buffer.from(`HTTP/1.1 ${head}`, 'latin1')))
    },
  })
  const { fetchAttested, close } = openAttestedFetch({ peer: machine.demands })
  t.after(close)
  return fetchAttested(`https://127.0.0.1:${listener.port}`)
}

for (const [what, head, code] of [
  ['that does not say where it ends', '200 OK\r\n\r\nabc', 'protocol-violation'],
  ['that ends where its coding does', '200 OK\r\ntransfer-encoding: gzip\r\n\r\nabc', 'protocol-violation'],
  ['with a status that there is not', '999 Odd\r\ncontent-length: 0\r\n\r\n', 'protocol-violation'],
  ['with a reason that is none', '200 O\x01K\r\ncontent-length: 0\r\n\r\n', 'protocol-violation'],
  [
    'that asks for another protocol',
    '101 No\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    'protocol-violation',
  ],
  ['that is no HTTP', 'nonsense\r\n\r\n', 'connection-lost'],
  ['with two lengths', '200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 'connection-lost'],
  ['with no end of its head', '200 OK\r\nx: ', 'connection-lost'],
] as const satisfies readonly (readonly [string, string, ChannelErrorCode])[]) {
  test(`an answer ${what} is an error`, async t => {
    await rejectsCode(code, answering(t, head))
  })
}

for (const [what, head] of [
  ['length', '200 OK\r\ncontent-length: 10\r\n\r\nabc'],
  ['chunk', '200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'],
] as const) {
  test(`an answer that the network cuts off before the end of its ${what} is no answer`, async t => {
    const response = await answering(t, head)
    await assert.rejects(response.text())
  })
}

test('a client that does not finish its request is given up', async t => {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, machine.driver)
  const http = { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 }
  const server = await createAttestedServer(
    { host: '127.0.0.1', port: 0, identity, peers: 'anyone', http },
    () => assert.fail('nobody asks for anything here'),
  )
  t.after(() => server.close())
  const connection = await connectAttested({ ...server, peer: machine.demands, protocol: HTTP_PROTOCOL })
  connection.socket.write('GET / HTTP/1.1\r\n')
  const [answer] = (await once(connection.socket, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1\.1 408 /)
  connection.socket.resume()
  await connection.closed
})
