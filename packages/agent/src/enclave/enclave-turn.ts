// One enclave while it serves: its calls are counted, so that it can be ended in order.

import { setTimeout as sleep } from 'node:timers/promises'
import type { CallTarget } from '@casemate/channel'
import { type Enclave, EnclaveError, type EnclavePlatform } from '@casemate/enclave'

/** The secrets that an enclave was given, by path. */
export type Secrets = EnclavePlatform['secrets']

/** Overwrites what nobody uses any more. */
export function wipe(secrets: Secrets): void {
  for (const secret of secrets.values()) secret.fill(0)
}

/** Passes calls on to its enclave until it is told to refuse them. */
export class EnclaveTurn implements CallTarget {
  readonly #enclave: Pick<Enclave, 'call' | 'callBatch' | 'close'>
  readonly #secrets: Secrets
  readonly #calls = new Set<Promise<unknown>>()
  /** Why no call is taken any more. */
  #end: string | null = null

  /** The secrets are overwritten when it has ended. */
  constructor(enclave: Pick<Enclave, 'call' | 'callBatch' | 'close'>, secrets: Secrets) {
    this.#enclave = enclave
    this.#secrets = secrets
  }

  readonly call: CallTarget['call'] = (name, input, options) =>
    this.#count(() => this.#enclave.call(name, input, options))

  readonly callBatch: CallTarget['callBatch'] = (name, inputs, options) =>
    this.#count(() => this.#enclave.callBatch(name, inputs, options))

  /** Takes no more calls. */
  refuse(why: string): void {
    this.#end ??= why
  }

  /** Takes no more calls, lets those under way end within the grace, and ends every instance. */
  async end(why: string, graceMs: number): Promise<void> {
    this.refuse(why)
    const over = new AbortController()
    const grace = sleep(graceMs, undefined, { signal: over.signal }).catch(() => undefined)
    await Promise.race([Promise.allSettled(this.#calls), grace])
    over.abort()
    await this.#enclave.close()
    // LIMIT: what the instances had is given back to the system with their threads, not overwritten.
    wipe(this.#secrets)
  }

  async #count<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#end !== null) throw new EnclaveError('enclave-closed', this.#end)
    const call = begin()
    this.#calls.add(call)
    try {
      return await call
    } finally {
      this.#calls.delete(call)
    }
  }
}
