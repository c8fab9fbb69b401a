// /v1/policies: appraisal policies, and the presets that their names stand for where none is stored.

import { isPresetName, POLICY_SCHEMA, parsePolicy } from '@casemate/appraisal'
import type { FastifyInstance } from 'fastify'
import type { TSchema } from 'typebox'
import { presetFor } from '../attestation/appraisal-source.ts'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { checked, named } from './appraisal-documents.ts'
import { documentRoutes, type Place } from './documents.ts'
import type { V1Parts } from './parts.ts'

export function policyRoutes(app: FastifyInstance, parts: Pick<V1Parts, 'store' | 'now'>): void {
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
