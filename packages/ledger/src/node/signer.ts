// Signs checkpoints with the log's Ed25519 key. The key's name is the log's origin, so that whoever holds the
// verifier key knows which log it speaks for.
import { createPublicKey, hash, type KeyObject, sign } from 'node:crypto'
import { formatCheckpoint, type SignedCheckpoint } from '../checkpoint.ts'
import { formatSignature, formatVerifierKey, keyIdInput, type VerifierKey, withKeyId } from '../note.ts'

export class CheckpointSigner {
  readonly #privateKey: KeyObject
  readonly #key: VerifierKey

  /** @throws {TypeError} where the key is no Ed25519 private key @throws {LedgerError} key-malformed */
  constructor(origin: string, privateKey: KeyObject) {
    if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519') {
      throw new TypeError(
        `signingKey is ${privateKey.asymmetricKeyType ?? privateKey.type}, want an Ed25519 private key`,
      )
    }
    this.#privateKey = privateKey
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
    const publicKey = new Uint8Array(spki.subarray(-32))
    this.#key = withKeyId(origin, publicKey, hash('sha256', keyIdInput(origin, publicKey), 'buffer'))
  }

  get origin(): string {
    return this.#key.name
  }

  /** `name+hash+base64`. */
  get verifierKey(): string {
    return formatVerifierKey(this.#key)
  }

  sign(size: number, root: Uint8Array): SignedCheckpoint {
    const checkpoint = { origin: this.origin, size, root, extensions: [] }
    const text = formatCheckpoint(checkpoint)
    const signature = sign(null, Buffer.from(text), this.#privateKey)
    return { ...checkpoint, note: `${text}\n${formatSignature(this.#key, signature)}` }
  }
}
