// What a desk may ask of the thread that writes: appends with their changes, the log, the key-encryption key, readiness.

import type { Change } from '@casemate/ledger/node'
import type { Actor } from '../../entry.ts'
import type { Logger } from '../../http/logging.ts'
import type { Allowance } from '../../http/stranger-allowance.ts'
import type { JsonObject } from '../../json.ts'
import type { OpenLedger } from '../../open-ledger.ts'
import type { WrappedKey } from '../../store/store.ts'
import type { HealthParts } from '../health-routes.ts'
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
  /** Told of each connection that a desk has closed. */
  readonly onClosed: (connection: number) => void
}

export type Writer = ReturnType<typeof writerFor>

export function writerFor({ shared, health, logger, allowance, onClosed }: WriterParts) {
  const { ledger, kek, rotation, wraps } = shared
  const pending = new Map<number, () => void>()
  let begun = 0
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
    beginWraps: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      void wraps.run(() => promise)
      pending.set(++begun, resolve)
      return begun
    },
    endWraps: (number: number) => {
      pending.get(number)?.()
      pending.delete(number)
    },
    unready: () => health.check(),
    charge: (address: string, times: number) => void allowance.charge(address, times),
    closed: (connection: number) => onClosed(connection),
    log: (line: string) => writeLine(logger, line),
  }
}
