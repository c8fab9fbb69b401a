// A whole broker on a temporary database, called in-process: the server's application, the real store, ledger and
// keys, and simulated platforms whose roots it trusts. Only the listener is missing.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readEndorsements, type TrustAnchor } from '@casemate/evidence'
import { type Ledger, openDatabase, openLedger } from '@casemate/ledger/node'
import type { NamedEndorsement } from '@casemate/simulator'
import type { FastifyInstance } from 'fastify'
import { RefusedAttempts } from '../../src/admin/refused-attempts.ts'
import type { Role } from '../../src/admin/roles.ts'
import { Administrators } from '../../src/admin/tokens.ts'
import { type AttestationPipeline, createPipeline } from '../../src/attestation/pipeline.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import type { BrokerContext } from '../../src/context.ts'
import { entry } from '../../src/entry.ts'
import type { JsonObject } from '../../src/json.ts'
import { registerKbs } from '../../src/kbs/routes.ts'
import { BrokerKeys, openLedgerKey } from '../../src/keys/broker-keys.ts'
import { openFileKeyEncryption } from '../../src/keys/file-key-encryption.ts'
import { createReleaseRules, type DecidingRules } from '../../src/release/rules.ts'
import { PendingWraps } from '../../src/secrets/pending-wraps.ts'
import { SecretService } from '../../src/secrets/secret-service.ts'
import { createApp } from '../../src/server/app.ts'
import { ClientLimit } from '../../src/server/client-limit.ts'
import { createLogger } from '../../src/server/logging.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { migrate } from '../../src/store/migrations.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'

export const SYSTEM = { system: 'test' } as const

/** Accepts the simulator's platforms whatever runs in them. */
export const LENIENT = {
  extends: 'strict',
  name: 'default',
  version: 1,
  simulated: 'any',
  workloads: 'any',
  snp: { minimumTcb: { Milan: 'any', Genoa: 'any', Turin: 'any' } },
}

export interface HarnessOptions {
  readonly platforms?: readonly {
    readonly anchors: readonly TrustAnchor[]
    readonly endorsements: readonly NamedEndorsement<string>[]
  }[]
  readonly flags?: Readonly<Record<string, string>>
  readonly policy?: JsonObject | null
}

export interface Harness {
  readonly app: FastifyInstance
  readonly context: BrokerContext
  readonly pipeline: AttestationPipeline
  readonly rules: DecidingRules
  /** Every line that was logged. */
  readonly log: string[]
  /** The broker's clock; assign to move it. */
  clock: Date
  admin(role: Role): Promise<string>
  putDocument(kind: 'policy' | 'rule' | 'reference', name: string, document: JsonObject): Promise<void>
  putSecret(path: string, text: string): Promise<void>
  /** Ledger entries of a type, oldest first. */
  entries(type: string): Promise<readonly JsonObject[]>
  close(): Promise<void>
}

/** The time at which all tests here begin. */
export const START = new Date('2026-11-22T12:00:00Z')

export async function openHarness(options: HarnessOptions = {}): Promise<Harness> {
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-kbs-'))
  const flags = { 'data-dir': dataDir, offline: 'true', ...options.flags }
  const config = resolveConfig({ flags, env: {}, file: null }).values
  const state = { clock: START }
  const now = (): Date => state.clock
  const log: string[] = []
  const logger = createLogger('info', { write: line => void log.push(line) })
  const db = openDatabase(join(dataDir, 'casemate.db'))
  migrate(db)
  const opened: { ledger?: Ledger } = {}
  const store = createSqliteStore({
    db,
    append: (record, within) => opened.ledger!.append(record, ({ index }) => within(index)),
  })
  const kek = await openFileKeyEncryption({
    path: join(dataDir, 'kek.json'),
    passphrase: null,
    mayCreate: true,
  })
  const ledgerKey = await openLedgerKey({ store, kek, now })
  const ledger = openLedger({ db, origin: 'test/log', signingKey: ledgerKey.key, now })
  opened.ledger = ledger
  const pending = new PendingWraps()
  const keys = new BrokerKeys({
    store,
    kek,
    pending,
    now,
    tokenLifetimeMs: config.tokenLifetime,
    sessionTimeoutMs: config.sessionTimeout,
  })
  await keys.open()
  const platforms = options.platforms ?? []
  const metrics = createMetrics('test')
  const context: BrokerContext = {
    config,
    store,
    ledger,
    tokenKeys: keys.tokenKeys,
    sessionKeys: keys.sessionKeys,
    secrets: new SecretService({ store, kek, pending, now }),
    anchors: platforms.flatMap(({ anchors }) => anchors),
    endorsements: readEndorsements(platforms.flatMap(({ endorsements }) => endorsements)),
    now,
    logger,
    metrics,
  }
  const administrators = new Administrators({ store, now })
  const record = (one: JsonObject): Promise<unknown> => ledger.append(one)
  const app = createApp({
    config,
    logger,
    tls: null,
    administrators,
    attempts: new RefusedAttempts(record, now),
    limit: new ClientLimit({ perMinute: config.authLimit, now }),
    metrics,
    now,
    record,
  })
  const pipeline = createPipeline(context)
  const rules = createReleaseRules(context)
  await registerKbs(app, { context, pipeline, rules })
  await app.ready()

  const harness: Harness = {
    app,
    context,
    pipeline,
    rules,
    log,
    get clock() {
      return state.clock
    },
    set clock(at) {
      state.clock = at
    },
    admin: async role =>
      (
        await administrators.create(
          { name: role, role, expiresAt: new Date(state.clock.getTime() + 86_400_000) },
          SYSTEM,
        )
      ).token,
    putDocument: async (kind, name, document) => {
      const head = { type: `${kind}.put`, at: now(), actor: SYSTEM } as const
      await store.documents.put({ kind, name, document, at: now() }, 'any', entry(head, { name }))
    },
    putSecret: async (path, text) => {
      const [repository = '', type = '', tag = ''] = path.split('/')
      const change = { actor: SYSTEM, expected: 'any' } as const
      await context.secrets.put({ repository, type, tag }, Buffer.from(text), change)
    },
    entries: async type => {
      const all = await ledger.entries({ from: 0, limit: 1000 })
      return all.flatMap(({ entry }) => (entry?.['type'] === type ? [entry] : []))
    },
    close: async () => {
      await app.close()
      await ledger.close()
      db.close()
      rmSync(dataDir, { recursive: true })
    },
  }
  if (options.policy !== null) await harness.putDocument('policy', 'default', options.policy ?? LENIENT)
  return harness
}
