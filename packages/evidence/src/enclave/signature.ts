// Who signed a SIGSTRUCT: RSA-3072 with exponent 3, PKCS #1 v1.5 over SHA-256 (Intel SDM volume 3D, 38.13), as EINIT
// checks it. The key is in the SIGSTRUCT itself: what the signature proves is that its holder signed, and the digest of
// the key is who that is.

import { sha256 } from '#crypto'
import { concat, equal, fromHex, toHex } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import { checkSignature } from '../signature.ts'
import { RSA_SIZE, type Sigstruct, type SigstructSignature } from './sigstruct.ts'

/** SubjectPublicKeyInfo of an RSA key of 3,072 bits with exponent 3: what stands before the modulus, and after it. */
const SPKI_BEFORE = Uint8Array.of(
  0x30,
  0x82,
  0x01,
  0xa0,
  0x30,
  0x0d,
  0x06,
  0x09,
  0x2a,
  0x86,
  0x48,
  0x86,
  0xf7,
  0x0d,
  0x01,
  0x01,
  0x01,
  0x05,
  0x00,
  0x03,
  0x82,
  0x01,
  0x8d,
  0x00,
  0x30,
  0x82,
  0x01,
  0x88,
  0x02,
  0x82,
  0x01,
  0x81,
  0x00,
)
const SPKI_AFTER = Uint8Array.of(2, 1, 3)

/** Who signed, with a signature that holds: 32 bytes, SHA-256 of the modulus. @throws {Refusal} `enclave-signature-invalid` */
export async function verifySigstruct(sigstruct: Sigstruct): Promise<Uint8Array> {
  const { modulus, signature, signedBytes } = sigstruct
  const isSigned = await checkSignature(spkiOf(modulus), {
    scheme: 'rsa3-pkcs1-sha256',
    encoding: 'p1363',
    signature: signature.toReversed(),
    message: signedBytes,
  })
  if (!isSigned) {
    throw new Refusal('enclave-signature-invalid', 'the SIGSTRUCT is not signed by the key that it carries')
  }
  const hints = sigstructHints(signature, modulus)
  for (const name of ['q1', 'q2'] as const) {
    if (equal(hints[name], sigstruct[name])) continue
    throw new Refusal('enclave-signature-invalid', `${name} of the SIGSTRUCT is not that of its signature`)
  }
  return sha256(modulus)
}

/** Of a modulus that is little-endian. */
function spkiOf(modulus: Uint8Array): Uint8Array {
  return concat(SPKI_BEFORE, modulus.toReversed(), SPKI_AFTER)
}

/** q1 = floor(s² / m), q2 = floor(s · (s² mod m) / m), which spare the processor a division. All are little-endian. */
export function sigstructHints(
  signature: Uint8Array,
  modulus: Uint8Array,
): Pick<SigstructSignature, 'q1' | 'q2'> {
  const s = readBigLe(signature)
  const m = readBigLe(modulus)
  const q1 = (s * s) / m
  const q2 = (s * ((s * s) % m)) / m
  return { q1: writeBigLe(q1), q2: writeBigLe(q2) }
}

function readBigLe(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`)
}

/** A signature below the modulus gives numbers below it; of anything else nothing is compared. */
function writeBigLe(value: bigint): Uint8Array {
  return (fromHex(value.toString(16).padStart(2 * RSA_SIZE, '0')) ?? new Uint8Array()).toReversed()
}
