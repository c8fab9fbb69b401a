// What outlives the process, as the rooms see it: store and log over a connection of this process, the key-encryption key here or
// with the process that keeps it.

import type { JsonObject } from '../json.ts'
import { KekRotation } from '../keys/kek-rotation.ts'
import type { KekVersions, KeyDescription, KeyEncryption, Wrapping } from '../keys/keys.ts'
import { PendingWraps, type Wraps } from '../keys/pending-wraps.ts'
import type { OpenLedger } from '../open-ledger.ts'
import type { PlacedFile } from '../store/data-directory.ts'
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

/** With what only the process has that opened the data directory. */
export interface KeepersState extends SharedState {
  readonly kek: Pick<KeyEncryption, 'wrap' | 'unwrap' | 'copy'>
  readonly rotation: KekRotation
  readonly wraps: PendingWraps
  /** By which it sees that they are still its own. */
  readonly files: readonly PlacedFile[]
}

export function keepersState(state: BrokerState, now: () => Date): KeepersState {
  const { store, ledger, ledgerKey, kek, record, files } = state
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
    files,
  }
}
