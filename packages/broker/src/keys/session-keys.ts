// The state of a handshake, sealed into its challenge: key id (8 bytes) ‖ AES-256-GCM of { expiry, state }.
// Whoever holds the session keys can finish a handshake that another replica began; nothing is stored.

import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { SEAL_OVERHEAD_BYTES, seal, unseal } from './aead.ts'
import type { KeyRing, RingKey } from './key-ring.ts'
import type { SessionKeys } from './keys.ts'
import { SESSION_KEY_ID_BYTES } from './stored-key.ts'

/** Authenticated with every session; a change of the layout changes it. */
const CONTEXT = 'casemate-session/1'

/** A cookie holds at most about 4 KiB (RFC 6265, 6.1). */
const MAX_SEALED_CHARACTERS = 4096

export class SealingKeys implements SessionKeys {
  readonly #ring: KeyRing
  readonly #current: () => Promise<RingKey>

  /** @param current the key that seals now, made where there is none */
  constructor(ring: KeyRing, current: () => Promise<RingKey>) {
    this.#ring = ring
    this.#current = current
  }

  async sealSession(state: JsonObject, expiresAt: Date): Promise<string> {
    const current = await this.#current()
    const plaintext = Buffer.from(JSON.stringify({ expiresAt: expiresAt.getTime(), state }))
    const sealed = seal(current.key, plaintext, CONTEXT)
    return Buffer.concat([Buffer.from(current.stored.id, 'hex'), sealed]).toString('base64url')
  }

  async openSession(sealed: string, now: Date): Promise<JsonObject> {
    if (sealed.length > MAX_SEALED_CHARACTERS || !/^[\w-]+$/.test(sealed)) throw invalid()
    const bytes = Buffer.from(sealed, 'base64url')
    if (bytes.length < SESSION_KEY_ID_BYTES + SEAL_OVERHEAD_BYTES) throw invalid()
    const ringKey = await this.#ring.find(bytes.toString('hex', 0, SESSION_KEY_ID_BYTES), now)
    if (ringKey === null) throw invalid()
    const { expiresAt, state } = open(ringKey.key, bytes.subarray(SESSION_KEY_ID_BYTES))
    if (expiresAt <= now.getTime()) {
      throw new BrokerError('session-expired', 'the session has expired', { hint: 'ask for a new challenge' })
    }
    return state
  }
}

function open(
  key: Parameters<typeof unseal>[0],
  sealed: Uint8Array,
): { expiresAt: number; state: JsonObject } {
  try {
    // Authentic bytes are ours, so their shape is known.
    return JSON.parse(Buffer.from(unseal(key, sealed, CONTEXT)).toString()) as {
      expiresAt: number
      state: JsonObject
    }
  } catch {
    throw invalid()
  }
}

function invalid(): BrokerError {
  return new BrokerError('session-invalid', 'the session is not one that this broker began', {
    hint: 'ask for a new challenge',
  })
}
