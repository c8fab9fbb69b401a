// Attestation results for other software of the guest: with the private key of a handshake of its own, as the
// attestation agent of Confidential Containers gives them. The agent's own key is not for giving away.

import { KeyObject } from 'node:crypto'
import type { TeeKey } from '@casemate/client'
import type { Agent } from '../standing/agent.ts'
import type { Clock } from '../standing/clock.ts'
import { type Lease, leaseOf, remainingMs } from '../standing/lease.ts'

/** A token as a caller gets it. */
export interface GuestToken {
  readonly token: string
  /** PKCS#8, or PKCS#1 for an RSA key. */
  readonly pem: string
}

/** Below this share of its life a token is not handed out any more: the caller wants to do something with it. */
const USABLE_SHARE = 1 / 2

/** A failure is told to everybody for this long: every attempt is a whole attestation, and anyone may ask in a loop. */
const FAILURE_KEPT_MS = 1_000

/** Gives one token to all who ask, and makes the next when it is half over. */
export class GuestTokens {
  readonly #agent: Pick<Agent, 'attestForCaller'>
  readonly #clock: Clock
  #kept: { readonly token: GuestToken; readonly lease: Lease } | null = null
  #making: Promise<GuestToken> | null = null
  #failure: { readonly error: unknown; readonly atMs: number } | null = null

  constructor(agent: Pick<Agent, 'attestForCaller'>, clock: Clock) {
    this.#agent = agent
    this.#clock = clock
  }

  /** One that lives for a while yet; however many ask at once, one attestation is made. */
  async get(): Promise<GuestToken> {
    const kept = this.#kept
    if (kept !== null && remainingMs(kept.lease, this.#clock.at()) > kept.lease.lengthMs * USABLE_SHARE) {
      return kept.token
    }
    const failure = this.#failure
    if (failure !== null && this.#clock.at().monotonicMs - failure.atMs < FAILURE_KEPT_MS) throw failure.error
    this.#making ??= this.#make().finally(() => {
      this.#making = null
    })
    return this.#making
  }

  async #make(): Promise<GuestToken> {
    try {
      const { session, begunAt } = await this.#agent.attestForCaller()
      const token = { token: session.token, pem: pemOf(session.key) }
      this.#kept = { token, lease: leaseOf(session.claims, begunAt) }
      return token
    } catch (error) {
      this.#failure = { error, atMs: this.#clock.at().monotonicMs }
      throw error
    }
  }
}

function pemOf({ publicJwk, privateKey }: TeeKey): string {
  const key = KeyObject.from(privateKey)
  const type = publicJwk.kty === 'RSA' ? 'pkcs1' : 'pkcs8'
  return key.export({ type, format: 'pem' })
}
