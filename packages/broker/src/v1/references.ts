// /v1/references: reference values, in documents that count together.

import { parseReferenceValues, REFERENCE_VALUES_SCHEMA } from '@casemate/appraisal'
import type { FastifyInstance } from 'fastify'
import { checkWithOthers } from '../attestation/appraisal-source.ts'
import { checked, named } from './appraisal-documents.ts'
import { documentRoutes } from './documents.ts'
import type { V1Parts } from './parts.ts'

export function referenceRoutes(app: FastifyInstance, parts: Pick<V1Parts, 'store' | 'now'>): void {
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
