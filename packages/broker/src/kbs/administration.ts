// The protocol's administrative routes, mapped onto /v1: policies in Rego are refused with the way to say the same
// here, rules are listed by name, and reference values become reference documents.

import type { FastifyInstance } from 'fastify'
import { BrokerError } from '../errors.ts'
import { actorOf } from '../http/access.ts'
import { findReferenceValue, putReferenceValues, type ReferenceParts } from './reference-value.ts'

export function registerAdministration(scope: FastifyInstance, parts: ReferenceParts): void {
  scope.post('/attestation-policy', { config: { access: 'writer' } }, () => {
    throw new BrokerError(
      'rego-unsupported',
      'Rego is not run here; write the appraisal policy with PUT /v1/policies/default (`casemate policy set default`)',
    )
  })

  scope.post('/resource-policy', { config: { access: 'writer' } }, () => {
    throw new BrokerError(
      'rego-unsupported',
      'Rego is not run here; write a CEL rule with PUT /v1/rules/{name}, ' +
        'e.g. {"secrets":"default/*/*","expression":"result.status == \\"affirming\\"","message":"…","enabled":true}',
    )
  })

  scope.get('/resource-policy', { config: { access: 'auditor' } }, async () => {
    const rules = await parts.store.documents.all('rule')
    return rules.map(({ name }) => name)
  })

  scope.post('/reference-value', { config: { access: 'writer', records: true } }, async (request, reply) => {
    await putReferenceValues(parts, request.body, actorOf(request))
    return reply.type('application/json').send('')
  })

  scope.get('/reference-value/*', { config: { access: 'auditor' } }, async (request, reply) => {
    const { '*': id = '' } = request.params as Readonly<Record<string, string>>
    return reply.type('application/json').send(JSON.stringify(await findReferenceValue(parts, id)))
  })
}
