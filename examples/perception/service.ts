// Beside the enclave: hands it the sealed calibration, again whenever its memory was lost, and lets clients open streams
// and send frames. It sees neither.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EnclaveError } from '@casemate/enclave'
import type { OpenService } from '../stage/service.ts'

/** In the stage’s folder. */
export const CALIBRATION_FILE = 'calibration.sealed'

/** Calibrating is for who mounts the camera. */
const CALLS: readonly string[] = ['open', 'detect']

export const openService: OpenService = async (enclave, { directory, onReplaced }) => {
  const sealed = readFileSync(join(directory, CALIBRATION_FILE))
  const calibrate = (): Promise<unknown> => enclave.call('calibrate', sealed)
  let calibrated = calibrate()
  await calibrated
  onReplaced(() => {
    calibrated = calibrate()
    // Whoever calls is told; nobody has to.
    calibrated.catch(() => undefined)
  })
  const admit = async (name: string): Promise<void> => {
    if (!CALLS.includes(name)) throw new EnclaveError('function-unknown', `${name} is not for clients`)
    await calibrated
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
