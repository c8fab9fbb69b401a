// One exchange with a broker over `fetch`: bounded in time and size, never redirected, and every status that is
// not a success turned into BrokerRefusal or Unavailable here, so that callers see answers only.

import { certificateFault, systemCode } from '@casemate/evidence'
import { BrokerRefusal, ClientConfigError, refuse, Unavailable, type Violation } from './failure.ts'
import { hintOfPlain, hintOfSilence, hintOfStranger, NO_BROKER, speaksNoTls } from './stranger.ts'

/** The part of `fetch` that is used; a fake in tests, an agent with its own TLS roots in a service. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>

/** How to reach a broker. */
export interface HttpOptions {
  /** The broker's base URL, e.g. `https://broker.example`. */
  readonly url: string
  /** Default: the runtime's own. An {@link Unavailable} that it throws is passed on: it knows better what is wrong. */
  readonly fetch?: Fetch
  /** Default: {@link TIMEOUT_MS}. */
  readonly timeoutMs?: number
}

/** Milliseconds from sending a request to having read its answer; a broker may fetch collateral in between. */
export const TIMEOUT_MS = 30_000

/** An answer above this many octets is refused; the largest legitimate one is a page of attestations. */
export const MAX_RESPONSE_BYTES = 8 * 1024 * 1024

/** One request. */
export interface HttpRequest {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Absolute path with query, below the base URL. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** A JSON value, or raw octets as they are. */
  readonly body?: unknown
}

/** An answer with a success status. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  /** Parsed from `bytes`. @throws {BrokerRefusal} response-malformed */
  readonly json: () => unknown
}

/** Sends one request at a time to one broker. */
export interface Http {
  /** The base URL without a trailing slash. */
  readonly url: string
  /** False if others on the network can read along. */
  readonly secure: boolean
  readonly send: (request: HttpRequest) => Promise<HttpAnswer>
}

/** Prepares exchanges with one broker. @throws {ClientConfigError} url-invalid */
export function openHttp(options: HttpOptions): Http {
  const base = parseBase(options.url)
  const url = base.href.replace(/\/+$/, '')
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  return {
    url,
    secure: base.protocol === 'https:' || isLoopback(base.hostname),
    send: request => exchange(fetch, url, timeoutMs, request),
  }
}

function parseBase(url: string): URL {
  const base = URL.parse(url)
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new ClientConfigError('url-invalid', `the broker’s URL is ${url}, want http:// or https://`)
  }
  if (base.username !== '' || base.password !== '' || base.search !== '' || base.hash !== '') {
    throw new ClientConfigError('url-invalid', 'the broker’s URL carries credentials, a query or a fragment')
  }
  return base
}

/** True for a host that never leaves this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

// oxlint-disable-next-line max-params -- the three that openHttp binds, and the request
async function exchange(
  fetch: Fetch,
  url: string,
  timeoutMs: number,
  request: HttpRequest,
): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs)
  let response: Response
  let bytes: Uint8Array
  try {
    response = await fetch(url + request.path, { ...initOf(request), signal: timeout })
    bytes = await readBounded(response)
  } catch (cause) {
    if (cause instanceof BrokerRefusal || cause instanceof Unavailable) throw cause
    throw unreachable(url, timeout.aborted ? timeoutMs : null, cause)
  }
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    throw refuse('redirect-refused', `the broker at ${url} answered with a redirect`, {
      hint: 'give the URL that it redirects to, if that is the broker you mean',
    })
  }
  const answer: HttpAnswer = {
    status: response.status,
    headers: response.headers,
    bytes,
    json: () => parseJson(bytes, request.path),
  }
  if (!response.ok) throw failureOf(answer, url)
  return answer
}

function initOf(request: HttpRequest): RequestInit {
  const headers: Record<string, string> = { accept: 'application/json', ...request.headers }
  const init: RequestInit = { method: request.method ?? 'GET', headers, redirect: 'manual' }
  if (request.body === undefined) return init
  if (request.body instanceof Uint8Array) {
    headers['content-type'] ??= 'application/octet-stream'
    return { ...init, body: new Uint8Array(request.body) }
  }
  headers['content-type'] = 'application/json'
  return { ...init, body: JSON.stringify(request.body) }
}

/** Reads the body, and stops at the limit whatever Content-Length says. */
async function readBounded(response: Response): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    size += value.length
    if (size > MAX_RESPONSE_BYTES) {
      await reader.cancel()
      throw refuse('response-too-large', `the answer is over ${MAX_RESPONSE_BYTES} bytes`)
    }
    chunks.push(value)
  }
  return concat(chunks, size)
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

function unreachable(url: string, afterMs: number | null, cause: unknown): Unavailable {
  if (afterMs !== null) {
    return new Unavailable('timeout', `the broker at ${url} did not answer within ${afterMs} ms`, { cause })
  }
  const fault = certificateFault(cause, url)
  if (fault !== null) return new Unavailable(fault.code, fault.message, { hint: fault.hint, cause })
  if (isSecure(url) && speaksNoTls(systemCode(cause))) {
    const hint = hintOfPlain(url, isLoopback(new URL(url).hostname))
    return new Unavailable('unreachable', `what listens at ${url} speaks no TLS`, { hint, cause })
  }
  return new Unavailable('unreachable', `no broker answers at ${url}${reasonOf(cause)}`, {
    hint: hintOfSilence(systemCode(cause), isSecure(url)),
    cause,
  })
}

function reasonOf(thrown: unknown): string {
  const code = systemCode(thrown)
  return code === undefined ? '' : ` (${code})`
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw refuse('response-malformed', `the answer to ${path} is not JSON`, { cause, hint: NO_BROKER })
  }
}

/** Reads an error answer: ours (`{ error: { code … } }`), KBS's (`{ type, detail }`), or whatever a proxy says. */
function failureOf(answer: HttpAnswer, url: string): BrokerRefusal | Unavailable {
  const { status } = answer
  const told = errorBody(answer)
  const message = told?.message ?? `${url} answered with status ${status}`
  const hint = told === null ? hintOfStranger(status, isSecure(url)) : told.hint
  if (status === 429 || status >= 500) {
    const retryAfterMs = status === 429 || status === 503 ? retryAfter(answer.headers) : null
    const code = status === 429 ? 'rate-limited' : 'server-error'
    const own = told === null || told.code === code ? '' : ` (${told.code})`
    return new Unavailable(code, message + own, { retryAfterMs, ...(hint === undefined ? {} : { hint }) })
  }
  const code = told?.code ?? `http-${status}`
  return new BrokerRefusal(code, message, { ...told, status, ...(hint === undefined ? {} : { hint }) })
}

function isSecure(url: string): boolean {
  return url.startsWith('https:')
}

interface ErrorBody {
  readonly code: string
  readonly message: string
  readonly expected?: string
  readonly got?: string
  readonly hint?: string
  readonly violations?: readonly Violation[]
}

function errorBody(answer: HttpAnswer): ErrorBody | null {
  let body: unknown
  try {
    body = answer.json()
  } catch {
    return null
  }
  if (typeof body !== 'object' || body === null) return null
  const own = 'error' in body ? ownError(body.error) : null
  if (own !== null) return own
  if (
    'type' in body &&
    typeof body.type === 'string' &&
    'detail' in body &&
    typeof body.detail === 'string'
  ) {
    return kbsError(body.type, body.detail)
  }
  return null
}

/** Of what it says no more than what it may say: whoever answers can write anything there. */
function ownError(value: unknown): ErrorBody | null {
  if (typeof value !== 'object' || value === null) return null
  const told = new Map<string, unknown>(Object.entries(value))
  const text = (name: string): object => {
    const found = told.get(name)
    return typeof found === 'string' ? { [name]: found } : {}
  }
  const [code, message, violations] = [told.get('code'), told.get('message'), told.get('violations')]
  if (typeof code !== 'string' || typeof message !== 'string') return null
  const texts = { ...text('expected'), ...text('got'), ...text('hint') }
  return {
    code,
    message,
    ...texts,
    ...(Array.isArray(violations) ? { violations: violations.filter(isViolation) } : {}),
  }
}

function isViolation(value: unknown): value is Violation {
  if (typeof value !== 'object' || value === null) return false
  const { path, expected, got, hint = '' } = value as Record<string, unknown>
  return [path, expected, got, hint].every(text => typeof text === 'string')
}

/** The detail opens with a code where a Casemate answers; of another KBS the variant serves: `PolicyDeny` → `policy-deny`. */
function kbsError(type: string, detail: string): ErrorBody | null {
  const [, code, message] = /^([a-z]+(?:-[a-z]+)*): (.+)$/s.exec(detail) ?? []
  if (code !== undefined && message !== undefined) return { code, message }
  const variant = /errors\/(\w+)$/.exec(type)?.[1]
  if (variant === undefined) return null
  return { code: variant.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase(), message: detail }
}

/** Retry-After in its form of seconds; a date is left to the caller's own pace. */
function retryAfter(headers: Headers): number | null {
  const value = headers.get('retry-after')
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) * 1000 : null
}
