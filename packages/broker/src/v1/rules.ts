// /v1/rules: release rules, and what past attestations would get from one, stored or proposed (dry-run).

import { type Static, Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { Value } from 'typebox/value'
import { BrokerError } from '../errors.ts'
import { schemaViolations } from '../http/schema-violations.ts'
import type { JsonObject } from '../json.ts'
import { describeRoute } from '../openapi/route-schema.ts'
import { MAX_DRY_RUN } from '../release/dry-run.ts'
import { MAX_EXPRESSION_CHARS } from '../release/expression.ts'
import { MAX_MESSAGE_CHARS, type ReleaseRule } from '../release/rules.ts'
import { SEGMENT_PATTERN } from '../secret-path.ts'
import { documentRoutes } from './documents.ts'
import type { V1Parts } from './parts.ts'
import { AnyObject, NamePath, NullableText, Time } from './schemas.ts'

const CLOSED = { additionalProperties: false }

const SEGMENT = `(\\*|${SEGMENT_PATTERN.slice(1, -1)})`

const PATTERN = `^${SEGMENT}/${SEGMENT}/${SEGMENT}$`

/** Attestations looked at where no limit is given. */
const DEFAULT_DRY_RUN = 100

/** A release rule as it is put; what may be left out is filled in. */
export const Rule = Type.Object(
  {
    secrets: Type.String({
      minLength: 1,
      maxLength: 512,
      pattern: PATTERN,
      description: 'repository/type/tag, each a name or * for any one segment',
    }),
    expression: Type.String({
      minLength: 1,
      maxLength: MAX_EXPRESSION_CHARS,
      description: 'CEL over claims, result, secret and now; a boolean',
    }),
    message: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MAX_MESSAGE_CHARS,
        description: 'for auditors, when it is false; default: the expression',
      }),
    ),
    enabled: Type.Optional(Type.Boolean({ description: 'default true' })),
  },
  { ...CLOSED, title: 'ReleaseRule' },
)

export const DryRunDescribed = Type.Object(
  {
    evaluated: Type.Integer(),
    outcomes: Type.Object({ true: Type.Integer(), false: Type.Integer(), error: Type.Integer() }),
    secretsTried: Type.Array(Type.String()),
    items: Type.Array(
      Type.Object({
        attestationId: Type.String(),
        at: Time,
        kind: NullableText,
        outcome: Type.Enum(['true', 'false', 'error']),
        message: Type.String(),
      }),
    ),
  },
  { title: 'DryRun' },
)

export const DryRun = Type.Object(
  { rule: Type.Optional(Rule), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_DRY_RUN })) },
  { ...CLOSED, title: 'DryRunRequest' },
)

export function ruleRoutes(app: FastifyInstance, parts: Pick<V1Parts, 'store' | 'rules' | 'now'>): void {
  documentRoutes(app, parts, {
    kind: 'rule',
    plural: 'rules',
    called: ['Rule', 'Rules'],
    missing: 'rule-missing',
    invalid: 'rule-invalid',
    put: 'rule.put',
    deleted: 'rule.deleted',
    body: Rule,
    check: document => {
      const rule = checkRuleShape(document)
      parts.rules.check(rule)
      return rule
    },
  })
  dryRunRoute(app, parts)
}

function dryRunRoute(app: FastifyInstance, { store, rules }: Pick<V1Parts, 'store' | 'rules'>): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/v1/rules/:name/dry-run',
    {
      config: { access: 'auditor' },
      schema: describeRoute('rules', 'Try a rule on past attestations', {
        operationId: 'dryRunRule',
        params: NamePath,
        body: DryRun,
        response: { 200: AnyObject },
        described: { 200: DryRunDescribed },
        errors: ['rule-missing', 'rule-invalid'],
      }),
    },
    async request => {
      const { rule, limit = DEFAULT_DRY_RUN } = request.body
      const tried = rule ?? (await storedRule(store, request.params.name))
      return rules.dryRun(checkRuleShape(tried), limit)
    },
  )
}

async function storedRule({ documents }: V1Parts['store'], name: string): Promise<JsonObject> {
  const found = await documents.find('rule', name)
  if (found === null) throw new BrokerError('rule-missing', `there is no rule ${name}`)
  return found.document
}

/** Whole. @throws {BrokerError} `rule-invalid` for anything that is not shaped like a rule */
function checkRuleShape(document: unknown): ReleaseRule {
  if (Value.Check(Rule, document)) return wholeRule(document)
  const violations = schemaViolations(Rule, document, '')
  throw new BrokerError('rule-invalid', 'it is not shaped like a release rule', { violations })
}

/** A message is cut to what an auditor reads of it; the rule itself has the rest. */
function wholeRule({ secrets, expression, message, enabled = true }: Static<typeof Rule>): ReleaseRule {
  return {
    secrets,
    expression,
    message: message ?? `rule wants ${expression}`.slice(0, MAX_MESSAGE_CHARS),
    enabled,
  }
}
