// The signatures that nobody can avoid, bare: bytes at hand, nothing around them.
import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'

/** Verifies one ECDSA signature over `size` bytes with a key that is already imported. */
export function bareVerification(curve: 'P-256' | 'P-384', size: number): () => boolean {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
  const hash = curve === 'P-256' ? 'sha256' : 'sha384'
  const message = randomBytes(size)
  const key = {
    key: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
    dsaEncoding: 'ieee-p1363',
  } as const
  const signature = sign(hash, message, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return () => verify(hash, message, key, signature)
}
