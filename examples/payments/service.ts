// Between the stage, which has attested the machine and got the key, and the server of payments.
import { mkdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { OpenService } from '../stage/service.ts'
import { openPayments } from './host/server.ts'

/** In the stage’s folder. */
export const LIST_FILE = 'sanctions.sealed'
const DATA_DIRECTORY = 'payments'

export const openService: OpenService = async (_enclave, { directory, openEnclave }) => {
  const data = join(directory, DATA_DIRECTORY)
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const report = (what: string): void => void process.stderr.write(`payments: ${what}\n`)
  return openPayments({
    directory: data,
    list: readFileSync(join(directory, LIST_FILE)),
    openEnclave: () =>
      openEnclave(event =>
        report(event.type === 'instance-replaced' ? event.type : `${event.type}: ${event.message}`),
      ),
    examiners: availableParallelism(),
    now: () => new Date(),
    report,
  })
}
