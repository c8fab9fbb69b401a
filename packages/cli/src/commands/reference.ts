// casemate reference: the measurements and versions that are wanted, which no evidence can bring along itself.

import type { Command } from '../command.ts'
import { documentCommands } from '../document-commands.ts'

export const REFERENCE_COMMANDS: readonly Command[] = documentCommands({
  noun: 'reference',
  plural: 'reference values',
  documents: admin => admin.references,
  example: 'demo',
  columns: ['updated'],
})
