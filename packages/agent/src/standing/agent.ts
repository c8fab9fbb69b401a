// A workload's standing with one broker, kept up: attested at the start, attested anew before the lease ends, with the
// secrets that the workload was started for fetched again each time, because only so does the broker decide again.

import { type AttestedSession, type Attester, attest, BrokerRefusal, Unavailable } from '@casemate/client'
import type { Clock, Moment } from './clock.ts'
import { isDenial } from './denial.ts'
import { Holding } from './holding.ts'
import { leaseOf, pauseMs, remainingMs, renewalPointMs } from './lease.ts'

/** A broker, how it is reached, and the secrets that the workload lives on. */
export interface AgentOptions {
  readonly attester: Attester
  readonly url: string
  readonly issuer: string
  readonly fetch: typeof globalThis.fetch
  readonly clock: Clock
  /** `repository/type/tag` of everything that is fetched with every attestation. */
  readonly secrets: readonly string[]
}

/** An event between one attestation and the next. */
export type AgentEvent =
  | { readonly kind: 'renewed'; readonly leaseMs: number }
  /** The broker could not be asked, or its answer cannot be believed; it is asked again. */
  | { readonly kind: 'unanswered'; readonly error: Error; readonly leaseMs: number; readonly pauseMs: number }
  /** The broker says no: to the evidence, or to a secret. */
  | { readonly kind: 'denied'; readonly error: BrokerRefusal }
  | { readonly kind: 'lease-ended' }

/** How often the clocks are looked at: a machine that slept learns within this time what is over. */
const LOOK_MS = 1_000

/** Failures after which the pause is the longest. */
const MANY = 16

/** Attests, and fetches the secrets. @throws {BrokerRefusal} @throws {Unavailable} @throws {ClientConfigError} */
export async function openAgent(options: AgentOptions): Promise<Agent> {
  const stopping = new AbortController()
  const first = await takeUp(options, stopping.signal)
  return new Agent(options, first, stopping)
}

/** Holds a lease and its secrets, and renews both once it was started. */
export class Agent {
  readonly #options: AgentOptions
  readonly #stopping: AbortController
  #holding: Holding | null
  /** Why there is none. */
  #denial: BrokerRefusal | null = null
  #tell: (event: AgentEvent) => void = () => undefined

  /** By {@link openAgent}. */
  constructor(options: AgentOptions, holding: Holding, stopping: AbortController) {
    this.#options = options
    this.#holding = holding
    this.#stopping = stopping
  }

  /** From now on the lease is renewed, and watched. */
  start(tell: (event: AgentEvent) => void): void {
    this.#tell = tell
    void this.#renew()
    void this.#watch()
  }

  /** Milliseconds for which secrets may be used; 0 if they may not. */
  get leaseMs(): number {
    const holding = this.#holding
    return holding === null ? 0 : Math.max(0, remainingMs(holding.lease, this.#options.clock.at()))
  }

  /** A copy of a secret, under the present lease. @throws {BrokerRefusal} @throws {Unavailable} */
  async getSecret(path: string): Promise<Uint8Array> {
    return this.#valid().getSecret(path)
  }

  /** An attestation of its own whose private key can be exported: the agent's own key never leaves it. */
  async attestForCaller(): Promise<{ readonly session: AttestedSession; readonly begunAt: Moment }> {
    const begunAt = this.#options.clock.at()
    const session = await attest({ ...this.#attestOptions(), extractableKey: true })
    return { session, begunAt }
  }

  get attester(): Attester {
    return this.#options.attester
  }

  /** Ends renewal and whatever request is under way, and forgets the secrets. */
  close(): void {
    this.#stopping.abort()
    this.#replace(null)
  }

  #valid(): Holding {
    const holding = this.#holding
    if (holding !== null && this.leaseMs > 0) return holding
    if (this.#denial !== null) throw this.#denial
    throw new Unavailable('unreachable', 'there is no lease: the broker has not renewed it', {
      hint: 'the agent keeps asking; its standard error says why',
    })
  }

  #replace(holding: Holding | null, denial: BrokerRefusal | null = null): void {
    this.#holding?.drop()
    this.#holding = holding
    this.#denial = denial
  }

  #attestOptions() {
    return attestOptions(this.#options, this.#stopping.signal)
  }

  async #renew(): Promise<void> {
    const { clock } = this.#options
    const stop = this.#stopping.signal
    let failures = 0
    let lengthMs = this.#holding?.lease.lengthMs ?? 0
    while (!stop.aborted) {
      if (failures === 0) await this.#untilRenewal(lengthMs)
      if (stop.aborted) return
      try {
        const holding = await takeUp(this.#options, stop)
        if (stop.aborted) return holding.drop()
        this.#replace(holding)
        failures = 0
        lengthMs = holding.lease.lengthMs
        this.#tell({ kind: 'renewed', leaseMs: this.leaseMs })
      } catch (error) {
        if (stop.aborted) return
        // Who was denied needs no hurry: every attempt is a whole attestation, and recorded.
        failures = isDenial(error) ? MANY : failures + 1
        const retryAfterMs = error instanceof Unavailable ? error.retryAfterMs : null
        const pause = pauseMs({ failures, lengthMs, retryAfterMs }, clock.random())
        this.#tell(this.#failureOf(error, pause))
        await clock.wait(pause, stop)
      }
    }
  }

  /** Looks at the clocks until so little of the lease is left that it is to be renewed. */
  async #untilRenewal(lengthMs: number): Promise<void> {
    const { clock } = this.#options
    const point = renewalPointMs({ lengthMs }, clock.random())
    const stop = this.#stopping.signal
    while (!stop.aborted && this.leaseMs > point) {
      await clock.wait(Math.min(LOOK_MS, this.leaseMs - point), stop)
    }
  }

  #failureOf(error: unknown, pause: number): AgentEvent {
    if (isDenial(error)) {
      this.#replace(null, error)
      return { kind: 'denied', error }
    }
    const known = error instanceof Error ? error : new Error(String(error))
    return { kind: 'unanswered', error: known, leaseMs: this.leaseMs, pauseMs: pause }
  }

  async #watch(): Promise<void> {
    const { clock } = this.#options
    const stop = this.#stopping.signal
    let held = true
    while (!stop.aborted) {
      const left = this.leaseMs
      if (left > 0) held = true
      else if (held) {
        held = false
        // A denial has ended it already, and was told.
        if (this.#denial === null) this.#tell({ kind: 'lease-ended' })
        this.#replace(null, this.#denial)
      }
      await clock.wait(left > 0 ? Math.min(LOOK_MS, Math.ceil(left)) : LOOK_MS, stop)
    }
  }
}

async function takeUp(options: AgentOptions, stop: AbortSignal): Promise<Holding> {
  const begunAt = options.clock.at()
  const session = await attest(attestOptions(options, stop))
  const holding = new Holding(session, leaseOf(session.claims, begunAt))
  try {
    for (const path of options.secrets) await fetchFor(holding, path)
    if (remainingMs(holding.lease, options.clock.at()) > 0) return holding
    throw new Unavailable('timeout', 'the attestation took longer than its result is valid', {
      hint: 'a longer tokenLifetime of the broker, or evidence that is had faster',
    })
  } catch (error) {
    holding.drop()
    throw error
  }
}

/** Kept there; the copy that one gets is for nobody. */
async function fetchFor(holding: Holding, path: string): Promise<void> {
  try {
    const copy = await holding.getSecret(path)
    copy.fill(0)
  } catch (error) {
    throw about(path, error)
  }
}

/** The broker does not repeat which secret it was asked for. */
function about(path: string, error: unknown): unknown {
  if (!(error instanceof BrokerRefusal)) return error
  const { code, message, status, hint } = error
  const kept = status === null ? {} : { status }
  return new BrokerRefusal(code, `${path}: ${message}`, { ...kept, hint, cause: error })
}

function attestOptions({ attester, url, issuer, fetch, clock }: AgentOptions, stop: AbortSignal) {
  return {
    attester,
    url,
    issuer,
    now: () => new Date(clock.at().wallMs),
    fetch: (input: string, init: RequestInit) => {
      const signals = init.signal === undefined || init.signal === null ? [stop] : [init.signal, stop]
      return fetch(input, { ...init, signal: AbortSignal.any(signals) })
    },
  }
}
