// Measures every request and connection.

import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Metrics } from './metrics.ts'

export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  app.server.on('connection', (socket: Socket) => {
    metrics.httpConnections.inc()
    socket.once('close', () => metrics.httpConnections.dec())
  })
  app.addHook('onResponse', (request, reply, done) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      status: String(reply.statusCode),
    }
    const seconds = reply.elapsedTime / 1000
    metrics.httpRequests.inc(labels)
    metrics.httpDuration.observe(labels, seconds)
    metrics.httpRequestSize.observe(labels, sizeOf(request.headers['content-length']))
    metrics.httpResponseSize.observe(labels, sizeOf(reply.getHeader('content-length')))
    done()
  })
}

function sizeOf(contentLength: unknown): number {
  const size = Number(contentLength ?? 0)
  return Number.isFinite(size) ? size : 0
}
