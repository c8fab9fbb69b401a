// Bodies on their way in: whatever becomes of a request, its bytes are given back.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { fastify } from 'fastify'
import { resolveConfig } from '../../src/config/resolve.ts'
import { boundBodies } from '../../src/http/bodies.ts'
import type { BodyBudget } from '../../src/http/body-budget.ts'
import { answerError } from '../../src/http/error-answer.ts'

const { values: config } = resolveConfig({ flags: {}, env: {}, file: null })

interface Opened {
  readonly budget: BodyBudget
  /** Says `end` once a request has been answered, or is over without. */
  readonly requests: EventEmitter
  readonly dial: () => Socket
}

async function open(t: TestContext): Promise<Opened> {
  const app = fastify({ bodyLimit: config.bodyLimit })
  app.decorateRequest('administrator', null)
  app.decorateRequest('refusal', null)
  app.setErrorHandler(answerError)
  const budget = boundBodies(app, {
    config,
    elapsedMs: () => performance.now(),
    tellClosed: () => assert.fail('nothing is beyond the budget'),
  })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.post('/read', request => ({ bytes: (request.body as Buffer).length }))
  app.post('/small', { bodyLimit: 10 }, () => ({}))
  app.post('/refused', { onRequest: () => Promise.reject(new Error('refused')) }, () => ({}))
  const requests = new EventEmitter()
  app.addHook('onRequest', (_request, reply, done) => {
    reply.raw.once('close', () => setImmediate(() => requests.emit('end')))
    done()
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const sockets: Socket[] = []
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await app.close()
  })
  const dial = () => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    sockets.push(socket.on('error', () => undefined))
    return socket
  }
  return { budget, requests, dial }
}

const head = (path: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`

async function answerTo(socket: Socket, request: string): Promise<string> {
  socket.write(request)
  return String(((await once(socket, 'data')) as [Buffer])[0])
}

describe('the bytes of a body', () => {
  test('are counted while it arrives, and given back with the answer, on a connection that stays', async t => {
    const { budget, dial } = await open(t)
    const socket = dial()
    for (let n = 0; n < 3; n++) {
      socket.write(head('/read', 1000) + 'x'.repeat(400))
      while (budget.total < 400) await new Promise(setImmediate)
      const answer = await answerTo(socket, 'x'.repeat(600))
      assert.match(answer, /^HTTP\/1\.1 200 [^]*"bytes":1000/)
      assert.equal(budget.total, 0)
    }
  })

  test('are given back where it is too long for its route, refused before, or breaks off', async t => {
    const { budget, requests, dial } = await open(t)
    assert.match(await answerTo(dial(), head('/small', 11) + 'x'.repeat(11)), / 413 /)
    assert.match(await answerTo(dial(), head('/refused', 11) + 'x'.repeat(11)), / 500 /)
    assert.match(await answerTo(dial(), head('/nothing', 11) + 'x'.repeat(11)), / 404 /)
    const broken = dial()
    broken.write(head('/read', 1000) + 'x'.repeat(400))
    while (budget.total < 400) await new Promise(setImmediate)
    const ended = once(requests, 'end')
    broken.destroy()
    await ended
    assert.equal(budget.total, 0)
  })
})
