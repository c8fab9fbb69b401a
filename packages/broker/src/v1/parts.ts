// The parts that the routes of /v1 share; put together by src/lifecycle/apps.ts. Each takes those that it needs.

import type { TrustAnchor } from '@casemate/evidence'
import type { Administrators } from '../admin/tokens.ts'
import type { AttestationPipeline } from '../attestation/pipeline.ts'
import type { BrokerConfig } from '../config/settings.ts'
import type { Metrics } from '../http/metrics.ts'
import type { BrokerKeys } from '../keys/broker-keys.ts'
import type { KekRotation } from '../keys/kek-rotation.ts'
import type { KekVersions, KeyDescription, TokenKeys } from '../keys/keys.ts'
import type { OpenLedger } from '../open-ledger.ts'
import type { ReleaseRules } from '../release/rules.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Store } from '../store/store.ts'

export interface V1Parts {
  readonly version: string
  readonly config: Pick<BrokerConfig, 'issuer'>
  readonly anchors: readonly TrustAnchor[]
  readonly store: Store
  readonly secrets: Secrets
  readonly ledger: OpenLedger
  readonly ledgerKey: KeyDescription
  readonly administrators: Administrators
  readonly tokenKeys: Pick<TokenKeys, 'jwks'>
  readonly keys: BrokerKeys
  /** Of the key-encryption key. */
  readonly kekVersions: () => Promise<KekVersions>
  readonly rotation: Pick<KekRotation, 'rotate' | 'retire'>
  readonly pipeline: Pick<AttestationPipeline, 'explain'>
  readonly rules: Pick<ReleaseRules, 'check' | 'dryRun'>
  readonly metrics: Metrics
  readonly now: () => Date
}
