// Versions of the key-encryption key as a process has them that did not open the key file: asked for when something is to be
// opened with one for the first time, kept until it is retired. They wrap nothing, so that a rotation knows what was wrapped.

import { createSecretKey, type KeyObject } from 'node:crypto'
import { StartError } from '../errors.ts'
import type { WrappedKey } from '../store/store.ts'
import { unwrapUnder } from './key-wrap.ts'
import type { Wrapping } from './keys.ts'

export class KekCopies implements Pick<Wrapping, 'unwrap'> {
  readonly #ask: (version: number) => Promise<Uint8Array>
  readonly #keys = new Map<number, KeyObject>()
  readonly #retired = new Set<number>()

  /** @param ask gives the 32 bytes of a version, or throws what {@link unwrap} is to throw */
  constructor(ask: (version: number) => Promise<Uint8Array>) {
    this.#ask = ask
  }

  /** @throws {StartError} `kek-missing`, `kek-damaged` */
  async unwrap(wrapped: WrappedKey, context: string): Promise<Uint8Array> {
    const { kekVersion } = wrapped
    return unwrapUnder(this.#keys.get(kekVersion) ?? (await this.#fetch(kekVersion)), wrapped, context)
  }

  /** It opens nothing here any more. */
  forget(version: number): void {
    this.#retired.add(version)
    this.#keys.delete(version)
  }

  async #fetch(version: number): Promise<KeyObject> {
    const bytes = await this.#ask(version)
    const key = createSecretKey(bytes)
    bytes.fill(0)
    // It may have been retired while this was on the way.
    if (this.#retired.has(version)) throw retired(version)
    this.#keys.set(version, key)
    return key
  }
}

function retired(version: number): StartError {
  return new StartError('kek-missing', `version ${version} of the key-encryption key was retired`, {
    hint: 'restore the key file from the time of the database',
  })
}
