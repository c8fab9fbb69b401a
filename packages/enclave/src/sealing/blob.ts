// A sealed blob: the header, then AES-256-GCM of the plaintext with its tag. The header is the associated data.
// Every blob has a random key id and so a key of its own: no nonce is ever used twice with one key.
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { concat } from '../bytes.ts'
import { EnclaveError } from '../errors.ts'
import { deriveSealingKey, KEY_ID_SIZE } from './derive.ts'
import { encodeHeader, NONCE_SIZE, parseHeader, type SealedHeader, TAG_SIZE } from './header.ts'
import type { SealingIdentity, SealingPolicy } from './identity.ts'
import type { SealingRoot } from './root.ts'

const CIPHER = 'aes-256-gcm'

/** Who opens, and from which root. */
export interface UnsealOptions {
  readonly root: SealingRoot
  readonly identity: SealingIdentity
}

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

/** @throws {EnclaveError} seal-malformed, seal-svn-too-new, seal-cpu-svn-too-new, seal-mac-mismatch */
export function unseal(blob: Uint8Array, { root, identity }: UnsealOptions): Unsealed {
  const header = parseHeader(blob)
  if (header.form !== 'blob')
    throw new EnclaveError('seal-malformed', 'the bytes are a sealed stream, not a blob')
  const start = encodeHeader(header)
  const sealed = blob.subarray(start.length)
  const plaintext = decrypt(deriveSealingKey(root, identity, header), header.nonce, start, sealed)
  if (plaintext === null) throw macMismatch()
  return { plaintext, header }
}

/** Of this version, with fresh key id and nonce. */
export function newHeader(form: SealedHeader['form'], nonceSize: number, options: SealOptions): SealedHeader {
  const { root, identity, policy, additionalData, random = randomBytes } = options
  const nonce = new Uint8Array(NONCE_SIZE)
  const keyId = random(KEY_ID_SIZE)
  nonce.set(random(nonceSize))
  const { isvSvn } = identity
  return { form, policy, algorithm: 'AES-256-GCM', isvSvn, cpuSvn: root.cpuSvn, keyId, nonce, additionalData }
}

/** Ciphertext and tag. */
export function encrypt(
  key: KeyObject,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE }).setAAD(associated)
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** Null where the tag is not right. */
export function decrypt(
  key: KeyObject,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | null {
  const size = sealed.length - TAG_SIZE
  if (size < 0) return null
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE }).setAAD(associated)
  decipher.setAuthTag(sealed.subarray(size))
  const plaintext = decipher.update(sealed.subarray(0, size))
  try {
    decipher.final()
  } catch {
    plaintext.fill(0)
    return null
  }
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length)
}

export function macMismatch(): EnclaveError {
  return new EnclaveError('seal-mac-mismatch', 'what is sealed does not open', {
    hint: 'it was changed, or sealed by another enclave, under another root, or with another debug flag',
  })
}
