// What a desk may ask of the thread that writes: appends with their changes, the log, the key-encryption key, readiness.

import type { Change } from '@casemate/ledger/node'
import type { Actor } from '../../entry.ts'
import type { Logger } from '../../http/logging.ts'
import type { Allowance } from '../../http/stranger-allowance.ts'
import type { JsonObject } from '../../json.ts'
import type { Wraps } from '../../keys/pending-wraps.ts'
import type { OpenLedger } from '../../open-ledger.ts'
import type { WrappedKey } from '../../store/store.ts'
import type { HealthParts } from '../health-routes.ts'
import { unready } from '../readiness.ts'
import type { WritersState } from '../shared-state.ts'
import { writeLine } from './log-lines.ts'

/** What can be asked of the log: everything but its appends, which have a method of their own. */
export type LedgerQuestion = Exclude<keyof OpenLedger, 'append' | 'origin' | 'verifierKey'>

export interface WriterParts {
  readonly shared: WritersState
  readonly health: HealthParts
  readonly logger: Logger
  /** The one for all desks: what one of them charges counts where connections are admitted. */
  readonly allowance: Allowance
  /** Of this desk. */
  readonly wraps: RemoteWraps
  /** Told of each connection that a desk has closed. */
  readonly onClosed: (connection: number) => void
}

export type Writer = ReturnType<typeof writerFor>

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

export function writerFor({ shared, health, logger, allowance, wraps, onClosed }: WriterParts) {
  const { ledger, kek, rotation } = shared
  return {
    append: (entry: JsonObject, change: Change) => ledger.append(entry, change),
    ask: (question: LedgerQuestion, args: readonly unknown[]): Promise<unknown> =>
      (ledger[question] as (...args: unknown[]) => Promise<unknown>).apply(ledger, [...args]),
    wrap: (plaintext: Uint8Array, context: string) => kek.wrap(plaintext, context),
    unwrap: (wrapped: WrappedKey, context: string) => kek.unwrap(wrapped, context),
    kekVersions: () => shared.kekVersions(),
    rotate: (actor: Actor) => rotation.rotate(actor),
    retire: (actor: Actor, version: number) => rotation.retire(actor, version),
    /** A rotation waits until {@link endWraps} is called with the number that this gives. */
    beginWraps: () => wraps.begin(),
    endWraps: (number: number) => wraps.end(number),
    // From the first moment of a close: a desk hears of it later, when a round of housekeeping is over.
    unready: async () => (health.isClosing() ? unready('shutting-down') : health.check()),
    charge: (address: string, times: number) => void allowance.charge(address, times),
    closed: (connection: number) => onClosed(connection),
    log: (line: string) => writeLine(logger, line),
  }
}
