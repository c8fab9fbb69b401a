// Rotation of the key-encryption key without downtime: a new version wraps from now on, everything stored is
// re-wrapped batch by batch, and old versions go once nothing uses them. A crash at any point leaves work that the
// next start, or the next rotation, goes on with.

import { type Actor, type EntryType, entry } from '../entry.ts'
import type { JsonObject } from '../json.ts'
import type { PendingWraps } from '../secrets/pending-wraps.ts'
import type { Recorded, Store, WrappedItem } from '../store/store.ts'
import type { KeyEncryption } from './keys.ts'

/** Few enough that a batch delays other writes by milliseconds. */
const BATCH = 256

export interface KekRotationParts {
  readonly store: Store
  readonly kek: KeyEncryption
  readonly pending: PendingWraps
  readonly now: () => Date
  /** Appends an entry that no change of the store goes with. */
  readonly record: (entry: JsonObject) => Promise<Recorded<unknown>>
}

export class KekRotation {
  readonly #parts: KekRotationParts
  #running: Promise<void> = Promise.resolve()

  constructor(parts: KekRotationParts) {
    this.#parts = parts
  }

  /** Adds a version and moves everything to it; resolves when the old versions are retired. */
  async rotate(actor: Actor): Promise<{ readonly version: number; readonly index: number }> {
    return this.#exclusive(async () => {
      // First the record, as in #retireUnused: no version wraps anything that the ledger does not know of.
      const { index } = await this.#record('kek.rotated', actor, { version: this.#parts.kek.nextVersion })
      const version = await this.#parts.kek.addVersion()
      await this.#finish()
      return { version, index }
    })
  }

  /** Goes on with what a crash interrupted; nothing where nothing was. */
  async resume(): Promise<void> {
    await this.#exclusive(() => this.#finish())
  }

  async #finish(): Promise<void> {
    await this.#rewrapAll()
    await this.#parts.pending.settled()
    await this.#rewrapAll()
    await this.#retireUnused()
  }

  async #rewrapAll(): Promise<void> {
    const { store, kek } = this.#parts
    for (;;) {
      const stale = await store.wrappings.stale(kek.currentVersion, BATCH)
      if (stale.length === 0) return
      const rewrapped: WrappedItem[] = []
      for (const item of stale) rewrapped.push(await this.#rewrap(item))
      const details = { version: kek.currentVersion, count: rewrapped.length }
      await store.wrappings.rewrap(rewrapped, this.#entry('kek.rewrapped', SYSTEM, details))
    }
  }

  async #rewrap(item: WrappedItem): Promise<WrappedItem> {
    const { kek } = this.#parts
    const material = await kek.unwrap(item.wrapped, item.context)
    try {
      return { ...item, wrapped: await kek.wrap(material, item.context) }
    } finally {
      material.fill(0)
    }
  }

  async #retireUnused(): Promise<void> {
    const { store, kek } = this.#parts
    const inUse = new Set(await store.wrappings.versionsInUse())
    for (const version of kek.versions) {
      if (version === kek.currentVersion || inUse.has(version)) continue
      // First the record: a crash in between repeats it, and leaves no deed without one.
      await this.#record('kek.retired', SYSTEM, { version })
      await kek.retireVersion(version)
    }
  }

  #record(type: EntryType, actor: Actor, details: JsonObject): Promise<Recorded<unknown>> {
    return this.#parts.record(this.#entry(type, actor, details))
  }

  #entry(type: EntryType, actor: Actor, details: JsonObject) {
    return entry({ type, at: this.#parts.now(), actor }, details)
  }

  /** One at a time: a second rotation starts when the first is done. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#running.then(work)
    this.#running = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }
}

const SYSTEM: Actor = { system: 'rotation' }
