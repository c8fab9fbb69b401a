// The OpenAPI 3.1 document of the KBS routes. They read bytes and check them themselves, so that it is written here, from
// the same schemas; a test compares its paths with what is served, and its errors with what is answered.

import { type TSchema, Type } from 'typebox'
import type { BrokerErrorCode } from '../errors.ts'
import { liftNamed, plain } from '../openapi/named-schemas.ts'
import { kbsStatus } from './errors.ts'
import { KBS_OPERATIONS, type KbsOperation } from './operations.ts'

const DESCRIPTION = `The Confidential Containers KBS protocol as this broker serves it: versions 0.4.0, 0.2.0 and 0.1.1.

Bodies are read as JSON whatever their content type says. Every answer other than 200 is \`{type, detail}\`, and the
detail opens with a code of Casemate. Rego is not run here. GET /v1/openapi.json describes the broker's own API.`

const SECURITY_SCHEMES = {
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'kbs-session-id',
    description: 'set by auth; an attested one by attest',
  },
  attestationToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'the token that attest answered',
  },
  administrator: { type: 'http', scheme: 'bearer', description: 'an administrator’s token, cmt_…' },
} as const

export const KbsError = Type.Object(
  {
    type: Type.String({
      description: 'https://github.com/confidential-containers/kbs/errors/ and the variant',
    }),
    detail: Type.String({
      description:
        '`code: what was wrong`; what was got and wanted; a hint; and the attestation’s id, each where there is one',
    }),
  },
  { title: 'KbsError' },
)

/** Of every operation: Node answers the first before there is a route. */
const ALWAYS: readonly BrokerErrorCode[] = ['headers-too-large', 'internal', 'unavailable', 'overloaded']

const OF_BODIES: readonly BrokerErrorCode[] = ['request-timeout', 'request-too-large', 'request-too-complex']

export function kbsDescription(version: string): object {
  const schemas = new Map<string, unknown>()
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of KBS_OPERATIONS) {
    const { path, method } = operation
    paths[path] = { ...paths[path], [method]: liftNamed(plain(describe(operation)), schemas) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Casemate broker: KBS protocol',
      version,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'the broker that serves this' }],
    tags: [
      { name: 'guest', description: 'For guests that attest.' },
      { name: 'administration', description: 'What the protocol has for administrators; /v1 has more.' },
    ],
    paths,
    components: { securitySchemes: SECURITY_SCHEMES, schemas: Object.fromEntries(schemas) },
  }
}

function describe({ path, method, ...operation }: KbsOperation): object {
  const { parameters, body, answer, errors, security, ...said } = operation
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  const all = [...ALWAYS, ...(method === 'get' ? [] : OF_BODIES), ...errors]
  const failures = [...Map.groupBy(all, kbsStatus)].map(([status, codes]) => [status, failure(codes)])
  return {
    ...said,
    security: security.map(name => ({ [name]: [] })),
    ...(names.length === 0 ? {} : { parameters: names.map(name => pathParameter(name ?? '', parameters)) }),
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: { 200: { description: 'Done.', ...answer }, ...Object.fromEntries(failures) },
  }
}

function requestBody({ type, schema, optional }: NonNullable<KbsOperation['body']>): object {
  return { required: optional !== true, content: { [type]: { schema } } }
}

function pathParameter(name: string, schema: TSchema | undefined): object {
  return { name, in: 'path', required: true, schema: schema ?? Type.String() }
}

function failure(codes: readonly BrokerErrorCode[]): object {
  const description = codes.map(code => `\`${code}\``).join(', ')
  return { description, content: { 'application/json': { schema: KbsError } } }
}
