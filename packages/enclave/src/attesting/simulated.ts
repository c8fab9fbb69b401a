// The driver for laptops: evidence in the real formats from a simulated platform, under a root of its own. Whatever is
// derived from it says `simulated`. What differs from hardware is that the code to be measured is an argument.
import { type AttestationDriver, checkReportData, type Quote } from './driver.ts'
import { DEFAULT_KIND, SIMULATED_KINDS } from './kinds.ts'
import { openSimulatedPlatform, type SimulatedPlatform, type SimulatedTrust } from './simulated-platform.ts'
import { SimulatedRegister } from './simulated-register.ts'
import { DEMO_CODE } from './simulator-files.ts'
import type { EnclaveStatement } from './statement.ts'

/** The code that a simulated machine pretends to run. */
export interface SimulatedCode {
  /** The format of the evidence. Default: {@link DEFAULT_KIND}. */
  readonly kind?: Quote['kind']
  /**
   * The machine below, by a name that its measurements are hashes of. Default: {@link DEMO_CODE}.
   * An SGX platform has none below the enclave.
   */
  readonly code?: string
  /** The enclave that runs: an SGX quote then carries its identity, as the processor would have taken it from EINIT. */
  readonly enclave?: EnclaveStatement | null
}

/** A simulated platform, and what it pretends to run. */
export interface SimulatedDriverOptions extends SimulatedCode {
  /** Made there if there is none, see {@link openSimulatedPlatform}. */
  readonly directory: string
  /** When its endorsements are issued; they are good for 30 days. */
  readonly now: Date
}

/** A driver that also says how its evidence is accepted. */
export interface SimulatedDriver extends AttestationDriver {
  readonly trust: SimulatedTrust
}

/** @throws {EnclaveError} simulator-invalid, invalid-metadata */
export async function openSimulatedDriver(options: SimulatedDriverOptions): Promise<SimulatedDriver> {
  return simulatedDriver(await openSimulatedPlatform(options.directory, options.now), options)
}

/** The driver of a platform that is open already. @throws {EnclaveError} invalid-metadata */
export function simulatedDriver(
  platform: SimulatedPlatform,
  { kind = DEFAULT_KIND, code = DEMO_CODE, enclave = null }: SimulatedCode,
): SimulatedDriver {
  const register = new SimulatedRegister()
  const { signer, hasRegister } = SIMULATED_KINDS[kind]
  const sign = signer(platform, { code, enclave, register })
  return {
    kind,
    simulated: true,
    source: platform.directory,
    trust: platform.trust,
    quote: async reportData => {
      checkReportData(reportData)
      return { kind, certificateTable: null, ...sign(reportData) }
    },
    ...(hasRegister ? { extendRegister: statement => register.extend(statement) } : {}),
  }
}
