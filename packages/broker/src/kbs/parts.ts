// The parts that the routes of the KBS protocol share; each takes those that it needs.

import type { AttestationPipeline } from '../attestation/pipeline.ts'
import type { UnreadRecords } from '../attestation/unread.ts'
import type { BrokerConfig } from '../config/settings.ts'
import type { Logger } from '../http/logging.ts'
import type { Metrics } from '../http/metrics.ts'
import type { SessionKeys, TokenKeys } from '../keys/keys.ts'
import type { OpenLedger } from '../open-ledger.ts'
import type { ReleaseParts } from '../release/release.ts'
import type { ReleaseRules } from '../release/rules.ts'
import type { Subjects } from '../release/subjects.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Store } from '../store/store.ts'
import type { Sessions } from './session.ts'
import type { TeeKeys } from './tee-key.ts'

/** What the protocol is served with; put together by src/lifecycle/apps.ts. */
export interface KbsOptions extends UnreadRecords {
  readonly config: Pick<BrokerConfig, 'issuer' | 'bodyLimit' | 'sessionTimeout' | 'rsa15'>
  readonly store: Pick<Store, 'attestations' | 'documents' | 'releases'>
  readonly ledger: Pick<OpenLedger, 'append'>
  readonly tokenKeys: Pick<TokenKeys, 'verifyToken'>
  readonly sessionKeys: SessionKeys
  readonly secrets: Secrets
  readonly pipeline: Pick<AttestationPipeline, 'attest'>
  readonly rules: Pick<ReleaseRules, 'decide'>
  readonly logger: Logger
  readonly metrics: Metrics
}

/** With what `registerKbs` makes once for all routes. */
export interface KbsParts extends KbsOptions {
  readonly sessions: Sessions
  readonly teeKeys: TeeKeys
  readonly subjects: Subjects
  readonly release: ReleaseParts
}
