// A sealed blob: the header, then AES-256-GCM of the plaintext with its tag. The header is the associated data.
// Every blob has a random key id and so a key of its own: no nonce is ever used twice with one key.
import { randomBytes } from 'node:crypto'
import { concat } from '../bytes.ts'
import { ChunkKeys, openChunks } from './chunks.ts'
import { decrypt, encrypt, macMismatch } from './cipher.ts'
import { deriveSealingKey, KEY_ID_SIZE } from './derive.ts'
import { encodeHeader, NONCE_SIZE, parseHeader, type SealedHeader } from './header.ts'
import type { SealingPolicy } from './identity.ts'
import { keyToOpen, type UnsealOptions } from './opening.ts'

export interface SealOptions extends UnsealOptions {
  readonly policy: SealingPolicy
  /** Authenticated and not encrypted, at most 64 KiB. */
  readonly additionalData: Uint8Array
  /** Default: the operating system’s. */
  readonly random?: (size: number) => Uint8Array
}

export interface Unsealed {
  readonly plaintext: Uint8Array
  readonly header: SealedHeader
}

/** @throws {EnclaveError} invalid-parameter */
export function seal(plaintext: Uint8Array, options: SealOptions): Uint8Array {
  const header = newHeader('blob', NONCE_SIZE, options)
  const key = deriveSealingKey(options.root, options.identity, header)
  const start = encodeHeader(header)
  return concat(start, encrypt(key, header.nonce, start, plaintext))
}

/**
 * Opens a blob, or a stream that is in memory as a whole.
 * @throws {EnclaveError} seal-malformed, seal-enclave-mismatch, seal-signer-mismatch, seal-product-mismatch,
 * seal-debug-mismatch, seal-svn-too-new, seal-root-mismatch, seal-cpu-svn-too-new, seal-mac-mismatch, seal-truncated
 */
export function unseal(sealed: Uint8Array, options: UnsealOptions): Unsealed {
  const header = parseHeader(sealed)
  const key = keyToOpen(header, options)
  const start = encodeHeader(header)
  const rest = sealed.subarray(start.length)
  if (header.form === 'stream') return { plaintext: openChunks(new ChunkKeys(header, key), rest), header }
  const plaintext = decrypt(key, header.nonce, start, rest)
  if (plaintext === null) throw macMismatch()
  return { plaintext, header }
}

/** Of this version, with fresh key id and nonce. */
export function newHeader(form: SealedHeader['form'], nonceSize: number, options: SealOptions): SealedHeader {
  const { root, identity, policy, additionalData, random = randomBytes } = options
  const nonce = new Uint8Array(NONCE_SIZE)
  const keyId = random(KEY_ID_SIZE)
  nonce.set(random(nonceSize))
  return {
    form,
    policy,
    algorithm: 'AES-256-GCM',
    rootKind: root.kind,
    rootId: root.ids[policy],
    measurement: policy === 'mrEnclave' ? identity.mrEnclave : identity.mrSigner,
    isvProdId: policy === 'mrEnclave' ? 0 : identity.isvProdId,
    debug: identity.debug,
    isvSvn: identity.isvSvn,
    cpuSvn: root.cpuSvn,
    keyId,
    nonce,
    additionalData,
  }
}
