// /v1/policies, /v1/references, /v1/rules: named documents of one shape each, checked before they are stored.

import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { TSchema } from 'typebox'
import { recordOf } from '../document-record.ts'
import { type EntryType, entry } from '../entry.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { compileAllButBody } from '../server/validation.ts'
import type { DocumentKind, StoredDocument } from '../store/store.ts'
import { actorOf } from './actor.ts'
import { readPage, writePage } from './paging.ts'
import type { V1Parts } from './parts.ts'
import { etag, isUnchanged, notModified, readPrecondition } from './preconditions.ts'
import { describeRoute } from './route-schema.ts'
import { AnyObject, Deleted, LedgerIndex, NamePath, PageQuery, pageOf, Time } from './schemas.ts'

/** How one kind of document is served. */
export interface DocumentRoutes {
  readonly kind: DocumentKind
  /** `policies`: the path below /v1 and the group in the API description. */
  readonly plural: string
  readonly missing: BrokerErrorCode
  readonly put: EntryType
  readonly deleted: EntryType
  readonly body: TSchema
  /** What a name stands for that nothing is stored under; null for nothing. */
  readonly builtIn?: (name: string) => JsonObject | null
  /** @throws {BrokerError} the kind's `…-invalid`, with every problem */
  readonly check: (document: unknown, name: string) => JsonObject
}

const CURSOR = /^[\w-][\w.-]*$/

const Stored = Type.Object({ name: Type.String(), ledgerIndex: LedgerIndex })

export function documentRoutes(app: FastifyInstance, parts: V1Parts, routes: DocumentRoutes): void {
  readRoutes(app, parts, routes)
  putRoute(app, parts, routes)
  deleteRoute(app, parts, routes)
}

function readRoutes(
  app: FastifyInstance,
  { context }: V1Parts,
  { kind, plural, missing, builtIn }: DocumentRoutes,
): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  const { documents } = context.store
  const Document = Type.Object({ name: Type.String(), createdAt: Time, updatedAt: Time, document: AnyObject })
  const NullableTime = Type.Union([Time, Type.Null()])
  const OrBuiltIn = Type.Object({
    ...Document.properties,
    createdAt: NullableTime,
    updatedAt: NullableTime,
  })
  typed.get(
    `/v1/${plural}`,
    {
      config: { access: 'auditor' },
      schema: describeRoute(plural, `List ${plural}`, {
        querystring: PageQuery,
        response: { 200: pageOf(Document) },
      }),
    },
    async request => writePage(await documents.list(kind, readPage(request.query, CURSOR)), showDocument),
  )
  typed.get(
    `/v1/${plural}/:name`,
    {
      config: { access: 'auditor' },
      schema: describeRoute(plural, `Read one of the ${plural}`, {
        params: NamePath,
        response: { 200: builtIn === undefined ? Document : OrBuiltIn },
      }),
    },
    async (request, reply) => {
      const { name } = request.params
      const found = await documents.find(kind, name)
      const document = found === null ? builtIn?.(name) : null
      if (document) return { name, createdAt: null, updatedAt: null, document }
      if (found === null) throw new BrokerError(missing, `there is no ${kind} ${name}`)
      if (isUnchanged(request, reply, found.revision)) return notModified(reply)
      return showDocument(found)
    },
  )
}

function putRoute(app: FastifyInstance, { context }: V1Parts, routes: DocumentRoutes): void {
  const { kind, plural, put, body, check } = routes
  app.withTypeProvider<TypeBoxTypeProvider>().put(
    `/v1/${plural}/:name`,
    {
      config: { access: 'writer', records: true },
      validatorCompiler: compileAllButBody,
      schema: describeRoute(plural, `Put one of the ${plural}`, {
        params: NamePath,
        body,
        response: { 200: Stored, 201: Stored },
      }),
    },
    async (request, reply) => {
      const { name } = request.params
      const document = check(request.body, name)
      const at = context.now()
      const record = entry({ type: put, at, actor: actorOf(request) }, { name, ...recordOf(document) })
      const change = { kind, name, document, at }
      const { index, value } = await context.store.documents.put(change, readPrecondition(request), record)
      reply.code(value.isNew ? 201 : 200)
      reply.header('etag', etag(value.revision))
      return { name, ledgerIndex: index }
    },
  )
}

function deleteRoute(
  app: FastifyInstance,
  { context }: V1Parts,
  { kind, plural, deleted }: DocumentRoutes,
): void {
  app.withTypeProvider<TypeBoxTypeProvider>().delete(
    `/v1/${plural}/:name`,
    {
      config: { access: 'writer', records: true },
      schema: describeRoute(plural, `Delete one of the ${plural}`, {
        params: NamePath,
        response: { 200: Deleted },
      }),
    },
    async request => {
      const { name } = request.params
      const record = entry({ type: deleted, at: context.now(), actor: actorOf(request) }, { name })
      const options = { expected: readPrecondition(request), entry: record }
      const { index } = await context.store.documents.delete(kind, name, options)
      return { ledgerIndex: index }
    },
  )
}

function showDocument({ name, createdAt, updatedAt, document }: StoredDocument) {
  return { name, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString(), document }
}
