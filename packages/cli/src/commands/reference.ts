// casemate reference: the measurements and versions that are wanted, which no evidence can bring along itself.

import { type Document, documentCommands } from '../broker/document-commands.ts'
import type { Command } from '../command.ts'

export const REFERENCE_COMMANDS: readonly Command[] = documentCommands({
  noun: 'reference',
  plural: 'reference values',
  documents: admin => admin.references,
  example: 'demo',
  columns: ['updated'],
  afterSet: warnOfOpen,
})

/** It is stored, as the policy may name the rest; alone it would never match. */
async function warnOfOpen(document: Document): Promise<readonly string[]> {
  const { leftOpen, parseReferenceValues } = await import('@casemate/appraisal')
  return parseReferenceValues(document).workloads.flatMap(workload => {
    const lack = leftOpen(workload)
    return lack === null ? [] : [`warning: ${workload.name} leaves open ${lack.open}: ${lack.hint}`]
  })
}
