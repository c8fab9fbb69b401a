// The OpenAPI 3.1 document of /v1, made from the routes' own schemas, so that it cannot say anything else; and the one of
// the KBS protocol beside it.

import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { type Access, neededRole } from '../roles.ts'
import { describeAnswers, NamedErrors } from './answers.ts'
import { liftNamed, plain } from './named-schemas.ts'
import type { DescribedSchema } from './route-schema.ts'

const DESCRIPTION = `Secrets, policies, release rules, attestations and the ledger of a Casemate broker.

Guests speak the Confidential Containers KBS protocol under /kbs/v0: GET /v1/openapi-kbs.json describes it. The public
log's tiles are at /log/tile/…, as C2SP's tlog-tiles has them.

Errors have a stable code. 400 is for requests that are not as they are described here, 422 for those that are and
mean what cannot be. A path without the method is 405, with \`Allow\`; an unknown path is 404, \`route-missing\`.`

/** The groups of operations. */
const TAGS: Readonly<Record<string, string>> = {
  secrets:
    'Put, list, describe and delete. Nobody reads a secret here; guests that have proved themselves do, under /kbs/v0.',
  policies: 'Appraisal policies: what evidence has to be. `default` decides where guests attest.',
  references: 'Reference values: the measurements that are expected.',
  rules: 'Release rules: who gets which secret, in CEL.',
  attestations: 'Who attested, what the verdict was, and why.',
  verify: 'Evidence in, explanation out.',
  ledger: 'The record of every decision, with proofs.',
  tokens: 'Administrators’ tokens.',
  keys: 'Keys without their material.',
  info: 'What anyone may know of this broker.',
  health: 'For supervisors and balancers.',
}

/** To be awaited before any route of /v1 is registered. */
export async function collectOpenapi(app: FastifyInstance, version: string): Promise<void> {
  const answers = new Map<string, object>()
  const errors = new NamedErrors()
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Casemate broker',
        version,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'the broker that serves this' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          administrator: { type: 'http', scheme: 'bearer', description: 'an administrator’s token, cmt_…' },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      if (schema === undefined) return { schema, url }
      const access: Access | undefined = route.config?.access
      const described = schema as unknown as DescribedSchema
      const method = String(route.method)
      answers.set(described.operationId, describeAnswers({ method, access, schema: described }, errors))
      const { response: _response, ...rest } = schema
      const role = neededRole(access)
      if (role === null) return { schema: { ...rest, security: [] }, url }
      const description = `Needs the role ${role}.`
      return { schema: { ...rest, description, security: [{ administrator: [] }] }, url }
    },
    transformObject: document =>
      'openapiObject' in document ? finish(document.openapiObject, answers, errors.responses) : document,
  })
}

type Document = Record<string, unknown>
type Operation = Record<string, unknown> & { readonly operationId: string }

/** With the answers of each operation, and what has a name in the components. */
function finish(
  document: object,
  answers: ReadonlyMap<string, object>,
  errors: ReadonlyMap<string, object>,
): object {
  const { components, paths, ...rest } = plain(document) as {
    readonly components: Document
    readonly paths: Record<string, Record<string, Operation>>
  }
  for (const operation of Object.values(paths).flatMap(operations => Object.values(operations))) {
    operation['responses'] = answers.get(operation.operationId)
  }
  const schemas = new Map<string, unknown>()
  const lifted = liftNamed(plain(paths), schemas)
  const responses = liftNamed(plain(sorted(errors)), schemas)
  return {
    ...rest,
    paths: lifted,
    components: { ...components, responses, schemas: sorted(schemas) },
  }
}

function sorted(named: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.fromEntries([...named].toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** Each is written out once: anybody may ask for it, and it is long. */
export function openapiRoutes(app: FastifyInstance, describeKbs: () => object): void {
  serveOnce(app, '/v1/openapi.json', () => app.swagger())
  serveOnce(app, '/v1/openapi-kbs.json', describeKbs)
}

function serveOnce(app: FastifyInstance, path: string, describe: () => object): void {
  let text: string | null = null
  app.get(path, { config: { access: 'public' } }, async (_request, reply) => {
    text ??= JSON.stringify(describe())
    return reply.type('application/json').header('cache-control', 'public, max-age=300').send(text)
  })
}
