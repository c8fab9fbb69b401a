// Writes the published JSON Schemas and docs/policy-fields.md: `node packages/appraisal/test/write-schemas.ts`, then format.

import { writeFileSync } from 'node:fs'
import { POLICY_PAGE, policyPage } from './policy-page.ts'
import { schemaFiles } from './schema-files.ts'

for (const { path, schema } of schemaFiles()) writeFileSync(path, JSON.stringify(schema))
writeFileSync(POLICY_PAGE, policyPage())
