// Digests of the secrets in use, to tell after a renewal which of them have changed at the broker.

import { createHash } from 'node:crypto'
import type { Agent } from './agent.ts'

/** The secrets that a workload has taken from an agent. */
export class KnownSecrets {
  readonly #agent: Pick<Agent, 'getSecret'>
  readonly #digests = new Map<string, string>()

  constructor(agent: Pick<Agent, 'getSecret'>) {
    this.#agent = agent
  }

  /** One that is in use from now on. @throws {BrokerRefusal} @throws {Unavailable} */
  async take(path: string): Promise<Uint8Array> {
    const secret = await this.#agent.getSecret(path)
    this.#digests.set(path, digestOf(secret))
    return secret
  }

  /** Those in use that are others now, until they are said to be in use; none where the lease has ended meanwhile. */
  async changed(): Promise<ReadonlyMap<string, Uint8Array>> {
    const changed = new Map<string, Uint8Array>()
    for (const [path, before] of this.#digests) {
      const secret = await this.#agent.getSecret(path).catch(() => null)
      // That is an event of its own.
      if (secret === null) return new Map()
      if (digestOf(secret) === before) secret.fill(0)
      else changed.set(path, secret)
    }
    return changed
  }

  /** These are in use from now on. */
  use(secrets: ReadonlyMap<string, Uint8Array>): void {
    for (const [path, secret] of secrets) this.#digests.set(path, digestOf(secret))
  }
}

/** What is compared instead of keeping the secret. */
function digestOf(secret: Uint8Array): string {
  return createHash('sha256').update(secret).digest('base64')
}
