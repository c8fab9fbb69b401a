// /v1/policies, /v1/references, /v1/rules: named documents of one shape each, checked before they are stored.

import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { TSchema } from 'typebox'
import { recordOf } from '../document-record.ts'
import { type EntryType, entry } from '../entry.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'
import { actorOf } from '../http/access.ts'
import { compileAllButBody } from '../http/validation.ts'
import type { JsonObject } from '../json.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import type { DocumentKind, Precondition, StoredDocument } from '../store/store.ts'
import { untilUnraced } from '../store/unraced.ts'
import { listRoute } from './list-route.ts'
import type { V1Parts } from './parts.ts'
import { etag, isUnchanged, notModified, readPrecondition } from './preconditions.ts'
import {
  AnyObject,
  ChangeHeaders,
  Deleted,
  LedgerIndex,
  NamePath,
  NullableTime,
  ReadHeaders,
  Time,
} from './schemas.ts'

/** Where a document is put. */
export interface Place {
  readonly name: string
  /** What is stored there; null for nothing. */
  readonly stored: StoredDocument | null
}

/** How one kind of document is served. */
export interface DocumentRoutes {
  readonly kind: DocumentKind
  /** `policies`: the path below /v1 and the group in the API description. */
  readonly plural: string
  /** In names of operations: `Policy`, `Policies`. */
  readonly called: readonly [one: string, all: string]
  readonly missing: BrokerErrorCode
  readonly invalid: BrokerErrorCode
  readonly put: EntryType
  readonly deleted: EntryType
  readonly body: TSchema
  /** What a name stands for that nothing is stored under; null for nothing. */
  readonly builtIn?: (name: string) => JsonObject | null
  /** What a document may leave out, as it follows from where it is stored. */
  readonly complete?: (document: JsonObject, place: Place) => JsonObject
  /** @throws {BrokerError} the kind's `…-invalid`, with every problem */
  readonly check: (document: unknown, name: string) => JsonObject
  /** Whether it can stand beside what is stored under other names: their generation. @throws {BrokerError} the kind's `…-invalid` */
  readonly checkBeside?: (document: JsonObject, name: string) => Promise<number>
}

/** How often a put is repeated that others of its kind came before; each time one of them was put. */
const MAX_PUT_ATTEMPTS = 16

const CURSOR = /^[\w-][\w.-]*$/

export const Stored = Type.Object(
  { name: Type.String(), ledgerIndex: LedgerIndex },
  { title: 'DocumentStored' },
)

export const Document = Type.Object(
  { name: Type.String(), createdAt: Time, updatedAt: Time, document: AnyObject },
  { title: 'Document' },
)

/** No times where nothing is stored under its name. */
export const OrBuiltIn = Type.Object(
  { ...Document.properties, createdAt: NullableTime, updatedAt: NullableTime },
  { title: 'DocumentOrBuiltIn' },
)

type DocumentParts = Pick<V1Parts, 'store' | 'now'>

export function documentRoutes(app: FastifyInstance, parts: DocumentParts, routes: DocumentRoutes): void {
  readRoutes(app, parts, routes)
  putRoute(app, parts, routes)
  deleteRoute(app, parts, routes)
}

function readRoutes(
  app: FastifyInstance,
  { store }: DocumentParts,
  { kind, plural, called, missing, builtIn }: DocumentRoutes,
): void {
  const { documents } = store
  listRoute(app, {
    path: `/v1/${plural}`,
    access: 'auditor',
    group: plural,
    summary: `List ${plural}`,
    operationId: `list${called[1]}`,
    cursor: CURSOR,
    read: page => documents.list(kind, page),
    shown: Document,
    show: showDocument,
  })
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    `/v1/${plural}/:name`,
    {
      config: { access: 'auditor' },
      schema: describeRoute(plural, `Read one of the ${plural}`, {
        operationId: `get${called[0]}`,
        params: NamePath,
        headers: ReadHeaders,
        response: { 200: builtIn === undefined ? Document : OrBuiltIn },
        tagged: true,
        errors: [missing],
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

function putRoute(app: FastifyInstance, { store, now }: DocumentParts, routes: DocumentRoutes): void {
  const { kind, plural, called, put, body, invalid, complete, check, checkBeside } = routes
  app.withTypeProvider<TypeBoxTypeProvider>().put(
    `/v1/${plural}/:name`,
    {
      config: { access: 'writer', records: true },
      validatorCompiler: compileAllButBody,
      schema: describeRoute(plural, `Put one of the ${plural}`, {
        operationId: `put${called[0]}`,
        params: NamePath,
        headers: ChangeHeaders,
        body,
        response: { 200: Stored, 201: Stored },
        tagged: true,
        errors: [invalid, 'precondition-failed', 'conflict'],
      }),
    },
    async (request, reply) => {
      const { name } = request.params
      const expected = readPrecondition(request)
      // Of one revision, or of none, the answer stays what it is.
      const isFixed = typeof expected === 'number' || expected === 'none'
      const putOnce = async () => {
        const stored = await store.documents.find(kind, name)
        const whole = isObject(request.body) ? complete?.(request.body, { name, stored }) : undefined
        const document = check(whole ?? request.body, name)
        const beside = await checkBeside?.(document, name)
        const at = now()
        const record = entry({ type: put, at, actor: actorOf(request) }, { name, ...recordOf(document) })
        const seen = whole === undefined ? expected : seenAs(expected, stored)
        const change = { kind, name, document, at, ...(beside === undefined ? {} : { beside }) }
        return store.documents.put(change, seen, record)
      }
      const attempt = () => untilUnraced(isFixed ? null : 'precondition-failed', putOnce)
      const { index, value } = await untilUnraced('conflict', attempt, MAX_PUT_ATTEMPTS)
      reply.code(value.isNew ? 201 : 200)
      reply.header('etag', etag(value.revision))
      return { name, ledgerIndex: index }
    },
  )
}

function deleteRoute(
  app: FastifyInstance,
  { store, now }: DocumentParts,
  { kind, plural, called, missing, deleted }: DocumentRoutes,
): void {
  app.withTypeProvider<TypeBoxTypeProvider>().delete(
    `/v1/${plural}/:name`,
    {
      config: { access: 'writer', records: true },
      schema: describeRoute(plural, `Delete one of the ${plural}`, {
        operationId: `delete${called[0]}`,
        params: NamePath,
        headers: ChangeHeaders,
        response: { 200: Deleted },
        errors: [missing, 'precondition-failed', 'conflict'],
      }),
    },
    async request => {
      const { name } = request.params
      const record = entry({ type: deleted, at: now(), actor: actorOf(request) }, { name })
      const options = { expected: readPrecondition(request), entry: record }
      const { index } = await store.documents.delete(kind, name, options)
      return { ledgerIndex: index }
    },
  )
}

/** Members that were filled in follow from the stored document, so that it has to be stored still. */
function seenAs(expected: Precondition, stored: StoredDocument | null): Precondition {
  if (expected === 'any') return stored?.revision ?? 'none'
  return expected === 'some' ? (stored?.revision ?? 'some') : expected
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function showDocument({ name, createdAt, updatedAt, document }: StoredDocument) {
  return { name, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString(), document }
}
