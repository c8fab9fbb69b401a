// What an appraisal affirms when nothing is violated: what verified evidence shows, and what the policy has looked at.
// What a policy tolerates by name (debugging, a status other than UpToDate, simulation, unknown code) is never affirmed: it is a
// warning, so that a relying party that reads the vector alone takes nothing simulated or weak for sound.

import { type Claims, TCB_STATUSES } from '@casemate/evidence'
import { statesEnclave } from './binding.ts'
import { isCodeKnown } from './code-identity.ts'
import type { CompiledKind } from './compiled-policy.ts'
import type { CodeKnownBy } from './kinds/kind.ts'
import { TRUST, type TrustVector } from './trust-vector.ts'

/** What the affirmations depend on. */
export interface Affirmed {
  readonly claims: Claims
  readonly kind: CompiledKind
  readonly codeKnownBy: CodeKnownBy
  /** Whether the firmware was compared with a minimum. */
  readonly knownFirmware: boolean
  /** Whether the machine was looked up in a list. */
  readonly knownMachine: boolean
}

/** The vector before violations are taken into account. */
export function affirmations(affirmed: Affirmed): TrustVector {
  const { claims, kind, knownMachine } = affirmed
  const real = isFalse(claims.simulated)
  const knownCode = isCodeKnown(affirmed.codeKnownBy)
  return {
    'instance-identity': knownMachine ? TRUST.recognisedInstance : TRUST.noClaim,
    configuration: configuration(claims, kind),
    executables: knownCode ? TRUST.approvedBoot : TRUST.unrecognisedExecutables,
    'file-system': TRUST.noClaim,
    hardware: real ? hardware(affirmed) : TRUST.simulatedHardware,
    'runtime-opaque': runtimeOpaque(claims, real),
    'storage-opaque': TRUST.noClaim,
    'sourced-data': TRUST.noClaim,
  }
}

/** Neither the platform nor the enclave on it can be looked into. */
function isClosed(claims: Claims): boolean {
  return isFalse(claims.debug) && (!statesEnclave(claims) || isFalse(claims.enclave?.debug))
}

/** Only what a claim says counts: one that is missing is not false. */
function isFalse(claim: unknown): boolean {
  return claim === false
}

/** Statuses that say that the machine's set-up leaves a weakness open; they all say so in their names. */
const CONFIGURATION_STATUSES: ReadonlySet<string | null> = new Set(
  TCB_STATUSES.filter(status => status.includes('Configuration')),
)

function configuration(claims: Claims, kind: CompiledKind): number {
  if (!isClosed(claims) || CONFIGURATION_STATUSES.has(claims.tcbStatus)) return TRUST.knownWeakness
  return kind.statesConfiguration ? TRUST.approvedConfiguration : TRUST.safeConfiguration
}

/** Without a status the firmware is what the policy's minimum says, and nothing is said without one. */
function hardware({ claims, kind, knownFirmware }: Affirmed): number {
  if (kind.firmwareBy === 'minimum') return knownFirmware ? TRUST.genuineHardware : TRUST.noClaim
  if (claims.tcbStatus === 'UpToDate') return TRUST.genuineHardware
  return TRUST.knownWeakness
}

function runtimeOpaque(claims: Claims, real: boolean): number {
  if (!isClosed(claims)) return TRUST.knownWeakness
  return real ? TRUST.encryptedMemory : TRUST.noClaim
}
