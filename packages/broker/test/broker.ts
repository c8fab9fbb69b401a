// A broker on a directory of its own, called in-process, with a clock that tests move and a log that they can read.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveConfig } from '../src/config/resolve.ts'
import { createLogger } from '../src/http/logging.ts'
import type { JsonObject } from '../src/json.ts'
import { type OpenBroker, openBroker } from '../src/lifecycle/broker.ts'
import type { Role } from '../src/roles.ts'
import type { Beginning } from '../src/store/beginning.ts'

export const START = new Date('2026-11-22T12:00:00Z')

export interface Sent {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly bytes: Uint8Array
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly body: any
}

export interface Sending {
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: string | Buffer | object
}

export interface TestBroker extends Omit<OpenBroker, 'close'> {
  readonly dataDir: string
  /** Null where an administrator had one already. */
  readonly firstAdminToken: string | null
  readonly admin: string
  readonly log: string[]
  clock: Date
  /** Sets the clock by so much while no time passes. */
  step(ms: number): void
  /** As admin unless another token, or null for none, is given. */
  send(method: string, url: string, how?: Sending): Promise<Sent>
  token(role: Role): Promise<string>
  entries(type?: string): Promise<JsonObject[]>
  /** Closes it and opens another on the same directory. */
  reopen(): Promise<TestBroker>
  close(how?: 'keep-data'): Promise<void>
}

export interface Opening {
  readonly dataDir?: string
  readonly admin?: string
  readonly flags?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly clock?: Date
  readonly beginning?: Beginning
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'casemate-broker-'))
}

export async function openTestBroker(opening: Opening = {}): Promise<TestBroker> {
  const dataDir = opening.dataDir ?? temporaryDirectory()
  const flags = { 'data-dir': dataDir, offline: 'true', ...opening.flags }
  const { values } = resolveConfig({ flags, env: opening.env ?? {}, file: null })
  const log: string[] = []
  let clock = opening.clock ?? START
  let steppedMs = 0
  const broker = await openBroker(values, {
    now: () => clock,
    elapsedMs: () => clock.getTime() - steppedMs,
    anchors: [],
    endorsements: [],
    logger: createLogger('debug', { write: line => void log.push(line) }),
    beginning: opening.beginning ?? 'as-it-was',
  })
  const firstAdminToken = await broker.administrators.ensureAdmin()
  const admin = firstAdminToken ?? opening.admin ?? ''
  const send: TestBroker['send'] = async (method, url, { token = admin, headers = {}, payload } = {}) => {
    const answer = await broker.app.inject({
      method: method as 'GET',
      url,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    })
    const isJson =
      answer.payload !== '' && String(answer.headers['content-type']).startsWith('application/json')
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.payload,
      bytes: answer.rawPayload,
      body: isJson ? answer.json() : undefined,
    }
  }
  const close: TestBroker['close'] = async how => {
    await broker.close()
    if (how !== 'keep-data') rmSync(dataDir, { recursive: true, force: true })
  }
  return {
    ...broker,
    dataDir,
    firstAdminToken,
    admin,
    log,
    get clock() {
      return clock
    },
    set clock(at) {
      clock = at
    },
    step: ms => {
      clock = later(clock, ms)
      steppedMs += ms
    },
    send,
    token: async role => {
      const expiresAt = new Date(clock.getTime() + 86_400_000).toISOString()
      return (await send('POST', '/v1/tokens', { payload: { name: role, role, expiresAt } })).body.token
    },
    entries: async type => {
      const { ledger } = broker.context
      const all = await ledger.entries({ from: 0, limit: ledger.size })
      return all.flatMap(({ entry }) =>
        entry !== null && (type ?? entry['type']) === entry['type'] ? [entry] : [],
      )
    },
    reopen: async () => {
      await close('keep-data')
      return openTestBroker({ ...opening, dataDir, admin, clock, beginning: 'as-it-was' })
    },
    close,
  }
}

export function later(from: Date, ms: number): Date {
  return new Date(from.getTime() + ms)
}

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
