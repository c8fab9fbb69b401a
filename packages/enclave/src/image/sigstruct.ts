// SIGSTRUCT as this room sees it: the layout is that of @casemate/evidence, where verifiers read it as well; here it also
// says who signed, and its errors are this room's.
import { createHash } from 'node:crypto'
import {
  completeSigstruct as complete,
  encodeSigstructBody as encodeBody,
  parseSigstruct as parse,
  Refusal,
  type SigstructBody,
  type Sigstruct as SigstructFields,
  type SigstructSignature,
  signedBytesOfSigstruct,
} from '@casemate/evidence'
import { EnclaveError, type EnclaveErrorCode } from '../errors.ts'

export {
  ATTRIBUTE_DEBUG,
  type Attributes,
  RSA_SIZE,
  SIGSTRUCT_SIZE,
  type SigstructBody,
  type SigstructSignature,
} from '@casemate/evidence'

/** A SIGSTRUCT as it stands in its bytes; UNVERIFIED. */
export interface Sigstruct extends SigstructFields {
  /** 32 bytes: SHA-256 of the modulus, who signed. */
  readonly mrSigner: Uint8Array
}

/** @throws {EnclaveError} invalid-metadata */
export function parseSigstruct(bytes: Uint8Array): Sigstruct {
  return translated('invalid-metadata', () => {
    const fields = parse(bytes)
    return { ...fields, mrSigner: mrSignerOf(fields.modulus) }
  })
}

/** A SIGSTRUCT with everything but key and signature, which are zero. @throws {EnclaveError} invalid-parameter */
export function encodeSigstructBody(body: SigstructBody): Uint8Array {
  return translated('invalid-parameter', () => encodeBody(body))
}

/** @throws {EnclaveError} invalid-parameter */
export function completeSigstruct(body: SigstructBody, signed: SigstructSignature): Uint8Array {
  return translated('invalid-parameter', () => complete(body, signed))
}

/** The 256 bytes that are signed. @throws {EnclaveError} invalid-parameter */
export function signedBytesOf(body: SigstructBody): Uint8Array {
  return translated('invalid-parameter', () => signedBytesOfSigstruct(body))
}

/** SHA-256 of the 384 bytes of the modulus, little-endian as Intel does. */
function mrSignerOf(modulus: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(modulus).digest())
}

function translated<T>(code: EnclaveErrorCode, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { message, expected, got } = error
    throw new EnclaveError(code, message, {
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
      cause: error,
    })
  }
}
