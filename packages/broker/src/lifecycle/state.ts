// Opens everything that outlives a process: data directory, database, key-encryption key, ledger. In this order,
// because each needs the one before; closed in reverse.

import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { LedgerError } from '@casemate/ledger'
import {
  asUnreadable,
  type Ledger,
  type Mark,
  MarkFile,
  openDatabase,
  openLedger,
  SqliteLedger,
} from '@casemate/ledger/node'
import { type BrokerConfig, kekFileOf } from '../config/settings.ts'
import { entry } from '../entry.ts'
import type { JsonObject } from '../json.ts'
import { openLedgerKey } from '../keys/broker-keys.ts'
import { openFileKeyEncryption } from '../keys/file-key-encryption.ts'
import type { KeyDescription, KeyEncryption } from '../keys/keys.ts'
import { readPassphraseFile } from '../keys/passphrase.ts'
import { type Beginning, recordBeginning } from '../store/beginning.ts'
import {
  type DirectoryLock,
  lockDataDirectory,
  type PlacedFile,
  prepareDataDirectory,
} from '../store/data-directory.ts'
import { inspectData } from '../store/inspection.ts'
import { ledgerOrigin } from '../store/ledger-origin.ts'
import { LedgerToCome } from '../store/ledger-to-come.ts'
import { migrate } from '../store/migrations.ts'
import { createSqliteStore } from '../store/sqlite.ts'
import { demandEntries } from '../store/state-entries.ts'
import type { Recorded, Store, StoredKey } from '../store/store.ts'
import { writeProbe } from '../store/write-probe.ts'
import { Readiness } from './readiness.ts'

export const DATABASE_FILE = 'casemate.db'
export const MARK_FILE = 'ledger-mark'

/** The two clocks of a broker (decision 25). */
export interface Clocks {
  readonly now: () => Date
  /** Milliseconds since some start: what spans are measured with, as nobody can set it. */
  readonly elapsedMs: () => number
}

/** What opening needs from outside. */
export interface StateSources extends Clocks {
  /** As it was unless said otherwise. */
  readonly beginning?: Beginning
}

/** What is on disk, open. */
export interface BrokerState {
  readonly store: Store
  readonly ledger: Ledger
  readonly ledgerKey: KeyDescription
  readonly kek: KeyEncryption
  /** Appends an entry that no change of the store goes with. */
  readonly record: (entry: JsonObject) => Promise<Recorded<unknown>>
  readonly readiness: Readiness
  /** The lock of the data directory and the files of the database. */
  readonly files: readonly PlacedFile[]
  /** Settled where the ledger has failed for good: only a new start helps. */
  readonly failed: Promise<LedgerError>
  close(): Promise<void>
}

/** Undone in reverse when opening fails half-way, and at close. */
type Closers = (() => Promise<void> | void)[]

/** @throws {StartError} and {LedgerError}, by code, for whatever keeps it from opening */
export async function openState(config: BrokerConfig, sources: StateSources): Promise<BrokerState> {
  const closers: Closers = []
  try {
    return await open(config, sources, closers)
  } catch (error) {
    await closeAll(closers)
    throw asUnreadable(error)
  }
}

async function open(config: BrokerConfig, sources: StateSources, closers: Closers): Promise<BrokerState> {
  const { now, elapsedMs, beginning = 'as-it-was' } = sources
  const { db, mark, kept, lock } = await openFiles(config, beginning, closers)
  const toCome = new LedgerToCome()
  const store = createSqliteStore({ db, append: toCome.append }, config.refusalBudget)
  const kek = await openKek(config, store)
  const { key, stored, created } = await openLedgerKey({ store, kek, now })
  const failed = Promise.withResolvers<LedgerError>()
  const ledger = await openLedger({
    database: new SqliteLedger(db),
    origin: ledgerOrigin(db, config.ledgerOrigin),
    signingKey: key,
    now,
    assertWritable: () => lock.assertHeld(),
    onFailure: failed.resolve,
    mark,
    isRestored: beginning !== 'as-it-was',
  })
  toCome.come(ledger)
  closers.push(() => ledger.close())
  await demandEntries(db, ledger)
  // In one batch: a start that is cut off between two would leave a new log that does not say what it follows.
  const begun = recordBeginning(ledger, beginning, { kept, now })
  await Promise.all([begun, ...(created ? [ledger.append(keyCreated(stored))] : [])])
  return {
    store,
    ledger,
    kek,
    ledgerKey: describeLedgerKey(stored),
    record: toCome.record,
    readiness: new Readiness({
      ledger,
      elapsedMs,
      assertHeld: () => lock.assertHeld(),
      assertKept: () => kek.assertKept(),
      read: () => store.check(),
      write: writeProbe,
    }),
    files: lock.files,
    failed: failed.promise,
    close: () => closeAll(closers),
  }
}

interface OpenFiles {
  readonly db: DatabaseSync
  readonly mark: MarkFile
  /** What the mark said before anything was written. */
  readonly kept: Mark | null
  readonly lock: DirectoryLock
}

/** Looked at before anything is opened for writing, and under the lock. */
async function openFiles(config: BrokerConfig, beginning: Beginning, closers: Closers): Promise<OpenFiles> {
  prepareDataDirectory(config.dataDir)
  const lock = lockDataDirectory(config.dataDir)
  closers.push(() => lock.release())
  const mark = new MarkFile(join(config.dataDir, MARK_FILE))
  closers.push(() => mark.close())
  const { kept } = mark
  const database = join(config.dataDir, DATABASE_FILE)
  await inspectData({ database, kekFile: kekFileOf(config), mark }, beginning)
  // Any other beginning goes on record before a mark says that all is well.
  if (beginning === 'as-it-was') mark.begin()
  const db = openDatabase(database)
  closers.push(() => db.close())
  migrate(db)
  // The second is there from the first reading on until the last connection closes.
  for (const file of [database, `${database}-wal`]) lock.keepInPlace(file)
  return { db, mark, kept, lock }
}

/** Closes all of them, also after one has failed to. */
async function closeAll(closers: Closers): Promise<void> {
  const failures: unknown[] = []
  for (const close of closers.splice(0).reverse()) {
    try {
      await close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

async function openKek(config: BrokerConfig, store: Store): Promise<KeyEncryption> {
  const inUse = await store.wrappings.versionsInUse()
  const kek = await openFileKeyEncryption({
    path: kekFileOf(config),
    passphrase:
      config.kekPassphraseFile === null ? config.kekPassphrase : readPassphraseFile(config.kekPassphraseFile),
    mayCreate: inUse.length === 0,
  })
  // Else a secret that nobody reads for a year would be the first to tell.
  kek.requireVersions(inUse)
  return kek
}

function keyCreated(key: StoredKey): JsonObject {
  const head = { type: 'key.created', at: key.createdAt, actor: { system: 'start' } } as const
  return entry(head, { purpose: key.purpose, key: key.id })
}

function describeLedgerKey({ id, createdAt, activeFrom }: StoredKey): KeyDescription {
  return { id, purpose: 'ledger', state: 'current', createdAt, activeFrom, retiresAt: null }
}
