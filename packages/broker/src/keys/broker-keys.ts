// All keys of one broker: opened at start, made where they are missing, rotated when asked or when their time is over.

import type { KeyObject } from 'node:crypto'
import { type Actor, type EntryType, entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { KeyPurpose, Recorded, Store, StoredKey } from '../store/store.ts'
import { untilUnraced } from '../store/unraced.ts'
import { KeyRing, type RingKey } from './key-ring.ts'
import type { KeyDescription, Wrapping } from './keys.ts'
import type { Wraps } from './pending-wraps.ts'
import { SealingKeys } from './session-keys.ts'
import { createStoredKey, openStoredKey } from './stored-key.ts'
import { SigningKeys } from './token-keys.ts'

/** How long relying parties may cache the JWKS; a new key is published that long before it signs. */
export const JWKS_MAX_AGE_MS = 5 * 60_000

/** How far the clocks of relying parties may be behind ours. */
const CLOCK_SKEW_MS = 60_000

/** With one key this old a new one takes over, so that none seals 2^32 sessions. */
const SESSION_KEY_AGE_MS = 24 * 3_600_000

/** More rotations within one overlap are a mistake, and would let the JWKS grow. */
const MAX_PUBLISHED_KEYS = 8

export interface BrokerKeysParts {
  readonly store: Store
  readonly kek: Wrapping
  readonly pending: Wraps
  readonly now: () => Date
  readonly tokenLifetimeMs: number
  readonly sessionTimeoutMs: number
}

/** The ledger's key: made before the ledger, which needs it to open; recorded as soon as there is one. */
export async function openLedgerKey(parts: {
  readonly store: Store
  readonly kek: Wrapping
  readonly now: () => Date
}): Promise<{ readonly key: KeyObject; readonly stored: StoredKey; readonly created: boolean }> {
  const [found] = await parts.store.keys.list('ledger')
  if (found !== undefined)
    return { key: await openStoredKey(found, parts.kek), stored: found, created: false }
  const now = parts.now()
  const made = await createStoredKey('ledger', parts.kek, { now, activeFrom: now })
  const stored = await parts.store.keys.bootstrap(made)
  return { key: await openStoredKey(stored, parts.kek), stored, created: stored.id === made.id }
}

export class BrokerKeys {
  readonly tokenKeys: SigningKeys
  readonly sessionKeys: SealingKeys
  readonly #parts: BrokerKeysParts
  readonly #tokenRing: KeyRing
  readonly #sessionRing: KeyRing
  /** Keys that are being made because none was active: one of each ring, however many wait for it. */
  readonly #underway = new Map<KeyRing, Promise<unknown>>()

  constructor(parts: BrokerKeysParts) {
    this.#parts = parts
    this.#tokenRing = new KeyRing('token', parts.store.keys, parts.kek)
    this.#sessionRing = new KeyRing('session', parts.store.keys, parts.kek)
    const currentOf = (ring: KeyRing) => () => this.#current(ring)
    this.tokenKeys = new SigningKeys(this.#tokenRing, parts.now, currentOf(this.#tokenRing))
    this.sessionKeys = new SealingKeys(this.#sessionRing, currentOf(this.#sessionRing))
  }

  /** Opens what is stored and makes what is missing. */
  async open(): Promise<void> {
    for (const ring of [this.#tokenRing, this.#sessionRing]) {
      await ring.load()
      await this.#current(ring)
    }
  }

  /**
   * The one that signs or seals now, made where there is none: keys from a time when the clock was ahead are of no use
   * until then. A signing key made so is used at once; who caches the JWKS learns of it a while later.
   */
  async #current(ring: KeyRing): Promise<RingKey> {
    const active = ring.current(this.#parts.now())
    if (active !== null) return active
    await (this.#underway.get(ring) ?? this.#make(ring))
    const made = ring.current(this.#parts.now())
    if (made === null) throw new BrokerError('unavailable', `there is no active ${ring.purpose} key`)
    return made
  }

  /** Ends its own entry, before any who wait go on: one of them may begin the next. */
  #make(ring: KeyRing): Promise<void> {
    const making = this.#makeUsable(ring).finally(() => this.#underway.delete(ring))
    this.#underway.set(ring, making)
    return making
  }

  #makeUsable(ring: KeyRing): Promise<void> {
    return untilUnraced('conflict', async () => {
      await ring.load()
      const now = this.#parts.now()
      // Another process may just have made one.
      if (ring.current(now) !== null) return
      const type = ring.published(now).length === 0 ? 'key.created' : 'key.rotated'
      await this.#succeed(ring, { type, actor: SYSTEM, activeFrom: now })
    })
  }

  /** A new token-signing key, published now and signing after {@link JWKS_MAX_AGE_MS}. */
  async rotateSigning(actor: Actor): Promise<{ readonly key: KeyDescription; readonly index: number }> {
    const now = this.#parts.now()
    const activeFrom = new Date(now.getTime() + JWKS_MAX_AGE_MS)
    const { id, index } = await untilUnraced('conflict', async () => {
      await this.#tokenRing.load()
      this.#demandRoom(now)
      return this.#succeed(this.#tokenRing, { type: 'key.rotated', actor, activeFrom })
    })
    const key = this.#tokenRing.describe(now).find(candidate => candidate.id === id)
    if (key === undefined) throw new BrokerError('internal', 'the new key is not published')
    return { key, index }
  }

  #demandRoom(now: Date): void {
    if (this.#tokenRing.published(now).length < MAX_PUBLISHED_KEYS) return
    throw new BrokerError('conflict', `${MAX_PUBLISHED_KEYS} token-signing keys are published already`, {
      hint: 'wait until the oldest has retired: GET /v1/keys shows when',
    })
  }

  /** Sees what other processes did to the keys. To be called every minute or so. */
  async refresh(): Promise<void> {
    for (const ring of [this.#tokenRing, this.#sessionRing]) await ring.load()
  }

  /** Renews the session key when it is old, and forgets keys whose time is over. To be called every minute or so. */
  async maintain(): Promise<void> {
    const now = this.#parts.now()
    await this.#current(this.#tokenRing)
    const session = await this.#current(this.#sessionRing)
    if (now.getTime() - session.stored.activeFrom.getTime() >= SESSION_KEY_AGE_MS) {
      await this.#succeed(this.#sessionRing, { type: 'key.rotated', actor: SYSTEM, activeFrom: now })
    }
    for (const ring of [this.#tokenRing, this.#sessionRing]) {
      const retired = ring.retired(now)
      if (retired.length === 0) continue
      const record = entry(
        { type: 'key.retired', at: now, actor: SYSTEM },
        { purpose: ring.purpose, keys: retired },
      )
      await this.#parts.store.keys.delete(retired, record)
      await ring.load()
    }
  }

  /** All of them, whoever has made them. */
  async describe(): Promise<readonly KeyDescription[]> {
    await this.refresh()
    const now = this.#parts.now()
    return [...this.#tokenRing.describe(now), ...this.#sessionRing.describe(now)]
  }

  /** @throws {BrokerError} `conflict` where somebody else added one meanwhile */
  #succeed(ring: KeyRing, change: KeyChange): Promise<{ readonly id: string; readonly index: number }> {
    return this.#parts.pending.run(async () => {
      const { store, kek, now } = this.#parts
      const successor = await createStoredKey(ring.purpose, kek, {
        now: now(),
        activeFrom: change.activeFrom,
      })
      const retiresAt = new Date(change.activeFrom.getTime() + this.#lifetimeMs(ring.purpose) + CLOCK_SKEW_MS)
      // One whose successor was made while the clock was ahead would stay until then, whatever it is replaced for.
      await ring.load()
      const outgoing = ring
        .published(now())
        .filter(({ stored }) => stored.retiresAt === null || stored.retiresAt > retiresAt)
      const details = {
        purpose: ring.purpose,
        key: successor.id,
        activeFrom: change.activeFrom.toISOString(),
      }
      const { index }: Recorded<null> = await store.keys.rotate(
        successor,
        outgoing.map(({ stored }) => ({ id: stored.id, retiresAt })),
        entry({ type: change.type, at: now(), actor: change.actor }, details),
      )
      await ring.load()
      return { id: successor.id, index }
    })
  }

  /** How long something made with a key of this purpose is good for. */
  #lifetimeMs(purpose: KeyPurpose): number {
    return purpose === 'token' ? this.#parts.tokenLifetimeMs : this.#parts.sessionTimeoutMs
  }
}

interface KeyChange {
  readonly type: EntryType
  readonly actor: Actor
  readonly activeFrom: Date
}

const SYSTEM: Actor = { system: 'keys' }
