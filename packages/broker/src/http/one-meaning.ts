// Heads that two readers could understand differently: a proxy before the broker, and the broker. HTTP lets Node pass over
// what it takes for repetition; here such a request is refused, and its connection closed.
// RFC 9110, 5.3 and 7.2; RFC 9112, 3.2 and 6.1.

import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'

/** Headers of one value, of which Node keeps the first where there are more. */
const SINGLE: readonly string[] = ['host', 'authorization', 'content-type']
const LENGTHS: readonly number[] = SINGLE.map(({ length }) => length)

/** A name or an address, and a port; empty where the target has no authority. */
const HOST = /^(?:[\w.~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/

/** To be called before anything else judges the request. */
export function refuseAmbiguity(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const found = ambiguityOf(request.raw)
    if (found === null) return done()
    reply.header('connection', 'close')
    done(new BrokerError('request-malformed', found.message, { expected: found.expected }))
  })
}

interface Ambiguity {
  readonly message: string
  readonly expected: string
}

function ambiguityOf({ rawHeaders, headers, httpVersion }: IncomingMessage): Ambiguity | null {
  const seen: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const written = rawHeaders[at] ?? ''
    if (!LENGTHS.includes(written.length)) continue
    const name = written.toLowerCase()
    if (!SINGLE.includes(name)) continue
    if (seen.includes(name)) return { message: `the header ${name} is there twice`, expected: 'once' }
    seen.push(name)
  }
  if (!HOST.test(headers.host ?? ''))
    return { message: 'the header host is no host', expected: 'host or host:port' }
  const encoding = headers['transfer-encoding']
  if (encoding === undefined) return null
  if (httpVersion !== '1.1')
    return { message: `HTTP/${httpVersion} has no transfer-encoding`, expected: 'HTTP/1.1' }
  return encoding.trim().toLowerCase() === 'chunked'
    ? null
    : { message: 'the transfer-encoding is not one that is read', expected: 'chunked' }
}
