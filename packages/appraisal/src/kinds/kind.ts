// How evidence of one kind is appraised: the contract of a row of kinds.ts.

import type { Claims } from '@casemate/evidence'
import type { Block } from '../block.ts'
import type { CompiledCheck } from '../compiled-check.ts'

/** How it is known which code runs. `firmware`: only what loads it is known; `nothing`: not even that. */
export type CodeKnownBy = 'measurement' | 'signer' | 'firmware' | 'nothing'

/** What has to be compared before the code is known, by paths of the policy, which reference values name without their kind. */
export interface Way {
  readonly by: CodeKnownBy
  /** Zeros in it say that there is none: no key signed the launch. */
  readonly anchor: string
  readonly also: readonly string[]
}

export const way = (by: CodeKnownBy, anchor: string, ...also: readonly string[]): Way => ({
  by,
  anchor,
  also,
})

/** A JSON object of a token. */
export type TokenObject = Readonly<Record<string, unknown>>

/** Checks that depend on what the claims say, as on the family of the processor. */
export interface DependentChecks {
  readonly checks: readonly CompiledCheck[]
  /** Whether the firmware is compared with a minimum. */
  readonly isFirmwareKnown: boolean
}

export const NO_DEPENDENT_CHECKS: DependentChecks = { checks: [], isFirmwareKnown: false }

export interface AppraisedKind<C extends Claims> {
  /** Its own block of a policy; null where nothing about it can be relied upon. */
  readonly policy: Block | null
  /** That block in the presets, which accept such kinds alone. */
  readonly presets: { readonly strict: object; readonly standard: object } | null
  /** Whether Intel's blocks `tcb` and `platform`, and its advisories, are about it. */
  readonly isIntel: boolean
  /** What says how good the firmware is: a status of the vendor, or a minimum that the policy states. */
  readonly firmwareBy: 'status' | 'minimum'
  /** What follows of the policy's own block beside its expectations. */
  dependent(own: unknown): (claims: Claims) => DependentChecks
  /** A workload of the reference values; of `identifying` one at least must be stated. */
  readonly workload: { readonly block: Block; readonly identifying: readonly string[] }
  /** The strongest first. */
  readonly ways: readonly Way[]
  /** Why what was compared does not say which code it is. */
  lackHint(compared: ReadonlySet<string>): string
  /** The workload that this evidence shows; every measurement is stated. */
  workloadOf(claims: C): Readonly<Record<string, unknown>>
  /** Whether it has a field that binds init-data. */
  readonly hasHostData: boolean
  /** Under the names that Confidential Containers' verifiers give its claims. */
  token(claims: C): TokenObject
}

/** Of most kinds. */
export const SIGNED_CODE_HINT = 'zeros say that no key signed it; state a measurement, or the digest of a key'
