// /v1/rules/{name}/dry-run: what past attestations would get from a rule, stored or proposed.

import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Value } from 'typebox/value'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { ReleaseRule } from '../pipeline.ts'
import type { V1Parts } from './parts.ts'
import { describeRoute } from './route-schema.ts'
import { AnyObject, NamePath } from './schemas.ts'

const CLOSED = { additionalProperties: false }

/** Attestations looked at where no limit is given. */
const DEFAULT_DRY_RUN = 100

const MAX_DRY_RUN = 500

/** A release rule. */
export const Rule = Type.Object(
  {
    secrets: Type.String({
      minLength: 1,
      maxLength: 512,
      description: 'repository/type/tag; * is one whole segment',
    }),
    expression: Type.String({
      minLength: 1,
      maxLength: 16_384,
      description: 'CEL over claims, result, secret and now; a boolean',
    }),
    message: Type.String({ minLength: 1, maxLength: 512, description: 'for auditors, when it is false' }),
    enabled: Type.Boolean(),
  },
  CLOSED,
)

const DryRun = Type.Object(
  { rule: Type.Optional(Rule), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_DRY_RUN })) },
  CLOSED,
)

export function dryRunRoute(app: FastifyInstance, { context, rules }: V1Parts): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/v1/rules/:name/dry-run',
    {
      config: { access: 'auditor' },
      schema: describeRoute('rules', 'Try a rule on past attestations', {
        params: NamePath,
        body: DryRun,
        response: { 200: AnyObject },
      }),
    },
    async request => {
      const { rule, limit = DEFAULT_DRY_RUN } = request.body
      const tried = rule ?? (await storedRule(context, request.params.name))
      return rules.dryRun(checkRuleShape(tried), limit)
    },
  )
}

async function storedRule({ store }: V1Parts['context'], name: string): Promise<JsonObject> {
  const found = await store.documents.find('rule', name)
  if (found === null) throw new BrokerError('rule-missing', `there is no rule ${name}`)
  return found.document
}

/** @throws {BrokerError} `rule-invalid` for anything that is not shaped like a rule */
export function checkRuleShape(document: unknown): ReleaseRule {
  if (Value.Check(Rule, document)) return document
  const violations = Value.Errors(Rule, document).map(({ instancePath, message }) => ({
    path: instancePath,
    expected: message,
    got: 'something else',
  }))
  throw new BrokerError('rule-invalid', 'it is not shaped like a release rule', { violations })
}
