// The published JSON Schemas as they have to be on disk.

import { POLICY_SCHEMA, REFERENCE_VALUES_SCHEMA } from '../src/index.ts'

/** Path and content of each. */
export function schemaFiles(): readonly { readonly path: URL; readonly schema: object }[] {
  return [
    { path: new URL('../schema/appraisal-policy.json', import.meta.url), schema: POLICY_SCHEMA },
    { path: new URL('../schema/reference-values.json', import.meta.url), schema: REFERENCE_VALUES_SCHEMA },
  ]
}
