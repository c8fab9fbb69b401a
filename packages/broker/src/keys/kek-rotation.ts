// Rotation of the key-encryption key without downtime: a new version wraps from now on, everything stored is
// re-wrapped batch by batch. A crash at any point leaves work that the next start, or the next rotation, goes on with.
// Old versions stay, as backups of the database need them, until one is retired by name.

import { type Actor, type EntryType, entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Recorded, Store, WrappedItem } from '../store/store.ts'
import type { KeyEncryption } from './keys.ts'
import type { PendingWraps } from './pending-wraps.ts'

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

  /** Adds a version and moves everything to it; the old ones stay for the backups made before. */
  async rotate(actor: Actor): Promise<{ readonly version: number; readonly index: number }> {
    return this.#exclusive(async () => {
      const { kek } = this.#parts
      kek.assertReplaceable()
      // First the record, as in `retire`: no version wraps anything that the ledger does not know of.
      const { index } = await this.#record('kek.rotated', actor, { version: kek.nextVersion })
      const version = await kek.addVersion()
      await this.#finish()
      return { version, index }
    })
  }

  /** Goes on with what a crash interrupted; nothing where nothing was. */
  async resume(): Promise<void> {
    await this.#exclusive(() => this.#finish())
  }

  /**
   * Forgets an old version for good: what was wrapped by it, in a backup too, cannot be opened any more.
   * @throws {BrokerError} `key-missing`; `conflict` for the current version and for one that something is wrapped by
   */
  async retire(actor: Actor, version: number): Promise<{ readonly index: number }> {
    return this.#exclusive(async () => {
      const { kek } = this.#parts
      this.#checkOld(version)
      kek.assertReplaceable()
      // What an interrupted rotation left, and what was wrapped while it ran.
      await this.#finish()
      await this.#checkUnused(version)
      // First the record: a crash in between repeats it, and leaves no deed without one.
      const { index } = await this.#record('kek.retired', actor, { version })
      await kek.retireVersion(version)
      return { index }
    })
  }

  #checkOld(version: number): void {
    const { kek } = this.#parts
    if (!kek.versions.includes(version)) {
      throw new BrokerError('key-missing', `the key-encryption key has no version ${version}`, {
        hint: `it has ${kek.versions.join(', ')}`,
      })
    }
    if (version === kek.currentVersion) {
      throw new BrokerError('conflict', `version ${version} is the current one`, {
        hint: 'rotate the key first, and make a backup',
      })
    }
  }

  async #checkUnused(version: number): Promise<void> {
    const inUse = await this.#parts.store.wrappings.versionsInUse()
    if (!inUse.includes(version)) return
    throw new BrokerError('conflict', `something is still wrapped by version ${version}`, {
      hint: 'rotate the key again: that moves all of it to the new version',
    })
  }

  async #finish(): Promise<void> {
    await this.#rewrapAll()
    await this.#parts.pending.settled()
    await this.#rewrapAll()
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
