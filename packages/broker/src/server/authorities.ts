// The certificate authorities of one's own that `caFile` names, for the services that endorsements are fetched from.

import { readFileSync } from 'node:fs'
import { trustAuthorities } from '@casemate/evidence/node'
import { StartError } from '../errors.ts'

/** They hold for the whole process. @throws {StartError} `config-invalid` */
export function trustConfigured(caFile: string | null): void {
  if (caFile === null) return
  try {
    trustAuthorities(readFileSync(caFile, 'utf8'))
  } catch (cause) {
    const hint = cause instanceof Error ? cause.message : 'see the cause'
    throw new StartError('config-invalid', `caFile: ${caFile} cannot be used`, { hint, cause })
  }
}
