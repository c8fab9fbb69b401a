// Administrators' tokens: `cmt_<id>_<secret>`, 16 and 43 characters (80 and 256 bits). Only SHA-256 of the secret is
// stored: it has full entropy, so a slow hash would protect nothing. The id says which hash to compare with.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Actor, entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { Administrator, Role } from '../roles.ts'
import type { Recorded, Store, StoredToken } from '../store/store.ts'

const TOKEN = /^cmt_([0-9a-v]{16})_([A-Za-z0-9_-]{43})$/

const ID_ALPHABET = '0123456789abcdefghijklmnopqrstuv'
const ID_CHARACTERS = 16
const SECRET_BYTES = 32

/** Validity of a token that a start makes. */
const START_TOKEN_DAYS = 90

/** Stands for the hash of an unknown id, so that it takes as long as a known one. */
const NO_HASH = new Uint8Array(32)

export interface NewToken {
  readonly name: string
  readonly role: Role
  readonly expiresAt: Date
}

/** A token that was just made: the only time its text exists. */
export interface IssuedToken {
  readonly token: string
  readonly stored: StoredToken
  readonly index: number
}

export interface AdministratorsParts {
  readonly store: Store
  readonly now: () => Date
}

export class Administrators {
  readonly #parts: AdministratorsParts

  constructor(parts: AdministratorsParts) {
    this.#parts = parts
  }

  /** @throws {BrokerError} `token-invalid` for every token that is not known, `token-expired` */
  async authenticate(token: string): Promise<Administrator> {
    const stored = await this.#known(token)
    if (stored === null) {
      throw new BrokerError('token-invalid', 'the administrator’s token is not known here', {
        hint: 'it may have been deleted, or belong to another broker',
      })
    }
    if (stored.expiresAt <= this.#parts.now()) {
      throw new BrokerError('token-expired', 'the administrator’s token has expired', {
        got: stored.id,
        hint: 'ask an admin for a new one',
      })
    }
    return { token: stored.id, name: stored.name, role: stored.role }
  }

  /** When a token ends; null for what is not known here, or has ended. */
  async endOf(token: string): Promise<Date | null> {
    const stored = await this.#known(token)
    return stored === null || stored.expiresAt <= this.#parts.now() ? null : stored.expiresAt
  }

  async #known(token: string): Promise<StoredToken | null> {
    const [, id = '', secret = ''] = TOKEN.exec(token) ?? []
    const stored = id === '' ? null : await this.#parts.store.tokens.find(id)
    return timingSafeEqual(hashSecret(secret), stored?.hash ?? NO_HASH) ? stored : null
  }

  async create(request: NewToken, actor: Actor): Promise<IssuedToken> {
    const now = this.#parts.now()
    if (!(request.expiresAt > now)) {
      throw new BrokerError('time-invalid', 'expiresAt is in the past', {
        expected: `after ${now.toISOString()}`,
        got: request.expiresAt.toISOString(),
      })
    }
    const id = Array.from(randomBytes(ID_CHARACTERS), byte => ID_ALPHABET[byte % ID_ALPHABET.length]).join('')
    const secret = randomBytes(SECRET_BYTES).toString('base64url')
    const stored = { ...request, id, hash: hashSecret(secret), createdAt: now }
    const { name, role } = request
    const details = { token: id, name, role, expiresAt: request.expiresAt.toISOString() }
    const record = entry({ type: 'token.created', at: now, actor }, details)
    const { index } = await this.#parts.store.tokens.insert(stored, record)
    return { token: `cmt_${id}_${secret}`, stored, index }
  }

  delete(id: string, actor: Actor): Promise<Recorded<null>> {
    const now = this.#parts.now()
    const record = entry({ type: 'token.deleted', at: now, actor }, { token: id })
    return this.#parts.store.tokens.delete(id, now, record)
  }

  /**
   * A token for whoever starts the broker, where no valid one with the role admin exists: at first start, and as the
   * way back in when all have expired. Who can start it can read its data, so this gives nothing away.
   */
  async ensureAdmin(): Promise<string | null> {
    const valid = await this.#parts.store.tokens.countValidAdmins(this.#parts.now())
    return valid > 0 ? null : this.#createAdmin('first')
  }

  /** The same where the ones that exist are lost to whoever starts it. */
  issueAdmin(): Promise<string> {
    return this.#createAdmin('recovered')
  }

  async #createAdmin(name: string): Promise<string> {
    const expiresAt = new Date(this.#parts.now().getTime() + START_TOKEN_DAYS * 86_400_000)
    const { token } = await this.create({ name, role: 'admin', expiresAt }, { system: 'start' })
    return token
  }
}

function hashSecret(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest()
}
