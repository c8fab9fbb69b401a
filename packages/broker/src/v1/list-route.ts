// Lists of /v1: each is served in pages, read by a cursor, and described alike.

import { type Static, type TObject, type TSchema, Type } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { describeRoute } from '../openapi/route-schema.ts'
import type { Role } from '../roles.ts'
import type { Page, PageRequest } from '../store/store.ts'
import { type PageQuery as PageRead, readPage, writePage } from './paging.ts'
import { PageQuery, pageOf } from './schemas.ts'

/** One list. */
export interface List<Item, Shown extends TSchema, Query extends TObject> {
  readonly path: string
  readonly access: Role
  readonly group: string
  readonly summary: string
  readonly operationId: string
  /** What a query may say beside limit and cursor; nothing where it is not given. */
  readonly query?: Query
  /** What the store’s continuations look like. */
  readonly cursor: RegExp
  readonly read: (page: PageRequest, query: Static<Query>) => Promise<Page<Item>>
  readonly shown: Shown
  readonly show: (item: Item) => Static<Shown>
}

/** @throws {BrokerError} `cursor-invalid`, in answer to a request */
export function listRoute<Item, Shown extends TSchema, Query extends TObject>(
  app: FastifyInstance,
  list: List<Item, Shown, Query>,
): void {
  const { path, access, group, summary, operationId, query, cursor, read, shown, show } = list
  const querystring = Type.Object(
    { ...PageQuery.properties, ...query?.properties },
    { additionalProperties: false },
  )
  app.get(
    path,
    {
      config: { access },
      schema: describeRoute(group, summary, {
        operationId,
        querystring,
        response: { 200: pageOf(shown) },
        errors: ['cursor-invalid'],
      }),
    },
    async request => {
      // As its schema has it: it was checked.
      const asked = request.query as PageRead & Static<Query>
      return writePage(await read(readPage(asked, cursor), asked), show)
    },
  )
}
