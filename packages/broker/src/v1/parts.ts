// What the routes of /v1 are made with; put together by src/lifecycle/broker.ts.

import type { Administrators } from '../admin/tokens.ts'
import type { AttestationPipeline } from '../attestation/pipeline.ts'
import type { BrokerKeys } from '../keys/broker-keys.ts'
import type { KekRotation } from '../keys/kek-rotation.ts'
import type { KeyDescription, KeyEncryption } from '../keys/keys.ts'
import type { BrokerContext } from '../lifecycle/context.ts'
import type { ReleaseRules } from '../release/rules.ts'

/** What /v1 works with. */
export interface V1Parts {
  readonly context: BrokerContext
  readonly administrators: Administrators
  readonly keys: BrokerKeys
  readonly kek: KeyEncryption
  readonly rotation: KekRotation
  readonly ledgerKey: KeyDescription
  readonly pipeline: Pick<AttestationPipeline, 'explain'>
  readonly rules: Pick<ReleaseRules, 'check' | 'dryRun'>
  readonly version: string
}
