// A sealed blob: the header, then AES-256-GCM of the plaintext with its tag. The header is the associated data.
// Every blob has a random key id and so a key of its own: no nonce is ever used twice with one key.
import { randomBytes } from 'node:crypto'
import { ChunkKeys, openChunks } from './chunks.ts'
import { decryptInto, encryptInto, macMismatch } from './cipher.ts'
import { deriveSealingKey, KEY_ID_SIZE } from './derive.ts'
import { encodeHeader, NONCE_SIZE, parseHeader, type SealedHeader, TAG_SIZE } from './header.ts'
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
  const associated = encodeHeader(header)
  const blob = new Uint8Array(associated.length + plaintext.length + TAG_SIZE)
  blob.set(associated)
  encryptInto(blob.subarray(associated.length), plaintext, { key, nonce: header.nonce, associated })
  return blob
}

/**
 * Opens a blob, or a stream that is in memory as a whole.
 * @throws {EnclaveError} seal-malformed, seal-enclave-mismatch, seal-signer-mismatch, seal-product-mismatch,
 * seal-debug-mismatch, seal-svn-too-new, seal-root-mismatch, seal-cpu-svn-too-new, seal-mac-mismatch, seal-truncated
 */
export function unseal(sealed: Uint8Array, options: UnsealOptions): Unsealed {
  let plaintext = new Uint8Array()
  const header = unsealInto(sealed, options, (_, size) => {
    plaintext = new Uint8Array(size)
    return { sealed, plaintext }
  })
  return { plaintext, header }
}

/** Room for a plaintext, and what was sealed once more: in an instance, making room may move it. */
export interface UnsealRoom {
  readonly sealed: Uint8Array
  readonly plaintext: Uint8Array
}

/**
 * As `unseal`, to where the caller wants the plaintext once its size is known; where it does not open, nothing but
 * zero is left there.
 * @throws {EnclaveError} as `unseal`
 */
export function unsealInto(
  sealed: Uint8Array,
  options: UnsealOptions,
  makeRoom: (header: SealedHeader, size: number) => UnsealRoom,
): SealedHeader {
  const header = parseHeader(sealed)
  const key = keyToOpen(header, options)
  const associated = encodeHeader(header)
  if (header.form === 'stream') {
    const plaintext = openChunks(new ChunkKeys(header, key), sealed.subarray(associated.length))
    makeRoom(header, plaintext.length).plaintext.set(plaintext)
    return header
  }
  const size = sealed.length - associated.length - TAG_SIZE
  if (size < 0) throw macMismatch()
  const room = makeRoom(header, size)
  const body = room.sealed.subarray(associated.length)
  if (!decryptInto(room.plaintext, body, { key, nonce: header.nonce, associated })) throw macMismatch()
  return header
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
