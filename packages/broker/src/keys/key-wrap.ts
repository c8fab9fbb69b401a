// How the key-encryption key wraps: AES-256-GCM, authenticating the place of what is wrapped and the version that wrapped it.

import type { KeyObject } from 'node:crypto'
import { StartError } from '../errors.ts'
import type { WrappedKey } from '../store/store.ts'
import { seal, unseal } from './aead.ts'

export interface KekVersion {
  readonly version: number
  readonly key: KeyObject
}

export function wrapUnder({ version, key }: KekVersion, plaintext: Uint8Array, context: string): WrappedKey {
  return { kekVersion: version, bytes: seal(key, plaintext, aad(version, context)) }
}

/** @throws {StartError} `kek-damaged` */
export function unwrapUnder(key: KeyObject, { kekVersion, bytes }: WrappedKey, context: string): Uint8Array {
  try {
    return unseal(key, bytes, aad(kekVersion, context))
  } catch (error) {
    throw new StartError('kek-damaged', 'a wrapped key does not authenticate under the key-encryption key', {
      hint: 'database and key file do not belong together, or one was changed',
      cause: error,
    })
  }
}

function aad(kekVersion: number, context: string): string {
  return `casemate-wrap/1 ${kekVersion} ${context}`
}
