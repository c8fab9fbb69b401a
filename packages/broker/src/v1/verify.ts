// Evidence in, explanation out; nothing is stored but that it was asked. And the same for a policy that is to be tried.

import type { EndorsementSource } from '@casemate/evidence'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { DEFAULT_POLICY } from '../attestation/appraisal-source.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import { readEvidence } from './attestations.ts'
import { Explanation } from './explanation.ts'
import type { V1Parts } from './parts.ts'
import { AnyObject, NamePath, TypedTime } from './schemas.ts'
import { readTime } from './tokens.ts'

const CLOSED = { additionalProperties: false }

const Base64 = Type.String({
  pattern: '^[A-Za-z0-9+/_-]*={0,2}$',
  minLength: 4,
  description: 'base64 or base64url',
})

/** Collateral of one machine is a dozen files. */
const MAX_ENDORSEMENTS = 64

/** Of both routes. */
const ERRORS = [
  'policy-missing',
  'stored-document-invalid',
  'time-invalid',
  'endorsement-malformed',
] as const satisfies readonly BrokerErrorCode[]

const Endorsements = Type.Optional(
  Type.Array(Base64, {
    maxItems: MAX_ENDORSEMENTS,
    description:
      'files of endorsements, in any form, for this request alone and beside those that the broker has',
  }),
)

export const Verify = Type.Object(
  {
    evidence: Base64,
    at: Type.Optional(TypedTime),
    endorsements: Endorsements,
    policy: Type.Optional(
      Type.Union([Type.String({ maxLength: 128 }), AnyObject], {
        description: 'the name of one, or a document as PUT /v1/policies/{name} takes it; default: default',
      }),
    ),
  },
  { ...CLOSED, title: 'VerifyRequest' },
)

export const Test = Type.Union(
  [
    Type.Object({ evidence: Base64, at: Type.Optional(TypedTime), endorsements: Endorsements }, CLOSED),
    Type.Object({ attestationId: Type.String({ maxLength: 64 }), endorsements: Endorsements }, CLOSED),
  ],
  { title: 'PolicyTest' },
)

type VerifyParts = Pick<V1Parts, 'pipeline' | 'store' | 'now'>

export function verifyRoutes(app: FastifyInstance, parts: VerifyParts): void {
  verifyRoute(app, parts)
  testRoute(app, parts)
}

function verifyRoute(app: FastifyInstance, { pipeline, now }: VerifyParts): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/v1/verify',
    {
      config: { access: 'auditor' },
      schema: describeRoute('verify', 'Explain evidence', {
        operationId: 'verifyEvidence',
        body: Verify,
        response: { 200: AnyObject },
        described: { 200: Explanation },
        errors: [...ERRORS, 'policy-invalid'],
      }),
    },
    async request => {
      const { evidence, at, policy = DEFAULT_POLICY } = request.body
      return pipeline.explain({
        evidence: Buffer.from(evidence, 'base64'),
        at: at === undefined ? now() : readTime(at),
        endorsements: sourcesOf(request.body.endorsements),
        policy: policy as string | JsonObject,
      })
    },
  )
}

function testRoute(app: FastifyInstance, { pipeline, store, now }: VerifyParts): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/v1/policies/:name/test',
    {
      config: { access: 'auditor' },
      schema: describeRoute('policies', 'Try a policy on evidence, given or of a past attestation', {
        operationId: 'testPolicy',
        params: NamePath,
        body: Test,
        response: { 200: AnyObject },
        described: { 200: Explanation },
        errors: [...ERRORS, 'attestation-missing', 'evidence-missing'],
      }),
    },
    async request => {
      const { body } = request
      const policy = request.params.name
      const endorsements = sourcesOf(body.endorsements)
      if ('evidence' in body) {
        const at = body.at === undefined ? now() : readTime(body.at)
        return pipeline.explain({ evidence: Buffer.from(body.evidence, 'base64'), at, endorsements, policy })
      }
      const past = await store.attestations.find(body.attestationId)
      if (past === null) throw new BrokerError('attestation-missing', 'there is no such attestation')
      const evidence = await readEvidence(store, past.id)
      return pipeline.explain({ evidence, at: past.at, endorsements, policy })
    },
  )
}

function sourcesOf(files: readonly string[] = []): readonly EndorsementSource[] {
  return files.map((file, index) => ({
    name: `endorsements[${index}]`,
    bytes: Buffer.from(file, 'base64'),
  }))
}
