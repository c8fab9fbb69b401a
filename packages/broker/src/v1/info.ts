// Facts about this broker that anyone may know: version, log, keys, whether it trusts simulated evidence.

import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { JWKS_MAX_AGE_MS } from '../keys/broker-keys.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import type { V1Parts } from './parts.ts'
import { AnyObject } from './schemas.ts'

export const Info = Type.Object(
  {
    version: Type.String(),
    issuer: Type.String({ description: 'iss of attestation results' }),
    origin: Type.String({ description: 'origin line of the log' }),
    ledgerKey: Type.String({ description: 'C2SP verifier key of the log' }),
    simulatedEvidence: Type.Boolean({
      description:
        'true where a simulator’s roots are trusted, and policies decide whether what they signed is accepted',
    }),
  },
  { title: 'Info' },
)

const Jwks = Type.Object({ keys: Type.Array(AnyObject, { description: 'JWK' }) }, { title: 'Jwks' })

type InfoParts = Pick<V1Parts, 'version' | 'config' | 'ledger' | 'anchors' | 'tokenKeys'>

export function infoRoutes(app: FastifyInstance, parts: InfoParts): void {
  const { version, config, ledger, anchors, tokenKeys } = parts
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  typed.get(
    '/v1/info',
    {
      config: { access: 'public' },
      schema: describeRoute('info', 'About this broker', {
        operationId: 'getInfo',
        response: { 200: Info },
      }),
    },
    async () => ({
      version,
      issuer: config.issuer,
      origin: ledger.origin,
      ledgerKey: ledger.verifierKey,
      simulatedEvidence: anchors.some(({ simulated }) => simulated),
    }),
  )
  typed.get(
    '/.well-known/jwks.json',
    {
      config: { access: 'public' },
      schema: describeRoute('info', 'Keys that sign attestation results (RFC 7517)', {
        operationId: 'getJwks',
        response: { 200: Jwks },
      }),
    },
    async (_request, reply) => {
      reply.header('cache-control', `public, max-age=${JWKS_MAX_AGE_MS / 1000}`)
      const { keys } = await tokenKeys.jwks()
      return { keys: [...keys] }
    },
  )
}
