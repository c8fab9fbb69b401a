// The run-time register of a simulated machine, which lives as long as its driver.
import { extendedRegister } from '@casemate/evidence'
import { equal, isZero } from '@casemate/evidence/bytes'
import type { RegisterState } from './register.ts'
import type { EnclaveStatement } from './statement.ts'

/** RTMR3 of a virtual TD that has just started, and lives as long as its driver. */
export class SimulatedRegister {
  value: Uint8Array = new Uint8Array(48)

  async extend(statement: EnclaveStatement): Promise<RegisterState> {
    const wanted = await extendedRegister(statement)
    if (isZero(this.value)) this.value = wanted
    return equal(this.value, wanted) ? 'extended' : 'taken'
  }
}
