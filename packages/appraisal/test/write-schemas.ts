// Writes the published JSON Schemas: `node packages/appraisal/test/write-schemas.ts`, then format them.

import { writeFileSync } from 'node:fs'
import { schemaFiles } from './schema-files.ts'

for (const { path, schema } of schemaFiles()) writeFileSync(path, JSON.stringify(schema))
