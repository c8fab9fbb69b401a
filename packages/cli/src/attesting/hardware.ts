// The hardware that a command attests with, if there is any: `--platform` chooses, and nobody has to.

import { type AttestationDriver, detectPlatform, openDriver } from '@casemate/enclave'
import type { Call } from '../command.ts'
import { CliError } from '../failure/cli-error.ts'
import { readWord } from '../typed/flag-values.ts'
import { ATTESTER_FLAGS } from './flags.ts'

/** Flags that only a simulated machine has a use for. */
const SIMULATED_ONLY = ['kind', 'code', 'simulator'] as const

/**
 * The driver of this machine's hardware; null where the simulated platform is meant, or is all there is.
 * @throws {CliError} flag-value-invalid
 * @throws {EnclaveError} attestation-unavailable where hardware is asked for by name
 */
export async function hardwareDriver(call: Call, root = '/'): Promise<AttestationDriver | null> {
  const where = readWord('platform', call.option('platform'), ATTESTER_FLAGS.platform.takes)
  const simulates = SIMULATED_ONLY.filter(name => call.given(name))
  if (where === 'hardware') {
    const [first] = simulates
    if (first === undefined) return openDriver({ root })
    throw new CliError('flag-value-invalid', `--${first} is about a simulated machine`, {
      hint: 'leave it out, or --platform hardware',
    })
  }
  if (where === 'simulated' || simulates.length > 0) return null
  return (await detectPlatform({ root })).driver === null ? null : openDriver({ root })
}
