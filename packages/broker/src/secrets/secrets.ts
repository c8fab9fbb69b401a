// Secrets at rest: AES-256-GCM under a data key of each version, which the key-encryption key wraps. Both are bound
// to path and version. A secret is never returned: `withPlaintext` lends it and zeroes it afterwards.

import { createSecretKey, randomBytes } from 'node:crypto'
import { type Actor, entry } from '../entry.ts'
import { BrokerError, StartError } from '../errors.ts'
import { seal, unseal } from '../keys/aead.ts'
import type { Wrapping } from '../keys/keys.ts'
import type { Wraps } from '../keys/pending-wraps.ts'
import { formatSecretPath, type SecretPath } from '../secret-path.ts'
import type {
  Page,
  PageRequest,
  Precondition,
  Put,
  Recorded,
  SealedSecret,
  SecretHead,
  SecretVersionHead,
  Store,
} from '../store/store.ts'
import { untilUnraced } from '../store/unraced.ts'
import { secretContext } from '../store/wrapping-context.ts'

const DATA_KEY_BYTES = 32

/** How often a put is repeated that lost the race for a version number; each time some other put has won. */
const MAX_PUT_ATTEMPTS = 16

/** Who changes a secret, and what must hold for it. */
export interface SecretChange {
  readonly actor: Actor
  readonly expected: Precondition
}

/** A secret with its versions, without content. */
export interface SecretDescription extends SecretHead {
  readonly versions: readonly SecretVersionHead[]
}

export interface SecretsParts {
  readonly store: Store
  readonly kek: Wrapping
  readonly pending: Wraps
  readonly now: () => Date
}

export class Secrets {
  readonly #parts: SecretsParts

  constructor(parts: SecretsParts) {
    this.#parts = parts
  }

  /** Encrypts a new version; `plaintext` is zeroed. @throws {BrokerError} `precondition-failed` */
  async put(
    path: SecretPath,
    plaintext: Uint8Array,
    change: SecretChange,
  ): Promise<Recorded<Put<SecretHead>>> {
    try {
      const attempt = () => this.#parts.pending.run(() => this.#putOnce(path, plaintext, change))
      return await untilUnraced('conflict', attempt, MAX_PUT_ATTEMPTS)
    } finally {
      plaintext.fill(0)
    }
  }

  /** @throws {BrokerError} `secret-missing` */
  async describe(path: SecretPath): Promise<SecretDescription> {
    const { secrets } = this.#parts.store
    const head = await secrets.find(path)
    if (head === null) throw missing()
    return { ...head, versions: await secrets.versions(path) }
  }

  /** The head alone, null where there is none: what a release decision needs. */
  find(path: SecretPath): Promise<SecretHead | null> {
    return this.#parts.store.secrets.find(path)
  }

  list(page: PageRequest): Promise<Page<SecretHead>> {
    return this.#parts.store.secrets.list(page)
  }

  /** @throws {BrokerError} `secret-missing`, `precondition-failed` */
  delete(path: SecretPath, { actor, expected }: SecretChange): Promise<Recorded<null>> {
    const head = { type: 'secret.deleted', at: this.#parts.now(), actor } as const
    return this.#parts.store.secrets.delete(path, expected, entry(head, { secret: formatSecretPath(path) }))
  }

  /** @throws {BrokerError} `secret-missing`, `precondition-failed` */
  deleteVersion(
    path: SecretPath,
    version: number,
    { actor, expected }: SecretChange,
  ): Promise<Recorded<null>> {
    const head = { type: 'secret.version-deleted', at: this.#parts.now(), actor } as const
    const record = entry(head, { secret: formatSecretPath(path), version })
    return this.#parts.store.secrets.deleteVersion(path, version, { expected, entry: record })
  }

  /**
   * Decrypts one version, lends it to `use` and zeroes it. `use` must not keep the bytes.
   * @throws {BrokerError} `secret-missing`
   */
  async withPlaintext<T>(
    path: SecretPath,
    version: number,
    use: (plaintext: Uint8Array) => Promise<T> | T,
  ): Promise<T> {
    const plaintext = await this.#open(path, version)
    try {
      return await use(plaintext)
    } finally {
      plaintext.fill(0)
    }
  }

  async #putOnce(
    path: SecretPath,
    plaintext: Uint8Array,
    change: SecretChange,
  ): Promise<Recorded<Put<SecretHead>>> {
    const { store, now } = this.#parts
    const version = (await store.secrets.lastVersion(path)) + 1
    const sealed = await this.#seal(path, version, plaintext)
    const details = { secret: formatSecretPath(path), version, sizeBytes: plaintext.length }
    const head = { type: 'secret.put', at: now(), actor: change.actor } as const
    return store.secrets.put(sealed, change.expected, entry(head, details))
  }

  async #seal(path: SecretPath, version: number, plaintext: Uint8Array): Promise<SealedSecret> {
    const context = secretContext(path, version)
    const material = randomBytes(DATA_KEY_BYTES)
    try {
      const ciphertext = seal(createSecretKey(material), plaintext, context)
      const dataKey = await this.#parts.kek.wrap(material, context)
      return {
        ...path,
        version,
        createdAt: this.#parts.now(),
        sizeBytes: plaintext.length,
        dataKey,
        ciphertext,
      }
    } finally {
      material.fill(0)
    }
  }

  async #open(path: SecretPath, version: number): Promise<Uint8Array> {
    const sealed = await this.#sealed(path, version)
    try {
      return await this.#unseal(sealed)
    } catch (error) {
      // A rotation may have re-wrapped it and retired the old key since the row was read.
      const retired = error instanceof StartError && error.code === 'kek-missing'
      if (!retired) throw error
      return this.#unseal(await this.#sealed(path, version))
    }
  }

  async #sealed(path: SecretPath, version: number): Promise<SealedSecret> {
    const sealed = await this.#parts.store.secrets.open(path, version)
    if (sealed === null) throw missing()
    return sealed
  }

  async #unseal(sealed: SealedSecret): Promise<Uint8Array> {
    const context = secretContext(sealed, sealed.version)
    const material = await this.#parts.kek.unwrap(sealed.dataKey, context)
    try {
      return unseal(createSecretKey(material), sealed.ciphertext, context)
    } finally {
      material.fill(0)
    }
  }
}

function missing(): BrokerError {
  return new BrokerError('secret-missing', 'there is no such secret')
}
