// Who seals: the identity that sealing keys are bound to, as EGETKEY takes it from the enclave that asks.
import type { EnclaveImage } from '../image/image.ts'
import type { Sigstruct } from '../image/sigstruct.ts'

/** Whom a sealed blob is for: exactly this code, or all products of its signer under the same product id. */
export type SealingPolicy = 'mrEnclave' | 'mrSigner'

export interface SealingIdentity {
  /** 32 bytes. */
  readonly mrEnclave: Uint8Array
  /** 32 bytes. */
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
  /** Debug enclaves have keys of their own: whoever may look inside must not learn production's. */
  readonly debug: boolean
}

/** Of an image that was verified: who it is to sealing. */
export function identityOf(
  { manifest, mrEnclave }: Pick<EnclaveImage, 'manifest' | 'mrEnclave'>,
  { mrSigner }: Pick<Sigstruct, 'mrSigner'>,
): SealingIdentity {
  const { isvProdId, isvSvn, debug } = manifest
  return { mrEnclave, mrSigner, isvProdId, isvSvn, debug }
}
