// What outlives the process, as the rooms see it: open in this thread, or asked of the one that writes.

import type { JsonObject } from '../json.ts'
import { KekRotation } from '../keys/kek-rotation.ts'
import type { KekVersions, KeyDescription, Wrapping } from '../keys/keys.ts'
import { PendingWraps, type Wraps } from '../keys/pending-wraps.ts'
import type { OpenLedger } from '../open-ledger.ts'
import type { Recorded, Store } from '../store/store.ts'
import type { BrokerState } from './state.ts'

export interface SharedState {
  readonly store: Store
  readonly ledger: OpenLedger
  readonly ledgerKey: KeyDescription
  readonly kek: Wrapping
  readonly kekVersions: () => Promise<KekVersions>
  readonly rotation: Pick<KekRotation, 'rotate' | 'retire'>
  readonly wraps: Wraps
  /** Appends an entry that no change of the store goes with. */
  readonly record: (entry: JsonObject) => Promise<Recorded<unknown>>
}

/** With what only the thread has that writes. */
export interface WritersState extends SharedState {
  readonly rotation: KekRotation
  readonly wraps: PendingWraps
}

export function writersState(state: BrokerState, now: () => Date): WritersState {
  const { store, ledger, ledgerKey, kek, record } = state
  const wraps = new PendingWraps()
  return {
    store,
    ledger,
    ledgerKey,
    kek,
    kekVersions: async () => ({ current: kek.currentVersion, all: kek.versions }),
    rotation: new KekRotation({ store, kek, pending: wraps, now, record }),
    wraps,
    record,
  }
}
