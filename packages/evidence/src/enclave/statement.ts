// What a machine says of the enclave that it runs: the SIGSTRUCT of the image, which carries measurement, product id and
// security version under its signer's signature. It travels beside the evidence of the machine, which binds it: in
// `additional_evidence` of the KBS protocol, whose text is hashed into the report data as it stands.

import { sha384 } from '#crypto'
import { concat, fromBase64, toBase64 } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import { SIGSTRUCT_SIZE } from './sigstruct.ts'

/** The class of device that a statement travels under. */
export const ENCLAVE_CLASS = 'casemate-enclave'

/** An enclave that runs on the attested platform; UNVERIFIED. */
export interface EnclaveStatement {
  /** 1,808 bytes, Intel's layout. */
  readonly sigstruct: Uint8Array
}

const MEMBER = 'sigstruct'
const BEFORE = `{"${ENCLAVE_CLASS}":{"${MEMBER}":"`
const AFTER = '"}}'
/** Unpadded base64url. */
const SIGSTRUCT_CHARS = Math.ceil((SIGSTRUCT_SIZE * 4) / 3)
/** The one length that a statement has, in characters. */
const STATEMENT_CHARS = BEFORE.length + SIGSTRUCT_CHARS + AFTER.length

/** `{"casemate-enclave":{"sigstruct":"…"}}` with unpadded base64url: the one form that a statement has. */
export function encodeStatement({ sigstruct }: EnclaveStatement): string {
  const text = toBase64(sigstruct).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  return `${BEFORE}${text}${AFTER}`
}

/**
 * Reads what {@link encodeStatement} writes, and nothing that differs from it in a character: a member twice, another
 * one, white space, bits that base64 leaves over.
 * @throws {Refusal} `enclave-malformed`
 */
export function parseStatement(text: string): EnclaveStatement {
  if (text.length === STATEMENT_CHARS && text.startsWith(BEFORE) && text.endsWith(AFTER)) {
    const sigstruct = fromBase64(text.slice(BEFORE.length, -AFTER.length))
    if (sigstruct !== null && encodeStatement({ sigstruct }) === text) return { sigstruct }
  }
  throw new Refusal('enclave-malformed', 'the statement of an enclave is not in the one form that it has', {
    expected: `${BEFORE}…${AFTER} with ${SIGSTRUCT_CHARS} characters of unpadded base64url`,
    got: `${text.length} characters`,
    hint: 'send exactly one SIGSTRUCT, without white space or other members',
  })
}

/** What a TD that states its enclave extends RTMR3 with: 48 bytes, SHA-384 of the SIGSTRUCT. */
export async function statementDigest({ sigstruct }: EnclaveStatement): Promise<Uint8Array> {
  return sha384(sigstruct)
}

/** RTMR3 after a TD that had extended nothing else stated its enclave: 48 bytes. */
export async function extendedRegister(statement: EnclaveStatement): Promise<Uint8Array> {
  return sha384(concat(new Uint8Array(48), await statementDigest(statement)))
}
