// Statements of enclaves for handshakes: SIGSTRUCTs that are right in everything but for what a test changes.
import { createHash, sign } from 'node:crypto'
import {
  completeSigstruct,
  encodeStatement,
  type SigstructBody,
  signedBytesOfSigstruct,
  sigstructHints,
} from '@casemate/evidence'
import { SIGNING } from '../../../enclave/test/image/keys.ts'

const MODULUS = new Uint8Array(
  Buffer.from(SIGNING.publicKey.export({ format: 'jwk' }).n ?? '', 'base64url').reverse(),
)

export const MR_SIGNER = createHash('sha256').update(MODULUS).digest('hex')
export const MR_ENCLAVE = 'ee'.repeat(32)
const ALL = 0xffff_ffff_ffff_ffffn

const BODY: SigstructBody = {
  vendor: 0,
  date: '20261122',
  swDefined: 0,
  miscSelect: 0,
  miscMask: 0xffff_ffff,
  cetAttributes: 0,
  cetAttributesMask: 0xff,
  isvFamilyId: new Uint8Array(16),
  attributes: { flags: 4n, xfrm: 3n },
  attributeMask: { flags: ALL, xfrm: ALL },
  enclaveHash: Buffer.from(MR_ENCLAVE, 'hex'),
  isvExtProdId: new Uint8Array(16),
  isvProdId: 7,
  isvSvn: 3,
}

export const DEBUG: Partial<SigstructBody> = { attributes: { flags: 6n, xfrm: 3n } }

export function statement(changes: Partial<SigstructBody> = {}): string {
  const body = { ...BODY, ...changes }
  const signature = new Uint8Array(sign('sha256', signedBytesOfSigstruct(body), SIGNING.privateKey)).reverse()
  const signed = { modulus: MODULUS, signature, ...sigstructHints(signature, MODULUS) }
  return encodeStatement({ sigstruct: completeSigstruct(body, signed) })
}
