// /v1/attestations: who asked, what the verdict was, and why; accepted and refused alike.

import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'
import { type StoredAttestation, VERDICTS } from '../store/store.ts'
import { readPage, writePage } from './paging.ts'
import type { V1Parts } from './parts.ts'
import { describeRoute } from './route-schema.ts'
import { AnyObject, IdPath, Octets, PageQuery, pageOf, Time } from './schemas.ts'

const VerdictName = Type.Enum([...VERDICTS])
const NullableText = Type.Union([Type.String(), Type.Null()])

const Summary = Type.Object({
  id: Type.String(),
  at: Time,
  verdict: VerdictName,
  kind: NullableText,
  code: NullableText,
  ledgerIndex: Type.Union([Type.Integer(), Type.Null()]),
  evidenceKept: Type.Boolean(),
})

const Full = Type.Object({ ...Summary.properties, explanation: AnyObject })

const ListQuery = Type.Object(
  { ...PageQuery.properties, verdict: Type.Optional(VerdictName) },
  { additionalProperties: false },
)

const CURSOR = /^[1-9]\d{0,14}$/

export function attestationRoutes(app: FastifyInstance, { context }: V1Parts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  const { attestations } = context.store
  typed.get(
    '/v1/attestations',
    {
      config: { access: 'auditor' },
      schema: describeRoute('attestations', 'List attestations, newest first', {
        querystring: ListQuery,
        response: { 200: pageOf(Summary) },
      }),
    },
    async request => {
      const { verdict, ...query } = request.query
      return writePage(await attestations.list(verdict ?? 'any', readPage(query, CURSOR)), showSummary)
    },
  )
  typed.get(
    '/v1/attestations/:id',
    {
      config: { access: 'auditor' },
      schema: describeRoute('attestations', 'Read an attestation with its explanation', {
        params: IdPath,
        response: { 200: Full },
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
        params: IdPath,
        produces: ['application/octet-stream'],
        response: { 200: Octets },
      }),
    },
    async (request, reply) => {
      const evidence = await readEvidence(context, request.params.id)
      return reply.type('application/octet-stream').send(evidence)
    },
  )
}

/** @throws {BrokerError} `attestation-missing`, `evidence-missing` */
export async function readEvidence({ store }: V1Parts['context'], id: string): Promise<Uint8Array> {
  const evidence = await store.attestations.evidence(id)
  if (evidence !== null) return evidence
  if ((await store.attestations.find(id)) === null) {
    throw new BrokerError('attestation-missing', 'there is no such attestation')
  }
  throw new BrokerError('evidence-missing', 'the evidence of this attestation is no longer kept', {
    hint: 'evidenceRetention says for how long it is',
  })
}

function showSummary({ id, at, verdict, kind, code, ledgerIndex, evidenceKept }: StoredAttestation) {
  return { id, at: at.toISOString(), verdict, kind, code, ledgerIndex, evidenceKept }
}
