// Data connections: each belongs to one session, by a ticket that is taken once, and ends with it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DataListener } from '../../src/enclave/data-listener.ts'
import { rejectsCode, timersOf } from '../fixtures.ts'
import { soon } from '../soon.ts'
import {
  announcement,
  dataSocket,
  FIRST,
  ONE,
  offering,
  rawClient,
  SECOND,
  sealed,
  TWO,
} from './sealed-fixtures.ts'

test('a data connection that ends within a ciphertext ends its session', async t => {
  const { socket, closed, port, ticket } = await rawClient(t)
  const data = await dataSocket(t, port)
  data.write(Buffer.concat([ticket, FIRST.subarray(1)]))
  socket.write(announcement(ONE))
  data.end()
  await soon(closed)
})

test('a data connection that has ended already ends the session with the next sealed call', async t => {
  const { socket, closed, answer, port, ticket } = await rawClient(t)
  const data = await dataSocket(t, port)
  data.end(Buffer.concat([ticket, FIRST]))
  socket.write(announcement(ONE))
  assert.equal(String(await answer()), 'one')
  await soon(once(data, 'close'))
  socket.write(announcement(TWO))
  await soon(closed)
})

test('a connection without the ticket is closed, and so is a second one with it', async t => {
  const { socket, answer, port, ticket } = await rawClient(t)
  const stranger = await dataSocket(t, port)
  stranger.write(randomBytes(32))
  await soon(once(stranger, 'close'))
  const cut = await dataSocket(t, port)
  cut.end(ticket.subarray(1))
  await soon(once(cut, 'close'))
  const data = await dataSocket(t, port)
  data.write(ticket)
  socket.write(announcement(ONE))
  data.write(FIRST)
  assert.equal(String(await answer()), 'one')
  const second = await dataSocket(t, port)
  second.write(ticket)
  await soon(once(second, 'close'))
  socket.write(announcement(TWO))
  data.write(SECOND)
  assert.equal(String(await answer()), 'two')
  socket.destroy()
  await soon(once(data, 'close'))
})

test('a ticket ends with its session', async t => {
  const { socket, closed, port, ticket } = await rawClient(t)
  socket.destroy()
  await soon(closed)
  // Whether the server has seen the end already or sees it later.
  const data = await dataSocket(t, port)
  data.write(ticket)
  await soon(once(data, 'close'))
})

test('a connection that shows no ticket is closed in time', async t => {
  const { tick } = timersOf(t)
  const { port } = await rawClient(t, { handshakeTimeoutMs: 3_000 })
  const silent = await dataSocket(t, port)
  const closed = once(silent, 'close')
  // Taken by the server only after this turn.
  await new Promise(resolve => setImmediate(resolve))
  for (let turn = 0; turn < 100 && !silent.destroyed; turn++) {
    tick(3_000)
    await new Promise(resolve => setImmediate(resolve))
  }
  await soon(closed)
})

test('strangers who take all places for data connections, and say nothing, keep nobody out', async t => {
  const told: string[] = []
  const listener = await DataListener.open({
    host: '127.0.0.1',
    port: 0,
    timeoutMs: 60_000,
    maxConnections: 2,
    onRefused: ({ code, message }) => told.push(`${code} ${/127\S+(?=,)/.exec(message)?.[0]}`),
  })
  t.after(() => listener.close())
  const [first, second] = [await dataSocket(t, listener.port), await dataSocket(t, listener.port)]
  const { promise: admitted, resolve } = Promise.withResolvers<Socket>()
  const { ticket } = listener.expect(resolve)
  const client = await dataSocket(t, listener.port)
  client.write(ticket)
  await admitted
  if (!first.closed) await soon(once(first, 'close'))
  const [third] = [await dataSocket(t, listener.port), await dataSocket(t, listener.port)]
  if (!second.closed) await soon(once(second, 'close'))
  assert.deepEqual([client.closed, third.closed], [false, false])
  assert.deepEqual(told, ['connections-full 127.0.0.1', 'connections-full 127.0.0.1'])
})

test('a client whose data connection ends has lost its session', async t => {
  const { client, data } = await offering(t)
  const lost = rejectsCode('connection-lost', client.callSealed('open', ONE))
  ;(await data).destroy()
  await lost
  assert.equal((await client.closed)?.code, 'connection-lost')
})

test('a client’s data connection ends with its session', async t => {
  const { client, data, closeSession } = await offering(t)
  const lost = rejectsCode('connection-lost', client.callSealed('open', ONE))
  const socket = await data
  const closed = once(socket.resume(), 'close')
  await closeSession()
  await lost
  await soon(closed)
})

test('a client announces no more than its data connection takes', async t => {
  const { client, data, announced } = await offering(t)
  const blob = sealed(randomBytes(900_000))
  const calls = Promise.allSettled(Array.from({ length: 60 }, () => client.callSealed('open', blob)))
  const socket = await data
  while (announced.length === 0) await sleep(10)
  await sleep(100)
  assert.ok(announced.length < 60, String(announced.length))
  socket.destroy()
  await calls
})
