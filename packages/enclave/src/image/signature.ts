// Signing and checking a SIGSTRUCT: RSA-3072 with exponent 3, PKCS #1 v1.5 over SHA-256 (SDM volume 3D, 38.13).
// q1 and q2 spare the processor a division; they are not signed, so they are recomputed and compared.
import { constants, createPublicKey, createVerify, type KeyObject, sign } from 'node:crypto'
import { sigstructHints as hintsOf } from '@casemate/evidence'
import { equal } from '@casemate/evidence/bytes'
import { EnclaveError } from '../errors.ts'
import {
  completeSigstruct,
  RSA_SIZE,
  type Sigstruct,
  type SigstructBody,
  signedBytesOf,
} from './sigstruct.ts'

/** Who signed, and with a signature that holds. @throws {EnclaveError} invalid-signature, invalid-signature-hints */
export function verifySigstruct(sigstruct: Sigstruct): void {
  if (!isSignedBy(sigstruct.signedBytes, sigstruct.signature, publicKeyOf(sigstruct.modulus))) {
    throw new EnclaveError('invalid-signature', 'the SIGSTRUCT is not signed by the key that it carries')
  }
  const hints = hintsOf(sigstruct.signature, sigstruct.modulus)
  for (const name of ['q1', 'q2'] as const) {
    if (!equal(hints[name], sigstruct[name])) {
      throw new EnclaveError(
        'invalid-signature-hints',
        `${name} of the SIGSTRUCT is not that of its signature`,
      )
    }
  }
}

/** All 1,808 bytes. The same key and body give the same bytes. @throws {EnclaveError} invalid-key, invalid-parameter */
export function signSigstruct(body: SigstructBody, privateKey: KeyObject): Uint8Array {
  // Before the key is used, so that a wrong one does not sign.
  modulusOf(createPublicKey(privateKey))
  const signature = sign('sha256', signedBytesOf(body), {
    key: privateKey,
    padding: constants.RSA_PKCS1_PADDING,
  })
  return attachSignature(body, createPublicKey(privateKey), signature)
}

/**
 * The SIGSTRUCT with a signature that was made elsewhere over `signedBytesOf(body)`: 384 bytes, big-endian, as HSMs
 * and `openssl dgst -sha256 -sign` write it.
 * @throws {EnclaveError} invalid-key, invalid-signature
 */
export function attachSignature(
  body: SigstructBody,
  publicKey: KeyObject,
  signature: Uint8Array,
): Uint8Array {
  const modulus = modulusOf(publicKey)
  const littleEndian = signature.toReversed()
  if (signature.length !== RSA_SIZE || !isSignedBy(signedBytesOf(body), littleEndian, publicKey)) {
    throw new EnclaveError('invalid-signature', 'the signature is not that of this image by this key', {
      expected: `RSA PKCS #1 v1.5 with SHA-256, ${RSA_SIZE} bytes`,
      got: `${signature.length} bytes that do not verify`,
      hint: 'sign the bytes that `digest` prints, for this image and this date, with this key',
    })
  }
  return completeSigstruct(body, { modulus, signature: littleEndian, ...hintsOf(littleEndian, modulus) })
}

/** 384 bytes, little-endian. @throws {EnclaveError} invalid-key */
export function modulusOf(publicKey: KeyObject): Uint8Array {
  const details = publicKey.asymmetricKeyDetails
  const type = publicKey.asymmetricKeyType ?? publicKey.type
  const got = type === 'rsa' ? `rsa ${details?.modulusLength} exponent ${details?.publicExponent}` : type
  const fits = type === 'rsa' && details?.modulusLength === 8 * RSA_SIZE && details.publicExponent === 3n
  if (!fits) {
    throw new EnclaveError('invalid-key', `the signing key is ${got}, want RSA 3072 exponent 3`, {
      expected: 'rsa 3072 exponent 3',
      got,
      hint: 'openssl genrsa -3 -out key.pem 3072',
    })
  }
  const n = publicKey.export({ format: 'jwk' }).n ?? ''
  return new Uint8Array(Buffer.from(n, 'base64url').reverse())
}

function publicKeyOf(modulus: Uint8Array): KeyObject {
  const n = Buffer.from(modulus.toReversed()).toString('base64url')
  return createPublicKey({ format: 'jwk', key: { kty: 'RSA', n, e: 'Aw' } })
}

/** `signature` is little-endian here. */
function isSignedBy(signedBytes: Uint8Array, signature: Uint8Array, publicKey: KeyObject): boolean {
  const verifier = createVerify('sha256').update(signedBytes)
  return verifier.verify({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, signature.toReversed())
}
