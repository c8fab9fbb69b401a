// Signing keys of tests; one is made once for all of them, since RSA-3072 with exponent 3 takes its time. Where it is not
// the key that is tested, `SIGNING` does, and `testSigningKey` where two signers have to differ.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { madeOnce } from '../../../../test/made-once.ts'

export const generateSigningKey = () => generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 })

/** The same for the same name, on this machine and in this checkout alone. */
export async function testSigningKey(
  name: string,
): Promise<{ readonly privateKey: KeyObject; readonly publicKey: KeyObject }> {
  const der = await madeOnce({
    ingredients: ['signing key of tests: RSA-3072, exponent 3, PKCS #8', name],
    make: () => generateSigningKey().privateKey.export({ type: 'pkcs8', format: 'der' }),
  })
  const privateKey = createPrivateKey({ key: Buffer.from(der), type: 'pkcs8', format: 'der' })
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

export const SIGNING = await testSigningKey('developer')
export const DATE = { date: '20261122' }
