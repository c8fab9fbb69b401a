// The broker's parts without HTTP: keys, secrets, attestation, administrators, on a state that is open.

import {
  type EndorsementSource,
  readEndorsements,
  type TrustAnchor,
  VENDOR_ANCHORS,
} from '@casemate/evidence'
import { RefusedAttempts } from '../admin/refused-attempts.ts'
import { Administrators } from '../admin/tokens.ts'
import { createPipeline } from '../attestation/pipeline.ts'
import { RefusalLimit } from '../attestation/refusal-limit.ts'
import type { BrokerConfig } from '../config/settings.ts'
import { CountedEntries } from '../counted-entries.ts'
import { describeError, type Logger } from '../http/logging.ts'
import type { Metrics } from '../http/metrics.ts'
import { BrokerKeys } from '../keys/broker-keys.ts'
import { Secrets } from '../secrets/secrets.ts'
import type { Beginning } from '../store/beginning.ts'
import type { BrokerContext } from './context.ts'
import { LoadedEndorsements } from './endorsement-files.ts'
import type { SharedState } from './shared-state.ts'
import type { Clocks } from './state.ts'

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
  readonly deps: Omit<BrokerDeps, 'logger' | 'beginning'>
  readonly state: SharedState
  readonly logger: Logger
  readonly metrics: Metrics
}

export type Core = Awaited<ReturnType<typeof openCore>>

export async function openCore(config: BrokerConfig, { deps, state, logger, metrics }: CoreSources) {
  const { now, elapsedMs } = deps
  const { store, kek, record, wraps: pending } = state
  const keys = new BrokerKeys({
    store,
    kek,
    pending,
    now,
    tokenLifetimeMs: config.tokenLifetime,
    sessionTimeoutMs: config.sessionTimeout,
  })
  await keys.open()
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
  const pipeline = createPipeline(context)
  return {
    context,
    pipeline,
    keys,
    administrators,
    attempts,
    state,
    endorsements,
    elapsedMs,
  }
}

/** At the end of a process. Never fails: where the ledger takes nothing any more, the rest is closed all the same. */
export async function flushCounts({ attempts, context }: Core): Promise<void> {
  try {
    await attempts.flush('all')
    await context.counted.flush()
  } catch (error) {
    context.logger.error(
      { failure: describeError(error) },
      'counts of refused attempts could not be recorded',
    )
  }
}
