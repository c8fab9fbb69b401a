// /v1, the broker's own API: every route, and the OpenAPI document that follows from their schemas.

import {
  AppraisalConfigError,
  isPresetName,
  POLICY_SCHEMA,
  parsePolicy,
  parseReferenceValues,
  REFERENCE_VALUES_SCHEMA,
} from '@casemate/appraisal'
import type { FastifyInstance } from 'fastify'
import type { TSchema } from 'typebox'
import { checkWithOthers, presetFor } from '../attestation/appraisal-source.ts'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { attestationRoutes } from './attestations.ts'
import { documentRoutes, type Place } from './documents.ts'
import { infoRoutes } from './info.ts'
import { keyRoutes } from './keys.ts'
import { ledgerRoutes } from './ledger.ts'
import type { V1Parts } from './parts.ts'
import { checkRuleShape, dryRunRoute, Rule } from './rules.ts'
import { secretRoutes } from './secrets.ts'
import { tokenRoutes } from './tokens.ts'
import { verifyRoutes } from './verify.ts'

/** Of a document with more, an author mends these first. */
const MAX_VIOLATIONS = 64

export function registerV1(app: FastifyInstance, parts: V1Parts): void {
  secretRoutes(app, parts)
  policyRoutes(app, parts)
  referenceRoutes(app, parts)
  ruleRoutes(app, parts)
  attestationRoutes(app, parts)
  verifyRoutes(app, parts)
  ledgerRoutes(app, parts)
  tokenRoutes(app, parts)
  keyRoutes(app, parts)
  infoRoutes(app, parts)
}

function policyRoutes(app: FastifyInstance, parts: Pick<V1Parts, 'store' | 'now'>): void {
  documentRoutes(app, parts, {
    kind: 'policy',
    plural: 'policies',
    called: ['Policy', 'Policies'],
    missing: 'policy-missing',
    invalid: 'policy-invalid',
    put: 'policy.put',
    deleted: 'policy.deleted',
    builtIn: name => presetFor(name) as JsonObject | null,
    body: putPolicy(),
    complete: completePolicy,
    check: (document, name) => {
      const policy = checked('policy-invalid', document, parsePolicy)
      for (const given of [name, policy['name']]) if (isPresetName(given)) throw presetName(given)
      return policy
    },
  })
}

/** A policy of a preset's name would decide under it, and results would say the name of what did not decide. */
function presetName(name: string): BrokerError {
  return new BrokerError('policy-invalid', `${name} is the name of a preset, which cannot be replaced`, {
    hint: `give the policy a name of its own, with \`extends: ${name}\` for what it does not state`,
  })
}

function referenceRoutes(app: FastifyInstance, parts: Pick<V1Parts, 'store' | 'now'>): void {
  documentRoutes(app, parts, {
    kind: 'reference',
    plural: 'references',
    called: ['References', 'AllReferences'],
    missing: 'reference-missing',
    invalid: 'reference-invalid',
    put: 'reference.put',
    deleted: 'reference.deleted',
    body: named('ReferenceValues', REFERENCE_VALUES_SCHEMA),
    check: document => checked('reference-invalid', document, parseReferenceValues),
    checkBeside: (document, name) => checkWithOthers(parts.store.documents, name, document),
  })
}

function ruleRoutes(app: FastifyInstance, parts: Pick<V1Parts, 'store' | 'rules' | 'now'>): void {
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

/** A policy says its name and version itself, as results repeat them; version counts up by one with every change. */
function completePolicy(document: JsonObject, { name, stored }: Place): JsonObject {
  const { version } = stored?.document ?? {}
  const next = typeof version === 'number' ? version + 1 : 1
  return {
    ...document,
    ...('name' in document ? {} : { name }),
    ...('version' in document ? {} : { version: next }),
  }
}

/** As it is put: what {@link completePolicy} fills in may be left out. */
function putPolicy(): TSchema {
  const { anyOf, ...schema } = named('AppraisalPolicy', POLICY_SCHEMA) as Alternatives
  return { ...schema, ...withoutFilledIn(schema), anyOf: anyOf.map(withoutFilledIn) }
}

interface Demanding {
  readonly required?: readonly string[]
}

type Alternatives = Demanding & { readonly anyOf: readonly Demanding[] }

function withoutFilledIn(schema: Demanding): Demanding {
  return {
    ...schema,
    required: (schema.required ?? []).filter(name => name !== 'name' && name !== 'version'),
  }
}

/** The document as it came, once `parse` accepts it; else every problem, as appraisal lists them. */
function checked(
  code: 'policy-invalid' | 'reference-invalid',
  document: unknown,
  parse: (document: unknown) => unknown,
): JsonObject {
  try {
    parse(document)
    // What parses is an object of plain JSON: it came as JSON, and no parser accepts anything but an object.
    return document as JsonObject
  } catch (error) {
    if (!(error instanceof AppraisalConfigError)) throw error
    throw new BrokerError(code, error.message, {
      violations: error.problems.slice(0, MAX_VIOLATIONS),
      cause: error,
    })
  }
}

/** Within an OpenAPI document a schema has the name that the document gives it. */
function named(title: string, schema: TSchema): TSchema {
  const own = Object.entries(schema).filter(([name]) => name !== '$id' && name !== '$schema')
  return { ...Object.fromEntries(own), title }
}
