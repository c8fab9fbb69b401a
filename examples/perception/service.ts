// Beside the enclave: hands it the sealed calibration, and lets clients open streams and send frames. It sees neither.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadedService } from '../stage/loaded-service.ts'
import type { OpenService } from '../stage/service.ts'

/** In the stage’s folder. */
export const CALIBRATION_FILE = 'calibration.sealed'

/** Calibrating is for who mounts the camera. */
const CALLS: readonly string[] = ['open', 'detect']

export const openService: OpenService = async (enclave, context) => {
  const sealed = readFileSync(join(context.directory, CALIBRATION_FILE))
  const load = (): Promise<unknown> => enclave.call('calibrate', sealed)
  return { ...(await loadedService(enclave, context, { calls: CALLS, load })), dataPort: 0 }
}
