// Who this side is on its channels: credentials that are renewed, evidence and all, before they end. A session keeps
// those that it began with.
import type { AttestationDriver, EnclaveStatement } from '@casemate/enclave'
import { equal } from '@casemate/evidence/bytes'
import { ChannelError } from '../errors.ts'
import { evidenceOf } from '../evidence/carried.ts'
import { atMoment } from '../moment.ts'
import { sha256 } from '../sha256.ts'
import { type Credentials, makeCredentials, quoteOf } from './credentials.ts'

/** One hour: a key that is stolen with a memory dump is worth no more, and evidence is made 36 times a day. */
export const DEFAULT_IDENTITY_LIFETIME_MS = 3_600_000
/** Renewal begins after two thirds of a lifetime, and is tried again so often until the end. */
const RENEW_AT = 2 / 3
const RETRIES = 8
/** Waiting requests for evidence of their own: platforms serialise them, some take a second each. */
const MAX_WAITING_QUOTES = 8

/** Events of an identity. */
export type IdentityEvent =
  | { readonly type: 'identity-renewed'; readonly notAfter: Date }
  | { readonly type: 'identity-renewal-failed'; readonly error: unknown }

export interface IdentityOptions {
  /** `'none'`: the other side gets a key to speak to and no evidence; it has to have said that it takes anyone. */
  readonly driver: AttestationDriver | 'none'
  /** The enclave image that this process runs; null if it runs none. */
  readonly statement: EnclaveStatement | null
  readonly now?: () => Date
  /** Default {@link DEFAULT_IDENTITY_LIFETIME_MS}. */
  readonly lifetimeMs?: number
  /** Whether a peer may have evidence made for its session alone, which keeps the platform busy. Default 'never'. */
  readonly sessionEvidence?: 'on-demand' | 'never'
  readonly report?: (event: IdentityEvent) => void
}

/** Made by {@link openIdentity}; close it to stop its renewal. */
export interface ChannelIdentity {
  readonly attested: boolean
  /** @throws {ChannelError} identity-expired */
  readonly credentials: () => Credentials
  /** Those of a session that began with this certificate (DER). @throws {ChannelError} identity-expired */
  readonly credentialsOf: (certificate: Uint8Array) => Credentials
  /** Evidence over a digest, made now. @throws {ChannelError} session-evidence-missing, identity-failed */
  readonly sessionEvidence: (digest: Uint8Array) => Promise<Uint8Array>
  /** Calls back with new credentials; the function that it returns ends that. */
  readonly onRenewed: (listener: (credentials: Credentials) => void) => () => void
  readonly close: () => void
}

/** @throws {ChannelError} identity-failed */
export async function openIdentity(options: IdentityOptions): Promise<ChannelIdentity> {
  const identity = new RenewedIdentity(options)
  await identity.start()
  return identity
}

class RenewedIdentity implements ChannelIdentity {
  readonly attested: boolean
  readonly #options: IdentityOptions
  readonly #now: () => Date
  readonly #lifetimeMs: number
  readonly #listeners = new Set<(credentials: Credentials) => void>()
  #current: Credentials | null = null
  #previous: Credentials | null = null
  #stopWaiting: () => void = () => undefined
  #quotes: Promise<unknown> = Promise.resolve()
  #waitingQuotes = 0
  #isClosed = false

  constructor(options: IdentityOptions) {
    this.#options = options
    this.attested = options.driver !== 'none'
    this.#now = options.now ?? (() => new Date())
    this.#lifetimeMs = options.lifetimeMs ?? DEFAULT_IDENTITY_LIFETIME_MS
  }

  async start(): Promise<void> {
    await this.#renew()
    this.#schedule(this.#lifetimeMs * RENEW_AT)
  }

  credentials(): Credentials {
    const current = this.#current
    if (current !== null && this.#now() <= current.notAfter) return current
    throw new ChannelError('identity-expired', 'the identity of this side has ended', {
      hint: 'its renewal failed; the identity’s reports say why',
    })
  }

  credentialsOf(certificate: Uint8Array): Credentials {
    const found = [this.#current, this.#previous].find(
      one => one !== null && equal(one.certificate, certificate),
    )
    if (found) return found
    throw new ChannelError('identity-expired', 'the identity was renewed twice during one handshake')
  }

  async sessionEvidence(digest: Uint8Array): Promise<Uint8Array> {
    const { driver, sessionEvidence = 'never' } = this.#options
    if (driver === 'none' || sessionEvidence === 'never') throw noSessionEvidence('this side makes none')
    if (this.#waitingQuotes >= MAX_WAITING_QUOTES) throw noSessionEvidence('too many peers ask at once')
    this.#waitingQuotes++
    // One after the other: platforms answer that they are busy, or take the other's report data.
    const quote = this.#quotes.then(() => quoteOf(driver, digest))
    this.#quotes = quote.catch(() => undefined)
    try {
      return evidenceOf(await quote)
    } finally {
      this.#waitingQuotes--
    }
  }

  onRenewed(listener: (credentials: Credentials) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#isClosed = true
    this.#stopWaiting()
    this.#listeners.clear()
  }

  async #renew(): Promise<void> {
    const { driver, statement } = this.#options
    const made = await makeCredentials({
      driver,
      statement,
      now: this.#now(),
      lifetimeMs: this.#lifetimeMs,
    })
    this.#previous = this.#current
    this.#current = made
    for (const listener of this.#listeners) listener(made)
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed) return
    const until = new Date(this.#now().getTime() + delayMs)
    this.#stopWaiting = atMoment({ until, now: this.#now }, () => void this.#renewAgain())
  }

  async #renewAgain(): Promise<void> {
    try {
      await this.#renew()
      const notAfter = this.#current?.notAfter ?? this.#now()
      this.#options.report?.({ type: 'identity-renewed', notAfter })
      this.#schedule(this.#lifetimeMs * RENEW_AT)
    } catch (error) {
      this.#options.report?.({ type: 'identity-renewal-failed', error })
      this.#schedule((this.#lifetimeMs * (1 - RENEW_AT)) / RETRIES)
    }
  }
}

function noSessionEvidence(why: string): ChannelError {
  return new ChannelError('session-evidence-missing', `no evidence for this session: ${why}`, {
    hint: 'open the identity with `sessionEvidence: "on-demand"`, or demand `freshness: "cached"`',
  })
}

/** The report data of evidence for one session alone. */
export function sessionDigest(bindingMessage: Uint8Array): Uint8Array {
  return sha256(Buffer.from('casemate channel session evidence v1\0', 'latin1'), bindingMessage)
}
