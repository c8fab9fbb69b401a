// A whole broker on a temporary directory, called in-process, with simulated platforms whose roots it trusts and a
// clock that a test can move. Only the listener is missing.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EndorsementSource, TrustAnchor } from '@casemate/evidence'
import type { FastifyInstance } from 'fastify'
import { resolveConfig } from '../../src/config/resolve.ts'
import { entry } from '../../src/entry.ts'
import { createLogger } from '../../src/http/logging.ts'
import type { JsonObject } from '../../src/json.ts'
import { openBroker } from '../../src/lifecycle/broker.ts'
import type { BrokerContext } from '../../src/lifecycle/context.ts'
import type { Role } from '../../src/roles.ts'

const SYSTEM = { system: 'test' } as const

/** The time at which all tests here begin. */
export const START = new Date('2026-11-22T12:00:00Z')

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
    readonly endorsements: readonly EndorsementSource[]
  }[]
  readonly flags?: Readonly<Record<string, string>>
  /** Null: none is stored. Default: {@link LENIENT}. */
  readonly policy?: JsonObject | null
}

export interface Harness {
  readonly app: FastifyInstance
  readonly context: BrokerContext
  /** Every line that was logged. */
  readonly log: readonly string[]
  /** The broker's clock; assign to move it. */
  clock: Date
  admin(role: Role): Promise<string>
  putDocument(kind: 'policy' | 'rule' | 'reference', name: string, document: JsonObject): Promise<void>
  putSecret(path: string, text: string): Promise<void>
  /** Ledger entries of a type, oldest first. */
  entries(type: string): Promise<readonly JsonObject[]>
  close(): Promise<void>
}

export async function openHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { platforms = [], policy = LENIENT } = options
  const dataDir = mkdtempSync(join(tmpdir(), 'casemate-kbs-'))
  const flags = { 'data-dir': dataDir, offline: 'true', 'metrics-listen': 'off', ...options.flags }
  let clock = START
  const log: string[] = []
  const broker = await openBroker(resolveConfig({ flags, env: {}, file: null }).values, {
    now: () => clock,
    elapsedMs: () => clock.getTime(),
    anchors: platforms.flatMap(({ anchors }) => anchors),
    endorsements: platforms.flatMap(({ endorsements }) => endorsements),
    logger: createLogger('debug', { write: line => void log.push(line) }),
  })
  const { app, context, administrators } = broker
  const firstAdminToken = await administrators.ensureAdmin()
  const { store, ledger, secrets } = context
  const harness: Harness = {
    app,
    context,
    log,
    get clock() {
      return clock
    },
    set clock(at) {
      clock = at
    },
    admin: async role => {
      const answer = await app.inject({
        method: 'POST',
        url: '/v1/tokens',
        headers: { authorization: `Bearer ${firstAdminToken}` },
        payload: { name: role, role, expiresAt: new Date(clock.getTime() + 86_400_000).toISOString() },
      })
      return answer.json<{ token: string }>().token
    },
    putDocument: async (kind, name, document) => {
      const record = entry({ type: `${kind}.put`, at: clock, actor: SYSTEM }, { name })
      await store.documents.put({ kind, name, document, at: clock }, 'any', record)
    },
    putSecret: async (path, text) => {
      const [repository = '', type = '', tag = ''] = path.split('/')
      await secrets.put({ repository, type, tag }, Buffer.from(text), { actor: SYSTEM, expected: 'any' })
    },
    entries: async type => {
      const all = await ledger.entries({ from: 0, limit: 1000 })
      return all.flatMap(({ entry }) => (entry?.['type'] === type ? [entry] : []))
    },
    close: async () => {
      await broker.close()
      rmSync(dataDir, { recursive: true })
    },
  }
  if (policy !== null) await harness.putDocument('policy', 'default', policy)
  return harness
}
