// Beside the enclave: hands it what the biobank sealed, and lets clients ask while no load is under way.
import { join } from 'node:path'
import { loadedService } from '../stage/loaded-service.ts'
import type { OpenService } from '../stage/service.ts'
import { loadCohort, readCohort } from './load.ts'

/** In the stage’s folder. */
export const COHORT_DIRECTORY = 'cohort'

/** Loading is not for clients: it could do no harm, and is not their business. */
const CALLS: readonly string[] = ['score', 'describe', 'audit']

export const openService: OpenService = (enclave, context) =>
  loadedService(enclave, context, {
    calls: CALLS,
    load: async () => loadCohort(enclave, readCohort(join(context.directory, COHORT_DIRECTORY))),
  })
