// How many entries the log has, after its public checkpoint (C2SP tlog-checkpoint: origin, size, root).

import { fetchPublic, type HttpOptions } from '@casemate/client'
import { CliError } from './failure.ts'

/** The text of the log's present checkpoint, not yet checked. */
export async function fetchCheckpoint(options: HttpOptions): Promise<string> {
  return new TextDecoder().decode(await fetchPublic(options, '/log/checkpoint'))
}

/** The checkpoint's size; good for finding the newest entries, and for nothing that has to be proved. */
export async function logSize(options: HttpOptions): Promise<number> {
  const [, size = ''] = (await fetchCheckpoint(options)).split('\n')
  if (/^\d{1,15}$/.test(size)) return Number(size)
  throw new CliError('answer-malformed', 'the log’s checkpoint has no size')
}
