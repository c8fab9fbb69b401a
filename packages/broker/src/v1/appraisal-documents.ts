// Documents that appraisal reads: checked by its parsers, described by its schemas.

import { AppraisalConfigError } from '@casemate/appraisal'
import type { TSchema } from 'typebox'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'

/** Of a document with more, an author mends these first. */
const MAX_VIOLATIONS = 64

/** The document as it came, once `parse` accepts it; else every problem, as appraisal lists them. */
export function checked(
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
export function named(title: string, schema: TSchema): TSchema {
  const own = Object.entries(schema).filter(([name]) => name !== '$id' && name !== '$schema')
  return { ...Object.fromEntries(own), title }
}
