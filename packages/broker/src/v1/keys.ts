// /v1/keys: which keys there are and since when; never what they are.

import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { actorOf } from '../http/access.ts'
import type { KeyDescription } from '../keys/keys.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import type { V1Parts } from './parts.ts'
import { Deleted, LedgerIndex, NullableTime } from './schemas.ts'

export const Key = Type.Object(
  {
    id: Type.String(),
    purpose: Type.Enum(['token', 'ledger', 'session', 'kek']),
    state: Type.Enum(['next', 'current', 'previous']),
    createdAt: NullableTime,
    activeFrom: NullableTime,
    retiresAt: NullableTime,
  },
  { title: 'Key' },
)

const Keys = Type.Object({ items: Type.Array(Key), next: Type.Null() }, { title: 'Keys' })

export const Rotate = Type.Object(
  { key: Type.Enum(['kek', 'signing']) },
  { additionalProperties: false, title: 'RotateKey' },
)

export const Rotated = Type.Object({ key: Key, ledgerIndex: LedgerIndex }, { title: 'KeyRotated' })

export const Retire = Type.Object(
  { key: Type.Literal('kek'), version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
  { additionalProperties: false, title: 'RetireKey' },
)

type KeyParts = Pick<V1Parts, 'keys' | 'kekVersions' | 'rotation' | 'ledgerKey'>

export function keyRoutes(app: FastifyInstance, { keys, kekVersions, rotation, ledgerKey }: KeyParts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  typed.get(
    '/v1/keys',
    {
      config: { access: 'admin' },
      schema: describeRoute('keys', 'List keys, without material', {
        operationId: 'listKeys',
        response: { 200: Keys },
      }),
    },
    async () => {
      const kek = await kekVersions()
      const all = [
        ...(await keys.describe()),
        ledgerKey,
        ...kek.all.map(version => describeKek(version, kek.current)),
      ]
      return { items: all.map(showKey), next: null }
    },
  )
  typed.post(
    '/v1/keys/rotate',
    {
      config: { access: 'admin', records: true },
      schema: describeRoute('keys', 'Rotate a key', {
        operationId: 'rotateKey',
        body: Rotate,
        response: { 200: Rotated },
        errors: ['conflict'],
      }),
    },
    async request => {
      const actor = actorOf(request)
      if (request.body.key === 'signing') {
        const { key, index } = await keys.rotateSigning(actor)
        return { key: showKey(key), ledgerIndex: index }
      }
      const { version, index } = await rotation.rotate(actor)
      return { key: showKey(describeKek(version, version)), ledgerIndex: index }
    },
  )
  retireRoute(app, rotation)
}

function describeKek(version: number, current: number): KeyDescription {
  const state = version === current ? 'current' : 'previous'
  return { id: String(version), purpose: 'kek', state, createdAt: null, activeFrom: null, retiresAt: null }
}

function retireRoute(app: FastifyInstance, rotation: V1Parts['rotation']): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/v1/keys/retire',
    {
      config: { access: 'admin', records: true },
      schema: describeRoute(
        'keys',
        'Forget an old version of the key-encryption key, and with it the backups that need it',
        {
          operationId: 'retireKey',
          body: Retire,
          response: { 200: Deleted },
          errors: ['key-missing', 'conflict'],
        },
      ),
    },
    async request => {
      const { index } = await rotation.retire(actorOf(request), request.body.version)
      return { ledgerIndex: index }
    },
  )
}

function showKey(key: KeyDescription) {
  const { id, purpose, state, createdAt, activeFrom, retiresAt } = key
  const times = { createdAt, activeFrom, retiresAt }
  const shown = Object.entries(times).map(([name, time]) => [name, time?.toISOString() ?? null])
  return { id, purpose, state, ...(Object.fromEntries(shown) as Record<keyof typeof times, string | null>) }
}
