// Reads the flags of `leaseFlags`.

import { LEASE_END_POLICIES, type LeaseEndChoice } from '@casemate/agent'
import type { Call } from '../command.ts'
import { readNumber, readWord } from '../typed/flag-values.ts'
import { DEFAULT_GRACE_S } from './lease-flags.ts'

const MAX_GRACE_S = 3600

/** @throws {CliError} flag-value-invalid */
export function readLeaseFlags(call: Call): LeaseEndChoice {
  return {
    onLeaseEnd: readWord('on-lease-end', call.option('on-lease-end'), LEASE_END_POLICIES),
    graceMs: readNumber('grace', call.option('grace') ?? String(DEFAULT_GRACE_S), MAX_GRACE_S) * 1000,
  }
}
