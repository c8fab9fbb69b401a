// Secrets for the broker’s other parts: put, describe, delete, and use the plaintext once.
// A secret is never returned: `withPlaintext` lends it and zeroes it afterwards.

import type { Actor } from '../entry.ts'
import type { SecretPath } from '../secret-path.ts'
import type {
  Page,
  PageRequest,
  Precondition,
  Put,
  Recorded,
  SecretHead,
  SecretVersionHead,
} from '../store/store.ts'

/** Who changes a secret, and what must hold for it. */
export interface SecretChange {
  readonly actor: Actor
  readonly expected: Precondition
}

/** A secret with its versions, without content. */
export interface SecretDescription extends SecretHead {
  readonly versions: readonly SecretVersionHead[]
}

export interface Secrets {
  /** Encrypts a new version; `plaintext` is zeroed. @throws {BrokerError} `precondition-failed` */
  put(path: SecretPath, plaintext: Uint8Array, change: SecretChange): Promise<Recorded<Put<SecretHead>>>
  /** @throws {BrokerError} `secret-missing` */
  describe(path: SecretPath): Promise<SecretDescription>
  /** The head alone, null where there is none: what a release decision needs. */
  find(path: SecretPath): Promise<SecretHead | null>
  list(page: PageRequest): Promise<Page<SecretHead>>
  /** @throws {BrokerError} `secret-missing`, `precondition-failed` */
  delete(path: SecretPath, change: SecretChange): Promise<Recorded<null>>
  /** @throws {BrokerError} `secret-missing`, `precondition-failed` */
  deleteVersion(path: SecretPath, version: number, change: SecretChange): Promise<Recorded<null>>
  /**
   * Decrypts one version, lends it to `use` and zeroes it. `use` must not keep the bytes.
   * @throws {BrokerError} `secret-missing`
   */
  withPlaintext<T>(
    path: SecretPath,
    version: number,
    use: (plaintext: Uint8Array) => Promise<T> | T,
  ): Promise<T>
}
