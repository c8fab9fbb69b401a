// /v1/secrets: put, list, describe, delete. There is no way to read a secret's content here.

import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'
import { actorOf } from '../http/access.ts'
import { compileAllButBody } from '../http/validation.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import { formatSecretPath, secretPath } from '../secret-path.ts'
import type { SecretHead, SecretVersionHead } from '../store/store.ts'
import { listRoute } from './list-route.ts'
import type { V1Parts } from './parts.ts'
import { etag, isUnchanged, notModified, readPrecondition } from './preconditions.ts'
import {
  ChangeHeaders,
  Deleted,
  LedgerIndex,
  ReadHeaders,
  SecretPathParameters,
  SomeOctets,
  Time,
} from './schemas.ts'

export const Head = Type.Object(
  {
    path: Type.String({ description: 'repository/type/tag' }),
    version: Type.Integer({ description: 'the one that guests get' }),
    createdAt: Time,
    updatedAt: Time,
  },
  { title: 'Secret' },
)

const Version = Type.Object(
  {
    version: Type.Integer(),
    createdAt: Time,
    sizeBytes: Type.Integer(),
    kekVersion: Type.Integer(),
  },
  { title: 'SecretVersion' },
)

export const Description = Type.Object(
  { ...Head.properties, versions: Type.Array(Version) },
  { title: 'SecretDescription' },
)

export const Stored = Type.Object(
  { path: Type.String(), version: Type.Integer(), ledgerIndex: LedgerIndex },
  { title: 'SecretStored' },
)

const DeleteQuery = Type.Object(
  { version: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })) },
  { additionalProperties: false },
)

/** `repository/type/tag`, as the store continues a list. */
const CURSOR = /^[\w-][\w.-]*\/[\w-][\w.-]*\/[\w-][\w.-]*$/

const PATH = '/v1/secrets/:repository/:type/:tag'

type SecretParts = Pick<V1Parts, 'secrets' | 'metrics'>

export function secretRoutes(app: FastifyInstance, parts: SecretParts): void {
  readRoutes(app, parts)
  deleteRoute(app, parts)
  // A scope of its own: here a body is octets, whatever its content type says.
  app.register(async scope => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    putRoute(scope, parts)
  })
}

function readRoutes(app: FastifyInstance, { secrets }: SecretParts): void {
  listRoute(app, {
    path: '/v1/secrets',
    access: 'auditor',
    group: 'secrets',
    summary: 'List secrets',
    operationId: 'listSecrets',
    cursor: CURSOR,
    read: page => secrets.list(page),
    shown: Head,
    show: showHead,
  })
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    PATH,
    {
      config: { access: 'auditor' },
      schema: describeRoute('secrets', 'Describe a secret and its versions', {
        operationId: 'getSecret',
        params: SecretPathParameters,
        headers: ReadHeaders,
        response: { 200: Description },
        tagged: true,
        errors: ['secret-missing'],
      }),
    },
    async (request, reply) => {
      const { repository, type, tag } = request.params
      const described = await secrets.describe(secretPath(repository, type, tag))
      if (isUnchanged(request, reply, described.revision)) return notModified(reply)
      return { ...showHead(described), versions: described.versions.map(showVersion) }
    },
  )
}

function putRoute(app: FastifyInstance, { secrets, metrics }: SecretParts): void {
  app.withTypeProvider<TypeBoxTypeProvider>().put(
    PATH,
    {
      config: { access: 'writer', records: true },
      validatorCompiler: compileAllButBody,
      schema: describeRoute('secrets', 'Put a new version of a secret', {
        operationId: 'putSecret',
        params: SecretPathParameters,
        headers: ChangeHeaders,
        body: SomeOctets,
        consumes: ['application/octet-stream'],
        response: { 200: Stored, 201: Stored },
        tagged: true,
        errors: ['precondition-failed', 'conflict'],
      }),
    },
    async (request, reply) => {
      const { repository, type, tag } = request.params
      const path = secretPath(repository, type, tag)
      const change = { actor: actorOf(request), expected: readPrecondition(request) }
      const { index, value } = await secrets.put(path, octetsOf(request.body), change)
      metrics.resourceWrites.inc()
      reply.code(value.isNew ? 201 : 200)
      reply.header('etag', etag(value.revision))
      return { path: formatSecretPath(path), version: value.version, ledgerIndex: index }
    },
  )
}

function deleteRoute(app: FastifyInstance, { secrets, metrics }: SecretParts): void {
  app.withTypeProvider<TypeBoxTypeProvider>().delete(
    PATH,
    {
      config: { access: 'writer', records: true },
      schema: describeRoute('secrets', 'Delete a secret, or one version of it', {
        operationId: 'deleteSecret',
        params: SecretPathParameters,
        querystring: DeleteQuery,
        headers: ChangeHeaders,
        response: { 200: Deleted },
        errors: ['secret-missing', 'precondition-failed', 'conflict'],
      }),
    },
    async request => {
      const { repository, type, tag } = request.params
      const { version } = request.query
      const path = secretPath(repository, type, tag)
      const change = { actor: actorOf(request), expected: readPrecondition(request) }
      const { index } =
        version === undefined
          ? await secrets.delete(path, change)
          : await secrets.deleteVersion(path, version, change)
      metrics.resourceDeletes.inc()
      return { ledgerIndex: index }
    },
  )
}

/** The schema is the description's: the body itself passes it unread. */
function octetsOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array && body.length > 0) return body
  throw new BrokerError('request-malformed', 'the body is empty, want the secret’s octets')
}

function showHead(head: SecretHead) {
  return {
    path: formatSecretPath(head),
    version: head.version,
    createdAt: head.createdAt.toISOString(),
    updatedAt: head.updatedAt.toISOString(),
  }
}

function showVersion({ version, createdAt, sizeBytes, kekVersion }: SecretVersionHead) {
  return { version, createdAt: createdAt.toISOString(), sizeBytes, kekVersion }
}
