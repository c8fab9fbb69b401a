// The broker's parts without HTTP: keys, secrets, attestation, administrators, on a state that is open.

import {
  type EndorsementSource,
  readEndorsements,
  type TrustAnchor,
  VENDOR_ANCHORS,
} from '@casemate/evidence'
import manifest from '../../package.json' with { type: 'json' }
import { RefusedAttempts } from '../admin/refused-attempts.ts'
import { Administrators } from '../admin/tokens.ts'
import { createPipeline } from '../attestation/pipeline.ts'
import { RefusalLimit } from '../attestation/refusal-limit.ts'
import type { BrokerConfig } from '../config/settings.ts'
import { CountedEntries } from '../counted-entries.ts'
import type { Logger } from '../http/logging.ts'
import { createMetrics } from '../http/metrics.ts'
import { BrokerKeys } from '../keys/broker-keys.ts'
import { KekRotation } from '../keys/kek-rotation.ts'
import { PendingWraps } from '../keys/pending-wraps.ts'
import { Secrets } from '../secrets/secrets.ts'
import type { Beginning } from '../store/beginning.ts'
import type { BrokerContext } from './context.ts'
import { LoadedEndorsements } from './endorsement-files.ts'
import type { BrokerState, Clocks } from './state.ts'

/** What the broker takes from whoever starts it. */
export interface BrokerDeps extends Clocks {
  /** Trusted beside the vendors' pinned roots: a simulator's. */
  readonly anchors: readonly TrustAnchor[]
  /** Known beside `endorsementPaths`. */
  readonly endorsements: readonly EndorsementSource[]
  /** Null: JSON lines on standard output. */
  readonly logger: Logger | null
  /** As it was unless said otherwise. */
  readonly beginning?: Beginning
}

interface CoreSources {
  readonly deps: BrokerDeps
  readonly state: BrokerState
  readonly logger: Logger
}

export type Core = Awaited<ReturnType<typeof openCore>>

export async function openCore(config: BrokerConfig, { deps, state, logger }: CoreSources) {
  const { version } = manifest
  const { now, elapsedMs } = deps
  const { store, kek, record } = state
  const pending = new PendingWraps()
  const keys = new BrokerKeys({
    store,
    kek,
    pending,
    now,
    tokenLifetimeMs: config.tokenLifetime,
    sessionTimeoutMs: config.sessionTimeout,
  })
  await keys.open()
  const metrics = createMetrics(version)
  metrics.observeLedger(() => state.ledger.size)
  const counted = new CountedEntries(record, now)
  const endorsements = new LoadedEndorsements(readEndorsements(deps.endorsements), config.endorsementPaths)
  const context: BrokerContext = {
    config,
    store,
    ledger: state.ledger,
    tokenKeys: keys.tokenKeys,
    sessionKeys: keys.sessionKeys,
    secrets: new Secrets({ store, kek, pending, now }),
    anchors: [...VENDOR_ANCHORS, ...deps.anchors],
    endorsements: () => endorsements.current,
    refusals: new RefusalLimit(elapsedMs),
    counted,
    now,
    logger,
    metrics,
  }
  const administrators = new Administrators({ store, now })
  const attempts = new RefusedAttempts(record, now, elapsedMs)
  const rotation = new KekRotation({ store, kek, pending, now, record })
  const pipeline = createPipeline(context)
  return {
    version,
    context,
    pipeline,
    keys,
    administrators,
    attempts,
    rotation,
    state,
    endorsements,
    elapsedMs,
  }
}
