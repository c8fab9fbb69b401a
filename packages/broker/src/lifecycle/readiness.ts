// Whether the broker can do what it is for: read its store, and commit a write. An idle broker writes nothing by which
// a full disk would show, so that readiness commits a small write of its own, at most so often.

import { LedgerError } from '@casemate/ledger'
import type { Change, Ledger } from '@casemate/ledger/node'
import { BrokerError } from '../errors.ts'

/** Anybody may ask: asking must not be a way to keep the disk busy. */
const PROBE_INTERVAL_MS = 1_000
/** Of a write while all is well: a page. */
const PROBE_BYTES = 512
/** Of one after a refusal, as much as a decision takes: a few pages still find a place on a disk that is as good as full. */
const ROOM_BYTES = 262_144

/** What cannot be done. Codes are API. */
export const UNREADY = {
  'shutting-down': 'the broker is shutting down',
  'directory-lost':
    'the data directory, or a file in it, is not this process’s own any more: nothing is written',
  'key-file-lost': 'nothing new is encrypted, and the next start would open nothing',
  'store-unreadable': 'the store cannot be read',
  'ledger-failed': 'the ledger has failed: nothing is decided or recorded until the broker is started again',
  'judgement-unable':
    'the policy of handshakes, or a document of reference values, cannot be used by this version: every guest is refused',
  'write-refused': 'the disk takes no write: nothing can be decided or recorded now',
} as const

/** A stable code of {@link UNREADY}. */
export type UnreadyCode = keyof typeof UNREADY

/** Why the broker is not ready. */
export interface Unready {
  readonly code: UnreadyCode
  readonly message: string
  readonly hint?: string
}

export interface ReadinessParts {
  readonly assertHeld: () => void
  /** Throws where the key file is not what it was. */
  readonly assertKept: () => void
  /** Throws where the store cannot be read. */
  readonly read: () => Promise<void>
  /** A change of so many bytes on disk that are no entry. */
  readonly write: (bytes: number) => Change
  readonly ledger: Pick<Ledger, 'probe' | 'isRefusing' | 'hasFailed'>
  readonly elapsedMs: () => number
}

export class Readiness {
  readonly #parts: ReadinessParts
  #probedAt = Number.NEGATIVE_INFINITY
  #found: Unready | null = null
  /** The write that is under way: one, however many ask. */
  #probing: Promise<void> | null = null

  constructor(parts: ReadinessParts) {
    this.#parts = parts
  }

  /** Null where everything can be done. */
  async check(): Promise<Unready | null> {
    try {
      this.#parts.assertHeld()
    } catch (error) {
      return unready('directory-lost', error)
    }
    try {
      this.#parts.assertKept()
    } catch (error) {
      return unready('key-file-lost', error)
    }
    try {
      await this.#parts.read()
    } catch {
      return unready('store-unreadable')
    }
    return this.#canWrite()
  }

  async #canWrite(): Promise<Unready | null> {
    const { ledger, elapsedMs, write } = this.#parts
    const at = elapsedMs()
    const isFresh = at - this.#probedAt < PROBE_INTERVAL_MS
    if (isFresh && (this.#found !== null || !ledger.isRefusing)) return this.#found
    this.#probedAt = at
    const bytes = ledger.isRefusing || this.#found !== null ? ROOM_BYTES : PROBE_BYTES
    this.#probing ??= this.#probe(write(bytes))
    await this.#probing
    return this.#found
  }

  async #probe(change: Change): Promise<void> {
    const { ledger } = this.#parts
    try {
      await ledger.probe(change)
      this.#found = null
    } catch (error) {
      this.#found = unready(ledger.hasFailed ? 'ledger-failed' : 'write-refused', error)
    } finally {
      this.#probing = null
    }
  }
}

/** With the words of an error that is meant to be shown. */
export function unready(code: UnreadyCode, error?: unknown): Unready {
  const hint =
    error instanceof LedgerError ? error.hint : error instanceof BrokerError ? error.detail.hint : undefined
  const because = error instanceof LedgerError || error instanceof BrokerError ? `: ${error.message}` : ''
  return { code, message: `${UNREADY[code]}${because}`, ...(hint === undefined ? {} : { hint }) }
}
