// The OpenAPI 3.1 document of /v1, made from the routes' own schemas, so that it cannot say anything else.

import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { ROLES } from '../admin/roles.ts'
import { ErrorAnswer } from './schemas.ts'

/** To be awaited before any route of /v1 is registered. */
export async function collectOpenapi(app: FastifyInstance, version: string): Promise<void> {
  app.addSchema(ErrorAnswer)
  await app.register(swagger, {
    refResolver: { buildLocalReference: ({ $id }) => (typeof $id === 'string' ? $id : 'unnamed') },
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Casemate broker',
        version,
        description:
          'Secrets, policies, release rules, attestations and the ledger of a Casemate broker. ' +
          'Guests speak the Confidential Containers KBS protocol under /kbs/v0, which is not described here.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          administrator: { type: 'http', scheme: 'bearer', description: 'an administrator’s token, cmt_…' },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access
      if (schema === undefined) return { schema, url }
      const described = { ...schema, response: describeResponses(schema.response) }
      if (!ROLES.some(role => role === access)) return { schema: described, url }
      const description = `Needs the role ${String(access)}.`
      return { schema: { ...described, description, security: [{ administrator: [] }] }, url }
    },
  })
}

const MEANINGS: Readonly<Record<string, string>> = { 200: 'Done.', 201: 'Made; nothing was there before.' }

function describeResponses(responses: unknown): Record<string, unknown> {
  const entries = Object.entries(responses ?? {}) as [string, object][]
  return Object.fromEntries(
    entries.map(([status, schema]) => [status, { description: MEANINGS[status], ...schema }]),
  )
}

export function openapiRoute(app: FastifyInstance): void {
  // Written out once: anybody may ask for it, and it is long.
  let text: string | null = null
  app.get('/v1/openapi.json', { config: { access: 'public' } }, async (_request, reply) => {
    text ??= JSON.stringify(app.swagger())
    return reply.type('application/json').header('cache-control', 'public, max-age=300').send(text)
  })
}
