// /v1/attestations: who asked, what the verdict was, and why; accepted and refused alike.

import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import { type Store, type StoredAttestation, VERDICTS } from '../store/store.ts'
import { Explanation } from './explanation.ts'
import { listRoute } from './list-route.ts'
import type { V1Parts } from './parts.ts'
import { AnyObject, IdPath, NullableText, Octets, Time } from './schemas.ts'

const VerdictName = Type.Enum([...VERDICTS])

export const Summary = Type.Object(
  {
    id: Type.String(),
    at: Time,
    verdict: VerdictName,
    kind: NullableText,
    code: NullableText,
    workload: NullableText,
    measurement: NullableText,
    client: NullableText,
    ledgerIndex: Type.Union([Type.Integer(), Type.Null()]),
    evidenceKept: Type.Boolean(),
  },
  { title: 'AttestationSummary' },
)

const Full = Type.Object({ ...Summary.properties, explanation: AnyObject })

export const FullDescribed = Type.Object(
  { ...Summary.properties, explanation: Explanation },
  { title: 'Attestation' },
)

export const ListFilter = Type.Object(
  {
    verdict: Type.Optional(VerdictName),
    kind: Type.Optional(Type.String({ maxLength: 64 })),
    code: Type.Optional(Type.String({ maxLength: 64 })),
    workload: Type.Optional(Type.String({ maxLength: 256 })),
    measurement: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{1,128}$',
        description: 'a measurement in lower-case hex, or its beginning',
      }),
    ),
    client: Type.Optional(Type.String({ maxLength: 64, description: 'address or network' })),
    idEnd: Type.Optional(
      Type.String({ pattern: '^[0-9a-f-]{4,36}$', description: 'the last 4 to 36 characters of ids' }),
    ),
  },
  { additionalProperties: false },
)

const CURSOR = /^[1-9]\d{0,14}$/

export function attestationRoutes(app: FastifyInstance, { store }: Pick<V1Parts, 'store'>): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  const { attestations } = store
  listRoute(app, {
    path: '/v1/attestations',
    access: 'auditor',
    group: 'attestations',
    summary: 'List attestations, newest first',
    operationId: 'listAttestations',
    query: ListFilter,
    cursor: CURSOR,
    read: (page, query) => {
      const { verdict = 'any', ...filter } = query
      return attestations.list(verdict, page, filter)
    },
    shown: Summary,
    show: showSummary,
  })
  typed.get(
    '/v1/attestations/:id',
    {
      config: { access: 'auditor' },
      schema: describeRoute('attestations', 'Read an attestation with its explanation', {
        operationId: 'getAttestation',
        params: IdPath,
        response: { 200: Full },
        described: { 200: FullDescribed },
        errors: ['attestation-missing'],
      }),
    },
    async request => {
      const found = await attestations.find(request.params.id)
      if (found === null) throw new BrokerError('attestation-missing', 'there is no such attestation')
      return { ...showSummary(found), explanation: found.explanation }
    },
  )
  typed.get(
    '/v1/attestations/:id/evidence',
    {
      config: { access: 'auditor' },
      schema: describeRoute('attestations', 'Read the evidence as the guest sent it', {
        operationId: 'getEvidence',
        params: IdPath,
        produces: ['application/octet-stream'],
        response: { 200: Octets },
        errors: ['attestation-missing', 'evidence-missing'],
      }),
    },
    async (request, reply) => {
      const evidence = await readEvidence(store, request.params.id)
      return reply.type('application/octet-stream').send(evidence)
    },
  )
}

/** @throws {BrokerError} `attestation-missing`, `evidence-missing` */
export async function readEvidence(
  { attestations }: Pick<Store, 'attestations'>,
  id: string,
): Promise<Uint8Array> {
  const evidence = await attestations.evidence(id)
  if (evidence !== null) return evidence
  if ((await attestations.find(id)) === null) {
    throw new BrokerError('attestation-missing', 'there is no such attestation')
  }
  throw new BrokerError('evidence-missing', 'the evidence of this attestation is no longer kept', {
    hint: 'evidenceRetention says for how long it is',
  })
}

function showSummary({ explanation, ...stored }: StoredAttestation) {
  const { id, at, verdict, kind, code, ledgerIndex, evidenceKept } = stored
  return {
    id,
    at: at.toISOString(),
    verdict,
    kind,
    code,
    workload: textIn(explanation['result'], 'workload'),
    measurement: textIn(explanation['claims'], 'measurement'),
    client: textIn(explanation['session'], 'client'),
    ledgerIndex,
    evidenceKept,
  }
}

function textIn(part: unknown, name: string): string | null {
  const value: unknown = typeof part === 'object' && part !== null ? Reflect.get(part, name) : null
  return typeof value === 'string' ? value : null
}
