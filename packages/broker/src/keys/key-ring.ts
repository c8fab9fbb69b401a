// The keys of one purpose, unwrapped and in the order in which they become active. Signers and sealers choose from
// here by time; a change in the store is seen after `load`.

import type { KeyObject } from 'node:crypto'
import type { KeyPurpose, KeyStore, StoredKey } from '../store/store.ts'
import type { KeyDescription, Wrapping } from './keys.ts'
import { openStoredKey } from './stored-key.ts'

export interface RingKey {
  readonly stored: StoredKey
  readonly key: KeyObject
}

export class KeyRing {
  readonly purpose: KeyPurpose
  readonly #store: KeyStore
  readonly #kek: Wrapping
  #keys: readonly RingKey[] = []
  /** Readings begun so far, and the one of them that the keys are from. */
  #begun = 0
  #taken = 0

  constructor(purpose: KeyPurpose, store: KeyStore, kek: Wrapping) {
    this.purpose = purpose
    this.#store = store
    this.#kek = kek
  }

  /**
   * Reads the store. None waits for another, which might never end; of two at a time, the one that began later counts, as
   * the list of the other may be older. A key that is already open is not unwrapped again.
   */
  async load(): Promise<void> {
    const reading = ++this.#begun
    const open = new Map(this.#keys.map(ringKey => [ringKey.stored.id, ringKey.key]))
    const keys: RingKey[] = []
    for (const stored of await this.#store.list(this.purpose)) {
      keys.push({ stored, key: open.get(stored.id) ?? (await openStoredKey(stored, this.#kek)) })
    }
    if (reading < this.#taken) return
    this.#taken = reading
    this.#keys = keys
  }

  /** Those not yet retired at `now`, in the order of their activation. */
  published(now: Date): readonly RingKey[] {
    return this.#keys.filter(ringKey => isPublished(ringKey, now))
  }

  /** The one that signs or seals at `now`; null where none is active. */
  current(now: Date): RingKey | null {
    return this.#keys.findLast(it => isPublished(it, now) && it.stored.activeFrom <= now) ?? null
  }

  /** The published key with this id; one that is not known here another process may have made. */
  async find(id: string, now: Date): Promise<RingKey | null> {
    const known = this.#published(id, now)
    if (known !== null) return known
    await this.load()
    return this.#published(id, now)
  }

  #published(id: string, now: Date): RingKey | null {
    return this.#keys.find(it => it.stored.id === id && isPublished(it, now)) ?? null
  }

  /** Ids of keys whose time is over. */
  retired(now: Date): readonly string[] {
    const published = new Set(this.published(now))
    return this.#keys.filter(ringKey => !published.has(ringKey)).map(({ stored }) => stored.id)
  }

  describe(now: Date): readonly KeyDescription[] {
    const current = this.current(now)
    return this.published(now).map(ringKey => ({
      id: ringKey.stored.id,
      purpose: this.purpose,
      state: ringKey === current ? 'current' : ringKey.stored.activeFrom > now ? 'next' : 'previous',
      createdAt: ringKey.stored.createdAt,
      activeFrom: ringKey.stored.activeFrom,
      retiresAt: ringKey.stored.retiresAt,
    }))
  }
}

function isPublished({ stored }: RingKey, now: Date): boolean {
  return stored.retiresAt === null || stored.retiresAt > now
}
