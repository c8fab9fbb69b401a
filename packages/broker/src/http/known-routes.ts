// Requests that reach no route, refused before their body is read: a path that is not served, or a method that the path
// does not have (RFC 9110, section 15.5.6: 405 names those that it has).

import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'

/** Call before any route is registered. */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const known = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ method, url }) => {
    const route = known.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() }
    known.set(url, route)
    for (const each of [method].flat()) route.methods.add(each)
  })
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done()
    const [path = ''] = request.url.split('?')
    const methods = [...known.values()].flatMap(each => (each.pattern.test(path) ? [...each.methods] : []))
    if (methods.length === 0) {
      const hint = 'GET /v1/openapi.json lists them'
      return done(new BrokerError('route-missing', 'there is no such route', { hint }))
    }
    const allowed = [...new Set(methods)].sort().join(', ')
    reply.header('allow', allowed)
    const detail = { expected: allowed, got: request.method }
    return done(new BrokerError('method-not-allowed', 'this path does not have this method', detail))
  })
}

function patternOf(url: string): RegExp {
  const escaped = url.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll(/:\w+/g, '[^/]+')}$`)
}
