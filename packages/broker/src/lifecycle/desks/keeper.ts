// What a desk may ask of the process that keeps the door and the key file: wrapping, rotation, readiness, lines of the log.

import type { Actor } from '../../entry.ts'
import type { Logger } from '../../http/logging.ts'
import type { Allowance } from '../../http/stranger-allowance.ts'
import type { Wraps } from '../../keys/pending-wraps.ts'
import type { HealthParts } from '../health-routes.ts'
import { unready } from '../readiness.ts'
import type { KeepersState } from '../shared-state.ts'
import { type CarriedError, restore } from './carried-error.ts'
import { writeLine } from './log-lines.ts'

export interface KeeperParts {
  readonly shared: KeepersState
  readonly health: HealthParts
  readonly logger: Logger
  /** The one for all desks: what one of them charges counts where connections are admitted. */
  readonly allowance: Allowance
  /** Of this desk. */
  readonly wraps: RemoteWraps
  /** Told of each connection that a desk has closed. */
  readonly onClosed: (connection: number) => void
  /** Told where a desk's log takes nothing any more. */
  readonly onFailed: (failure: Error) => void
  /** Tells all desks of a version that was retired; resolves when none has it any more. */
  readonly forget: (version: number) => Promise<void>
}

export type Keeper = ReturnType<typeof keeperFor>

/** What a desk has wrapped and not yet committed: a rotation waits for it, and not for one that has ended. */
export class RemoteWraps {
  readonly #wraps: Wraps
  readonly #pending = new Map<number, () => void>()
  #begun = 0

  constructor(wraps: Wraps) {
    this.#wraps = wraps
  }

  /** Gives the number that ends it. */
  begin(): number {
    const { promise, resolve } = Promise.withResolvers<void>()
    void this.#wraps.run(() => promise)
    this.#pending.set(++this.#begun, resolve)
    return this.#begun
  }

  end(number: number): void {
    this.#pending.get(number)?.()
    this.#pending.delete(number)
  }

  endAll(): void {
    for (const number of this.#pending.keys()) this.end(number)
  }
}

export function keeperFor(parts: KeeperParts) {
  const { shared, health, logger, allowance, wraps } = parts
  const { kek, rotation } = shared
  return {
    wrap: (plaintext: Uint8Array, context: string) => kek.wrap(plaintext, context),
    /** A version of the key-encryption key, to open with until it is told to be forgotten. */
    kekCopy: (version: number) => kek.copy(version),
    kekVersions: () => shared.kekVersions(),
    rotate: (actor: Actor) => rotation.rotate(actor),
    retire: async (actor: Actor, version: number) => {
      const retired = await rotation.retire(actor, version)
      await parts.forget(version)
      return retired
    },
    /** A rotation waits until {@link endWraps} is called with the number that this gives. */
    beginWraps: () => wraps.begin(),
    endWraps: (number: number) => wraps.end(number),
    // From the first moment of a close: a desk hears of it later, when a round of housekeeping is over.
    unready: async () => (health.isClosing() ? unready('shutting-down') : health.check()),
    failed: (failure: CarriedError) => parts.onFailed(restore(failure)),
    charge: (address: string, times: number) => void allowance.charge(address, times),
    closed: (connection: number) => parts.onClosed(connection),
    log: (line: string) => writeLine(logger, line),
  }
}
