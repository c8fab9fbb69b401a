// The cryptography that one handshake and one secret cannot avoid, bare: two signatures of the quote verified under a
// key that is new to us, one token signed, one key agreement with an ephemeral key, one key wrap, the content
// encrypted, and the challenge sealed and opened.
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  randomBytes,
  sign,
} from 'node:crypto'
import { bareVerification } from './floor.ts'

const verifyQuote = bareVerification('P-256', 632)
const verifyQeReport = bareVerification('P-256', 384)
const attestationKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
  type: 'spki',
  format: 'der',
})
const tokenKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const teeKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
const sealingKey = randomBytes(32)
const token = randomBytes(3000)
const secret = randomBytes(32)

/** Does all of it once. */
export function handshakeFloor(): void {
  openSealed(seal(sealingKey, randomBytes(64)))
  createPublicKey({ key: attestationKey, format: 'der', type: 'spki' })
  verifyQuote()
  verifyQeReport()
  sign('sha256', token, { key: tokenKey, dsaEncoding: 'ieee-p1363' })
  const ephemeral = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const shared = diffieHellman({
    privateKey: ephemeral.privateKey,
    publicKey: createPublicKey({ key: teeKey, format: 'jwk' }),
  })
  const wrappingKey = hash('sha256', shared, 'buffer')
  const contentKey = randomBytes(32)
  const wrap = createCipheriv('id-aes256-wrap', wrappingKey, Buffer.alloc(8, 0xa6))
  Buffer.concat([wrap.update(contentKey), wrap.final()])
  seal(contentKey, secret)
}

interface Sealed {
  readonly iv: Uint8Array
  readonly bytes: Uint8Array
  readonly tag: Uint8Array
}

function seal(key: Uint8Array, plaintext: Uint8Array): Sealed {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  const bytes = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return { iv, bytes, tag: cipher.getAuthTag() }
}

function openSealed({ iv, bytes, tag }: Sealed): Uint8Array {
  const decipher = createDecipheriv('aes-256-gcm', sealingKey, iv)
  decipher.setAuthTag(tag)
  return Buffer.concat([decipher.update(bytes), decipher.final()])
}
