// Beside the enclave: hands it what the biobank sealed, again whenever its memory was lost, and lets clients ask while
// no load is under way.
import { join } from 'node:path'
import { EnclaveError } from '@casemate/enclave'
import type { OpenService } from '../stage/service.ts'
import { loadCohort, readCohort } from './load.ts'

/** In the stage’s folder. */
export const COHORT_DIRECTORY = 'cohort'

/** Loading is not for clients: it could do no harm, and is not their business. */
const CALLS: readonly string[] = ['score', 'describe', 'audit']

export const openService: OpenService = async (enclave, { directory, onReplaced }) => {
  const load = (): Promise<void> => loadCohort(enclave, readCohort(join(directory, COHORT_DIRECTORY)))
  let loaded = load()
  await loaded
  onReplaced(() => {
    loaded = load()
    // Whoever calls is told; nobody has to.
    loaded.catch(() => undefined)
  })
  const admit = async (name: string): Promise<void> => {
    if (!CALLS.includes(name)) throw new EnclaveError('function-unknown', `${name} is not for clients`)
    await loaded
  }
  return {
    target: {
      call: async (name, input, options) => {
        await admit(name)
        return enclave.call(name, input, options)
      },
      callBatch: async (name, inputs) => {
        await admit(name)
        return enclave.callBatch(name, inputs)
      },
    },
    close: async () => undefined,
  }
}
