// The public log: checkpoint, tiles and entry bundles as C2SP tlog-tiles serves them. Commitments only.

import { LedgerError, parseTilePath } from '@casemate/ledger'
import { Type } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'
import type { OpenLedger } from '../open-ledger.ts'
import { describeRoute } from '../openapi/route-schema.ts'

/** A tile never changes, not even a partial one: its name has its width. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

const CHECKPOINT = describeRoute(
  'ledger',
  'Get the latest checkpoint: a signed note (C2SP tlog-checkpoint)',
  {
    operationId: 'getCheckpoint',
    produces: ['text/plain'],
    response: {},
    described: { 200: Type.String() },
    errors: ['unavailable'],
  },
)

export function logRoutes(app: FastifyInstance, ledger: OpenLedger): void {
  app.get(
    '/log/checkpoint',
    { config: { access: 'public' }, schema: CHECKPOINT },
    async (_request, reply) => {
      const { note } = await ledger.checkpoint()
      return reply.type('text/plain; charset=utf-8').header('cache-control', 'no-cache').send(note)
    },
  )
  app.get<{ Params: { '*': string } }>(
    '/log/tile/*',
    { config: { access: 'public' } },
    async (request, reply) => {
      const bytes = await readTile(ledger, `tile/${request.params['*']}`)
      return reply.type('application/octet-stream').header('cache-control', IMMUTABLE).send(bytes)
    },
  )
}

async function readTile(ledger: OpenLedger, path: string): Promise<Uint8Array> {
  try {
    const id = parseTilePath(path)
    if (id.kind === 'entries') return await ledger.entryBundle(id.index, id.width)
    return await ledger.tile(id.level, id.index, id.width)
  } catch (error) {
    const missing = error instanceof LedgerError && ['path-malformed', 'out-of-range'].includes(error.code)
    if (!missing) throw error
    throw new BrokerError('tile-missing', 'the log has no such tile', { cause: error })
  }
}
