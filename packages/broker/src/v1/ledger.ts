// /v1/ledger: entries for auditors, receipts and proofs for everyone they are handed to, erasure for admins.

import type { LedgerEntry } from '@casemate/ledger/node'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { entry } from '../entry.ts'
import { actorOf } from '../http/access.ts'
import type { OpenLedger } from '../open-ledger.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import type { Page, PageRequest } from '../store/store.ts'
import { listRoute } from './list-route.ts'
import type { V1Parts } from './parts.ts'
import { AnyObject, Deleted, LedgerIndex, Time } from './schemas.ts'

const CLOSED = { additionalProperties: false }

export const Entry = Type.Object(
  {
    index: LedgerIndex,
    timestamp: Time,
    entry: Type.Union([AnyObject, Type.Null()], { description: 'null where it was erased' }),
    erasedBy: Type.Union([LedgerIndex, Type.Null()], {
      description: 'index of the entry that records the erasure',
    }),
  },
  { title: 'LedgerEntry' },
)

/** As `packages/ledger/FORMAT.md` has it: the ledger checks it before it hands it out. */
export const ReceiptDescribed = Type.Object(
  {
    format: Type.String(),
    entry: AnyObject,
    salt: Type.String({ description: '32 bytes, base64' }),
    index: LedgerIndex,
    timestamp: Time,
    inclusion: Type.Array(Type.String(), { description: 'from the leaf to the root: 32 bytes each, base64' }),
    checkpoint: Type.String({ description: 'the signed note' }),
  },
  { ...CLOSED, title: 'Receipt' },
)

const IndexPath = Type.Object({ index: LedgerIndex }, CLOSED)

const Range = Type.Object({ from: LedgerIndex, to: LedgerIndex }, CLOSED)

export const Consistency = Type.Object(
  {
    from: LedgerIndex,
    to: LedgerIndex,
    proof: Type.Array(Type.String({ description: 'a hash, base64' })),
    checkpoint: Type.String({ description: 'the latest' }),
  },
  { title: 'Consistency' },
)

const LedgerKey = Type.Object(
  { key: Type.String({ description: 'C2SP verifier key: name+hash+base64' }) },
  { title: 'LedgerKey' },
)

const Order = Type.Object({
  order: Type.Optional(Type.Enum(['asc', 'desc'], { description: 'default asc: oldest first' })),
})

const CURSOR = /^\d{1,15}$/

export function ledgerRoutes(app: FastifyInstance, parts: Pick<V1Parts, 'ledger' | 'now'>): void {
  entryRoutes(app, parts)
  proofRoutes(app, parts)
}

function entryRoutes(app: FastifyInstance, { ledger, now }: Pick<V1Parts, 'ledger' | 'now'>): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  listRoute(app, {
    path: '/v1/ledger/entries',
    access: 'auditor',
    group: 'ledger',
    summary: 'List entries, oldest first or newest first',
    operationId: 'listEntries',
    query: Order,
    cursor: CURSOR,
    read: (page, { order }) =>
      order === 'desc' ? readNewestFirst(ledger, page) : readOldestFirst(ledger, page),
    shown: Entry,
    show: showEntry,
  })
  typed.get(
    '/v1/ledger/entries/:index',
    {
      config: { access: 'auditor' },
      schema: describeRoute('ledger', 'Read an entry', {
        operationId: 'getEntry',
        params: IndexPath,
        response: { 200: Entry },
        errors: ['entry-missing'],
      }),
    },
    async request => showEntry(await ledger.entry(request.params.index)),
  )
  typed.delete(
    '/v1/ledger/entries/:index',
    {
      config: { access: 'admin', records: true },
      schema: describeRoute('ledger', 'Erase the content of an entry; the tree stays whole', {
        operationId: 'eraseEntry',
        params: IndexPath,
        response: { 200: Deleted },
        errors: ['entry-missing', 'entry-erased', 'conflict'],
      }),
    },
    async request => {
      const record = entry({ type: 'ledger.erased', at: now(), actor: actorOf(request) })
      const { index } = await ledger.erase(request.params.index, record)
      return { ledgerIndex: index }
    },
  )
}

function proofRoutes(app: FastifyInstance, { ledger }: Pick<V1Parts, 'ledger'>): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  typed.get(
    '/v1/ledger/receipts/:index',
    {
      config: { access: 'auditor' },
      schema: describeRoute('ledger', 'Get the receipt of an entry', {
        operationId: 'getReceipt',
        params: IndexPath,
        response: { 200: AnyObject },
        described: { 200: ReceiptDescribed },
        errors: ['entry-missing', 'entry-erased'],
      }),
    },
    async request => ({ ...(await ledger.receipt(request.params.index)) }),
  )
  typed.get(
    '/v1/ledger/consistency',
    {
      config: { access: 'auditor' },
      schema: describeRoute('ledger', 'Prove that the log at `to` extends the log at `from`', {
        operationId: 'getConsistency',
        querystring: Range,
        response: { 200: Consistency },
        errors: ['range-invalid'],
      }),
    },
    async request => {
      const { from, to } = request.query
      const proof = await ledger.consistency(from, to)
      const { note } = await ledger.checkpoint()
      return { from, to, proof: proof.map(hash => Buffer.from(hash).toString('base64')), checkpoint: note }
    },
  )
  typed.get(
    '/v1/ledger/key',
    {
      config: { access: 'public' },
      schema: describeRoute('ledger', 'Get the key that the log is checked with', {
        operationId: 'getLedgerKey',
        response: { 200: LedgerKey },
      }),
    },
    async () => ({ key: ledger.verifierKey }),
  )
}

async function readOldestFirst(
  ledger: OpenLedger,
  { limit, after }: PageRequest,
): Promise<Page<LedgerEntry>> {
  const from = after === null ? 0 : Number(after)
  const items = await ledger.entries({ from, limit })
  const end = from + items.length
  return { items, next: items.length === limit && end < (await ledger.currentSize()) ? String(end) : null }
}

/** A cursor is the index before which the page ends, so that entries that are added meanwhile move nothing. */
async function readNewestFirst(
  ledger: OpenLedger,
  { limit, after }: PageRequest,
): Promise<Page<LedgerEntry>> {
  const size = await ledger.currentSize()
  const end = Math.min(after === null ? size : Number(after), size)
  const from = Math.max(0, end - limit)
  const entries = end === 0 ? [] : await ledger.entries({ from, limit: end - from })
  return { items: entries.toReversed(), next: from === 0 ? null : String(from) }
}

function showEntry({ index, timestamp, entry, erasedBy }: LedgerEntry) {
  return { index, timestamp: timestamp.toISOString(), entry, erasedBy }
}
