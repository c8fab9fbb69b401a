// The shared state as a desk has it: store and log over a connection of its own, which writes as any process would that works
// on the same database (decision 37). What is wrapped, and what becomes of the key that wraps, is asked of the keeper.

import { join } from 'node:path'
import { type Ledger, MarkFile, openDatabase, openLedger, SqliteLedger } from '@casemate/ledger/node'
import type { BrokerConfig } from '../../config/settings.ts'
import { BrokerError } from '../../errors.ts'
import { openLedgerKey } from '../../keys/broker-keys.ts'
import { KekCopies } from '../../keys/kek-copies.ts'
import type { KeyDescription, Wrapping } from '../../keys/keys.ts'
import { assertInPlace, type PlacedFile } from '../../store/data-directory.ts'
import { LedgerToCome } from '../../store/ledger-to-come.ts'
import { createSqliteStore } from '../../store/sqlite.ts'
import { writeProbe } from '../../store/write-probe.ts'
import { Readiness } from '../readiness.ts'
import type { SharedState } from '../shared-state.ts'
import { type Clocks, DATABASE_FILE, MARK_FILE } from '../state.ts'
import { carry } from './carried-error.ts'
import type { Keeper } from './keeper.ts'
import type { Line } from './line.ts'

/** What does not change while a broker runs. */
export interface LedgerFacts {
  readonly origin: string
  readonly key: KeyDescription
  /** The lock of the data directory and the files of the database, as the keeper has them open. */
  readonly files: readonly PlacedFile[]
}

export interface DeskStateParts extends Clocks {
  readonly line: Line<Keeper>
  readonly isLeft: () => boolean
  readonly config: Pick<BrokerConfig, 'dataDir' | 'refusalBudget'>
  readonly ledger: LedgerFacts
  /** Among those who write the mark. */
  readonly number: number
}

export interface DeskState extends SharedState {
  readonly readiness: Readiness
  /** Of a version of the key-encryption key that was retired. */
  forget(version: number): void
  close(): Promise<void>
}

/** @throws {LedgerError} where the log cannot be gone on with */
export async function openDeskState(parts: DeskStateParts): Promise<DeskState> {
  const { line, config } = parts
  const db = openDatabase(join(config.dataDir, DATABASE_FILE))
  const mark = new MarkFile(join(config.dataDir, MARK_FILE), parts.number)
  const copies = new KekCopies(version => line.call('kekCopy', version))
  const kek = {
    wrap: (plaintext: Uint8Array, context: string) => line.call('wrap', plaintext, context),
    unwrap: copies.unwrap.bind(copies),
  }
  const toCome = new LedgerToCome()
  const store = createSqliteStore({ db, append: toCome.append }, config.refusalBudget)
  const ledger = await openOwnLedger(parts, new SqliteLedger(db), { mark, store, kek })
  toCome.come(ledger)
  return {
    store,
    ledger,
    ledgerKey: parts.ledger.key,
    kek,
    ...askedOf(line),
    record: toCome.record,
    readiness: readinessOf(parts, ledger, () => store.check()),
    forget: version => copies.forget(version),
    close: async () => {
      await ledger.close()
      mark.close()
      db.close()
    },
  }
}

interface LedgerParts {
  readonly mark: MarkFile
  readonly store: SharedState['store']
  readonly kek: Wrapping
}

async function openOwnLedger(
  parts: DeskStateParts,
  database: SqliteLedger,
  { mark, store, kek }: LedgerParts,
): Promise<Ledger> {
  const { line, ledger, now } = parts
  const { key } = await openLedgerKey({ store, kek, now })
  return openLedger({
    database,
    origin: ledger.origin,
    signingKey: key,
    now,
    assertWritable: () => assertOwn(parts),
    onFailure: failure => line.tell('failed', [carry(failure)]),
    mark,
    // The keeper has looked at the mark, before others wrote in it.
    isRestored: true,
  })
}

/** What is not this process's to say, the keeper adds. */
function readinessOf(parts: DeskStateParts, ledger: Ledger, read: () => Promise<void>): Readiness {
  return new Readiness({
    ledger,
    elapsedMs: parts.elapsedMs,
    assertHeld: () => assertOwn(parts),
    assertKept: () => undefined,
    read,
    write: writeProbe,
  })
}

/** The keeper has the lock: with it goes the right to write. @throws {BrokerError} `unavailable` */
function assertOwn({ isLeft, ledger: { files } }: DeskStateParts): void {
  if (isLeft()) throw new BrokerError('unavailable', 'the process that keeps the data directory has ended')
  assertInPlace(files)
}

/** What only the keeper can do. */
export function askedOf(line: Line<Keeper>): Pick<SharedState, 'kekVersions' | 'rotation' | 'wraps'> {
  return {
    kekVersions: () => line.call('kekVersions'),
    rotation: {
      rotate: actor => line.call('rotate', actor),
      retire: (actor, version) => line.call('retire', actor, version),
    },
    wraps: { run: work => wrapping(line, work) },
  }
}

async function wrapping<T>(line: Line<Keeper>, work: () => Promise<T>): Promise<T> {
  const number = await line.call('beginWraps')
  try {
    return await work()
  } finally {
    await line.call('endWraps', number)
  }
}
