// Channels that stand: who is seen at either end, and that bytes go both ways.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import {
  type AttestedConnection,
  type ConnectOptions,
  connectAttested,
  type ListenOptions,
} from '../../src/index.ts'
import { amdMachine, identityOf, intelMachine, listenerOf } from '../fixtures.ts'

interface Ends {
  readonly client: AttestedConnection
  readonly server: AttestedConnection
}

async function open(
  t: TestContext,
  listen: Pick<ListenOptions, 'identity' | 'peers'> & Partial<ListenOptions>,
  connect: Pick<ConnectOptions, 'peer'> & Partial<ConnectOptions>,
): Promise<Ends> {
  const accepted = Promise.withResolvers<AttestedConnection>()
  const listener = await listenerOf(t, listen.identity, {
    onConnection: accepted.resolve,
    onRefused: accepted.reject,
    ...listen,
  })
  accepted.promise.catch(() => undefined)
  const client = await connectAttested({ host: listener.host, port: listener.port, ...connect })
  return { client, server: await accepted.promise }
}

async function echoes({ client, server }: Ends): Promise<void> {
  server.socket.pipe(server.socket)
  client.socket.write('hello')
  const [answer] = (await once(client.socket, 'data')) as [Buffer]
  assert.equal(answer.toString(), 'hello')
  await client.close()
  assert.equal(await server.closed, null)
}

for (const kind of ['sgx', 'tdx', 'snp'] as const) {
  test(`a client sees the ${kind} evidence of a server that takes anyone`, async t => {
    const machine = kind === 'snp' ? await amdMachine() : await intelMachine(kind)
    const identity = await identityOf(t, machine.driver)
    const ends = await open(t, { identity, peers: 'anyone' }, { peer: machine.demands })
    assert.equal(ends.client.peer?.claims.kind, kind)
    assert.equal(ends.client.peer?.result.simulated, true)
    assert.equal(ends.server.peer, null)
    await echoes(ends)
  })
}

test('both ends see each other’s evidence, made anew for the session where that is demanded', async t => {
  const [one, two] = [await intelMachine('tdx'), await intelMachine('sgx')]
  const server = await identityOf(t, one.driver)
  const client = await identityOf(t, two.driver, { sessionEvidence: 'on-demand' })
  const ends = await open(
    t,
    { identity: server, peers: { ...two.demands, freshness: 'session' } },
    { peer: one.demands, identity: client, keyExchange: 'hybrid' },
  )
  assert.equal(ends.client.peer?.claims.kind, 'tdx')
  assert.equal(ends.client.peer?.freshness, 'cached')
  assert.equal(ends.server.peer?.claims.kind, 'sgx')
  assert.equal(ends.server.peer?.freshness, 'session')
  await echoes(ends)
})

test('a server without evidence can demand it of its clients', async t => {
  const machine = await intelMachine('tdx')
  const identity = await identityOf(t, 'none')
  const client = await identityOf(t, machine.driver)
  const ends = await open(t, { identity, peers: machine.demands }, { peer: 'anyone', identity: client })
  assert.equal(ends.server.peer?.claims.kind, 'tdx')
  assert.equal(ends.client.peer, null)
  await echoes(ends)
})

test('the evidence of a peer is verified once, however many sessions it has', async t => {
  const machine = await intelMachine('tdx')
  const bag = machine.demands.endorsements
  assert.ok(typeof bag !== 'function')
  let asked = 0
  const demands = {
    ...machine.demands,
    endorsements: async () => {
      asked++
      // Long enough that the other sessions begin meanwhile.
      await new Promise(resolve => setTimeout(resolve, 100))
      return bag
    },
  }
  const identity = await identityOf(t, machine.driver)
  const listener = await listenerOf(t, identity)
  const at = { host: listener.host, port: listener.port, peer: demands }
  const first = await Promise.all([connectAttested(at), connectAttested(at), connectAttested(at)])
  const then = await connectAttested(at)
  assert.equal(asked, 1)
  for (const connection of [...first, then]) await connection.close()
})
