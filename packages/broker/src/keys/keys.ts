// The broker’s keys, as its other parts use them. Private keys never leave src/keys.

import type { JsonObject } from '../json.ts'
import type { Redacted } from '../redacted.ts'
import type { WrappedKey } from '../store/store.ts'

/**
 * The key-encryption key behind one small interface: a key file now, an HSM or a cloud’s KMS next.
 * `context` is authenticated with the wrapped bytes (AAD), so that a blob cannot be moved to another place.
 */
export interface KeyEncryption {
  /** The version that wraps. */
  readonly currentVersion: number
  /** All versions that can still unwrap. */
  readonly versions: readonly number[]
  /** The one that `addVersion` would make. */
  readonly nextVersion: number
  /** @throws {StartError} `kek-missing`, which names the first that is not there */
  requireVersions(versions: readonly number[]): void
  /** @throws {BrokerError} `unavailable` where what is wrapped now might not be opened by the next start */
  assertKept(): void
  /** @throws {BrokerError} `unavailable` where a change of the versions would take the place of what somebody else wrote */
  assertReplaceable(): void
  /** @throws {BrokerError} as {@link assertKept} */
  wrap(plaintext: Uint8Array, context: string): Promise<WrappedKey>
  /** @throws {StartError} `kek-missing` for an unknown version, `kek-damaged` where authentication fails. */
  unwrap(wrapped: WrappedKey, context: string): Promise<Uint8Array>
  /** The bytes of a version, for another process of the same broker. @throws {StartError} `kek-missing` */
  copy(version: number): Uint8Array
  /** Makes a new version the current one; old ones still unwrap. */
  addVersion(): Promise<number>
  /** Forgets a version for good, and with it what only that version opens. */
  retireVersion(version: number): Promise<void>
  /** Changes what opens the versions from now on; null: the mode of their file. They stay as they are, and so does what they wrap. */
  protect(passphrase: Redacted<string> | null): Promise<void>
}

/** Those of the key-encryption key that can still open something, and the one that wraps. */
export interface KekVersions {
  readonly current: number
  readonly all: readonly number[]
}

/** What wraps and opens, for those who know nothing of versions. */
export type Wrapping = Pick<KeyEncryption, 'wrap' | 'unwrap'>

/** A set of public keys, RFC 7517. */
export interface Jwks {
  readonly keys: readonly JsonObject[]
}

/** Signs attestation results: ES256, `kid` = RFC 7638 thumbprint, keys rotate with an overlap. */
export interface TokenKeys {
  /** A compact JWS over `claims` with header `{ typ: 'JWT', alg: 'ES256', kid }`. Adds no claims. */
  signToken(claims: JsonObject): Promise<string>
  /**
   * Checks signature, `kid`, `exp` and `nbf` of a token that this broker signed; the other claims are the caller’s to check.
   * @throws {BrokerError} `attestation-token-invalid`, `attestation-token-expired`
   */
  verifyToken(token: string, now: Date): Promise<JsonObject>
  /** Every key under which a valid token may exist, and the next one; those too that another process has made. */
  jwks(): Promise<Jwks>
}

/** Seals the state of a handshake into the challenge, so that any replica can finish it. */
export interface SessionKeys {
  /** Encrypts and authenticates; the text is safe in a cookie (base64url). */
  sealSession(state: JsonObject, expiresAt: Date): Promise<string>
  /** @throws {BrokerError} `session-invalid`, `session-expired` */
  openSession(sealed: string, now: Date): Promise<JsonObject>
}

/** A key as `/v1/keys` shows it: no material. */
export interface KeyDescription {
  readonly id: string
  readonly purpose: 'token' | 'ledger' | 'session' | 'kek'
  readonly state: 'next' | 'current' | 'previous'
  readonly createdAt: Date | null
  readonly activeFrom: Date | null
  readonly retiresAt: Date | null
}
