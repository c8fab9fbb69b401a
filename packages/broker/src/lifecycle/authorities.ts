// The certificate authorities of one's own that `caFile` names, for the services that endorsements are fetched from.

import { readWithin, trustAuthorities } from '@casemate/evidence/node'
import { StartError } from '../errors.ts'

/** Bundles of whole systems have a quarter of a MiB. */
const LIMIT_BYTES = 4 * 1024 * 1024

/** They hold for the whole process. @throws {StartError} `config-invalid` */
export function trustConfigured(caFile: string | null): void {
  if (caFile === null) return
  try {
    trustAuthorities(readWithin(caFile, LIMIT_BYTES).toString('utf8'))
  } catch (cause) {
    const hint = cause instanceof Error ? cause.message : 'see the cause'
    throw new StartError('config-invalid', `caFile: ${caFile} cannot be used`, { hint, cause })
  }
}
