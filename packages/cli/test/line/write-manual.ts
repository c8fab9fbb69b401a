// Writes the manual page: `node packages/cli/test/line/write-manual.ts`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { MANUAL, manualPage } from './manual.ts'

mkdirSync(dirname(MANUAL), { recursive: true })
writeFileSync(MANUAL, await manualPage())
