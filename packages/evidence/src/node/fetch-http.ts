// One GET from a vendor’s service: bounded in time and size, repeated with growing pauses where the service says that
// it is busy. After a failure the whole host is left alone until its pause is over, so that a broker under load does
// not become the reason for the vendor’s rate limit. What unverified evidence names has pauses of its own: a made-up
// report must not keep everybody from revocation lists, nor a chip id that the service chokes on from other chips.

import { setTimeout as sleep } from 'node:timers/promises'
import { BoundedMap } from '../bounded-map.ts'
import { type CertificateFaultCode, certificateFault, systemCode } from '../certificate-fault.ts'
import type { NamedBy } from '../fetch-item.ts'

/** Vendors answer within two seconds; beyond ten a handshake has better things to wait for. */
export const REQUEST_TIMEOUT_MS = 10_000
/** Intel’s largest answer is some 100 KiB. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** The first try and two more. */
export const MAX_ATTEMPTS = 3
/** Pause after the first failure; it doubles with each one. */
export const FIRST_PAUSE_MS = 500
/** 500 ms doubled ten times is over eight minutes. */
const MAX_DOUBLINGS = 10
/** Longest pause that a call sits out; after a longer one it fails and says when to come back. */
export const MAX_PATIENCE_MS = 5_000
/** What is believed of a Retry-After; of one for what evidence named, as much as one client may cost all others. */
export const MAX_RETRY_AFTER_MS: Readonly<Record<NamedBy, number>> = { vendor: 3_600_000, evidence: 60_000 }
/** Addresses that evidence named and that failed lately. */
const MAX_PAUSED_ADDRESSES = 1024

/** Why an endorsement could not be had: the service's address or certificate is at fault, or what it answers. */
export type UnavailableCode = 'endorsement-unavailable' | 'unreachable' | CertificateFaultCode

/** An endorsement that could not be had now: try again after `retryAfterMs`, where that is known. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
  readonly code: UnavailableCode
  readonly retryAfterMs: number | null
  /** Which service it is about; its path may name a machine, and is in the message only. */
  readonly host: string | undefined
  /** What a person can do about it. */
  readonly hint: string | undefined

  constructor(message: string, detail: UnavailableDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = detail.code ?? 'endorsement-unavailable'
    this.retryAfterMs = detail.retryAfterMs ?? null
    this.host = detail.host
    this.hint = detail.hint
  }
}

interface UnavailableDetail {
  readonly code?: UnavailableCode
  readonly host?: string
  readonly retryAfterMs?: number
  readonly hint?: string
  readonly cause?: unknown
}

/** What is wrong at one address; its path may name a machine, and is in the message only. */
export function unavailableAt(
  url: URL,
  what: string,
  detail: Omit<UnavailableDetail, 'host'> = {},
): Unavailable {
  return new Unavailable(`${url.host}${url.pathname} ${what}`, { ...detail, host: url.host })
}

export interface HttpAnswer {
  readonly headers: Headers
  readonly body: Uint8Array
}

export interface HttpOptions {
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly wait: (milliseconds: number) => Promise<void>
}

/** The default of {@link HttpOptions.wait}. */
export async function waitFor(milliseconds: number): Promise<void> {
  await sleep(milliseconds)
}

/** Failures in a row, those of requests side by side counted once, and until when no more is asked. */
interface Pause {
  readonly failures: number
  readonly since: number
  readonly until: number
  /** The latest of the failures. */
  readonly failure: Failure
}

interface NewPause {
  readonly failure: Failure
  /** The pause that there was when the request was made. */
  readonly earlier: Pause | undefined
  readonly longestMs: number
}

export class HttpSource {
  readonly #options: HttpOptions
  readonly #pauses = new BoundedMap<string, Pause>(MAX_PAUSED_ADDRESSES)

  constructor(options: HttpOptions) {
    this.#options = options
  }

  /**
   * The answer to a GET; null where the service has no such item (404, 410).
   * @throws {Unavailable}
   */
  async get(url: URL, namedBy: NamedBy): Promise<HttpAnswer | null> {
    const lane = laneOf(url, namedBy)
    // What a service does not like about one chip says nothing of the next.
    const own = namedBy === 'vendor' ? lane : url.href
    for (let attempt = 1; ; attempt++) {
      for (const place of new Set([lane, own])) await this.#sitOut(place, url)
      const [inLane, atOwn] = [this.#pauses.get(lane), this.#pauses.get(own)]
      const outcome = await this.#try(url)
      if (!(outcome instanceof Failure)) {
        this.#end(lane, inLane)
        this.#end(own, atOwn)
        return outcome
      }
      const [place, earlier] = outcome.isRateLimit ? [lane, inLane] : [own, atOwn]
      const until = this.#pause(place, { failure: outcome, earlier, longestMs: MAX_RETRY_AFTER_MS[namedBy] })
      if (attempt >= MAX_ATTEMPTS || outcome.isFinal) throw busy(url, until - this.#options.now(), outcome)
    }
  }

  async #sitOut(place: string, url: URL): Promise<void> {
    const pause = this.#pauses.get(place)
    if (pause === undefined) return
    const now = this.#options.now()
    // One that begins later than now was noted before the clock was set back.
    const left = now < pause.since ? 0 : pause.until - now
    if (left > MAX_PATIENCE_MS) throw busy(url, left, pause.failure)
    if (left > 0) await this.#options.wait(left)
  }

  // An answer does not end a pause that began while it was under way.
  #end(place: string, earlier: Pause | undefined): void {
    if (this.#pauses.get(place) === earlier) this.#pauses.delete(place)
  }

  #pause(place: string, { failure, earlier, longestMs }: NewPause): number {
    const current = this.#pauses.get(place)
    const isCounted = current !== undefined && current !== earlier
    const failures = isCounted ? current.failures : (earlier?.failures ?? 0) + 1
    const grown = FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, MAX_DOUBLINGS)
    const pauseMs = Math.min(Math.max(grown, failure.retryAfterMs), longestMs)
    const since = this.#options.now()
    const until = Math.max(since + pauseMs, isCounted && current.since <= since ? current.until : 0)
    this.#pauses.set(place, { failures, since, until, failure })
    return until
  }

  async #try(url: URL): Promise<HttpAnswer | null | Failure> {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS)
    try {
      const response = await this.#options.fetch(url, { signal, redirect: 'error' })
      const { status } = response
      if (status === 404 || status === 410) {
        await response.body?.cancel()
        return null
      }
      if (status === 200) return { headers: response.headers, body: await readBody(response, url) }
      await response.body?.cancel()
      if (status === 429 || status >= 500) {
        const retryAfterMs = this.#retryAfter(response.headers)
        return new Failure(`HTTP status ${status}`, { retryAfterMs, isRateLimit: status === 429 })
      }
      throw unavailableAt(url, `answers with HTTP status ${status}`, {
        hint: 'the address of the service may be wrong, or the service may want an API key',
      })
    } catch (error) {
      if (error instanceof Unavailable) throw error
      const fault = connectionFault(error, url.host)
      return new Failure(error instanceof Error ? reasonOf(error) : 'no answer', { fault, cause: error })
    }
  }

  // Seconds or an HTTP date (RFC 9110, 10.2.3).
  #retryAfter(headers: Headers): number {
    const text = headers.get('retry-after')
    if (text === null) return 0
    const milliseconds = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - this.#options.now()
    return Number.isNaN(milliseconds) ? 0 : Math.max(0, milliseconds)
  }
}

function laneOf(url: URL, namedBy: NamedBy): string {
  return `${namedBy} ${url.host}`
}

interface ConnectionFault {
  readonly code: UnavailableCode
  readonly message: string
  readonly hint: string
}

/** Null where a connection was made, as with an answer that does not end. */
function connectionFault(error: unknown, host: string): ConnectionFault | null {
  const system = systemCode(error)
  if (system === undefined) return null
  return (
    certificateFault(error, host) ?? {
      code: 'unreachable',
      message: `no service answers at ${host} (${system})`,
      hint: 'is the address right, and may this machine reach it? endorsements can also come from files',
    }
  )
}

interface FailureDetail {
  readonly retryAfterMs?: number
  readonly isRateLimit?: boolean
  readonly fault?: ConnectionFault | null
  readonly cause?: unknown
}

/** A try that may be repeated. */
class Failure {
  readonly reason: string
  readonly retryAfterMs: number
  /** Whether the service complains of how often it is asked, not of what. */
  readonly isRateLimit: boolean
  /** Where the connection is at fault, and not the answer. */
  readonly fault: ConnectionFault | null
  readonly cause: unknown

  constructor(reason: string, detail: FailureDetail) {
    this.reason = reason
    this.retryAfterMs = detail.retryAfterMs ?? 0
    this.isRateLimit = detail.isRateLimit ?? false
    this.fault = detail.fault ?? null
    this.cause = detail.cause
  }

  /** A wrong certificate is no better half a second later. */
  get isFinal(): boolean {
    return this.fault !== null && this.fault.code !== 'unreachable'
  }
}

async function readBody(response: Response, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) {
      throw unavailableAt(url, `answers with more than ${MAX_ANSWER_BYTES} bytes`)
    }
    chunks.push(chunk)
  }
  const body = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    body.set(chunk, offset)
    offset += chunk.length
  }
  return body
}

function reasonOf(error: Error): string {
  if (error.name === 'TimeoutError') return `no answer within ${REQUEST_TIMEOUT_MS} ms`
  return error.cause instanceof Error ? error.cause.message : error.message
}

function busy(url: URL, retryAfterMs: number, failure: Failure): Unavailable {
  const { code, message, hint } = failure.fault ?? {
    code: 'endorsement-unavailable' as const,
    message: `${url.host} is left alone for a while after: ${failure.reason}`,
    hint: 'supply the endorsements from files, or set up a caching service nearby',
  }
  return new Unavailable(message, {
    code,
    host: url.host,
    retryAfterMs: Math.max(0, Math.ceil(retryAfterMs)),
    hint,
    ...(failure.cause === undefined ? {} : { cause: failure.cause }),
  })
}
