// A guest's session, in two stages: challenged (a nonce was given) and attested (evidence was accepted). The state is
// sealed into the cookie, so that any replica goes on where another began; that a challenge was answered is kept elsewhere
// (used-challenges.ts, and the attestation's own transaction). A replayed cookie wins nothing: while challenged it needs
// evidence over its own nonce, and once attested it yields only secrets that are encrypted to the key that was attested.

import { randomBytes } from 'node:crypto'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { SessionKeys } from '../keys/keys.ts'
import type { HashAlgorithm } from './runtime-data.ts'
import type { TeeJwk } from './tee-key.ts'
import type { ProtocolVersion } from './version.ts'

/** Bytes of the nonce; 44 characters of base64 on the wire. */
export const NONCE_BYTES = 32

/** After `auth`: bound to nonce, kind of TEE, protocol version and hash algorithm. */
export interface ChallengedSession extends JsonObject {
  readonly stage: 'challenged'
  readonly nonce: string
  readonly tee: string
  readonly version: ProtocolVersion
  readonly hash: HashAlgorithm
  /** Milliseconds since the epoch. */
  readonly endsAt: number
}

/** After `attest`: bound to the attestation, whose claims and result are in the store, and to the attested key. */
export interface AttestedSession extends JsonObject {
  readonly stage: 'attested'
  readonly attestationId: string
  readonly teeKey: TeeJwk
  readonly version: ProtocolVersion
}

/** The sealed state and when it ends. */
export interface SealedSession {
  readonly token: string
  readonly expiresAt: Date
}

/** What sessions are made with. */
export interface SessionsOptions {
  readonly keys: SessionKeys
  readonly now: () => Date
  /** How long a guest has for each stage. */
  readonly lifetimeMs: number
}

/** Makes and reads sessions; holds no state of any. */
export class Sessions {
  readonly #options: SessionsOptions

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  /** A new session with a fresh nonce. */
  challenge(request: Pick<ChallengedSession, 'tee' | 'version' | 'hash'>): ChallengedSession {
    const { tee, version, hash } = request
    const nonce = randomBytes(NONCE_BYTES).toString('base64')
    const endsAt = this.#options.now().getTime() + this.#options.lifetimeMs
    return { stage: 'challenged', nonce, endsAt, tee, version, hash }
  }

  /** Seals `session`; it ends with its lifetime, or earlier with any of `ends` (the token, the endorsements). */
  async seal(session: ChallengedSession | AttestedSession, ends: readonly Date[]): Promise<SealedSession> {
    const latest = this.#options.now().getTime() + this.#options.lifetimeMs
    const expiresAt = new Date(Math.min(latest, ...ends.map(end => end.getTime())))
    return { token: await this.#options.keys.sealSession(session, expiresAt), expiresAt }
  }

  /** @throws {BrokerError} `session-missing`, `session-invalid`, `session-expired` */
  async openChallenged(token: string | null): Promise<ChallengedSession> {
    const session = await this.#open(token)
    if (session['stage'] !== 'challenged') {
      throw new BrokerError('session-invalid', 'this session is attested already; start again with auth')
    }
    return session as ChallengedSession
  }

  /** Null where there is no session, it is over, or it was not attested: a token may be there instead. */
  async openAttested(token: string | null): Promise<AttestedSession | null> {
    try {
      const session = await this.#open(token)
      return session['stage'] === 'attested' ? (session as AttestedSession) : null
    } catch (error) {
      if (error instanceof BrokerError) return null
      throw error
    }
  }

  // What was sealed here has the shape it was sealed with: nobody else has the key.
  async #open(token: string | null): Promise<JsonObject> {
    if (token === null) throw new BrokerError('session-missing', 'no session cookie; start with auth')
    return this.#options.keys.openSession(token, this.#options.now())
  }
}
