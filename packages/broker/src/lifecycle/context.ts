// The broker's parts, as its rooms share them. Built once at start by core.ts; nothing in it is a global.
// No room but this one names it: each says what it needs, and is given this.

import type { Endorsements, TrustAnchor } from '@casemate/evidence'
import type { FastifyBaseLogger } from 'fastify'
import type { RefusalLimit } from '../attestation/refusal-limit.ts'
import type { BrokerConfig } from '../config/settings.ts'
import type { CountedEntries } from '../counted-entries.ts'
import type { Metrics } from '../http/metrics.ts'
import type { SessionKeys, TokenKeys } from '../keys/keys.ts'
import type { OpenLedger } from '../open-ledger.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Store } from '../store/store.ts'

export interface BrokerContext {
  readonly config: BrokerConfig
  readonly store: Store
  readonly ledger: OpenLedger
  readonly tokenKeys: TokenKeys
  readonly sessionKeys: SessionKeys
  readonly secrets: Secrets
  /** Pinned vendor roots and what the starter added, e.g. a simulator’s. */
  readonly anchors: readonly TrustAnchor[]
  /** Endorsements that were given, as they are now: those of files may be replaced. Fetched ones are the pipeline’s. */
  readonly endorsements: () => Endorsements
  /** Which refused attestations are recorded in full. */
  readonly refusals: RefusalLimit
  /** Events that are recorded as a count. */
  readonly counted: CountedEntries
  readonly now: () => Date
  readonly logger: FastifyBaseLogger
  readonly metrics: Metrics
}
