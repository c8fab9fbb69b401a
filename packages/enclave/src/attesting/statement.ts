// What this process says of the enclave that it runs, to be bound by the report data of the platform's evidence: the
// SIGSTRUCT of the image, which carries measurement, product id and security version under its signer's signature.
// On TDX and SEV-SNP the hardware measures the machine below; that machine vouches for this statement.

/** The class of device that evidence of an enclave travels under, in `additional_evidence` of the KBS protocol. */
export const ENCLAVE_CLASS = 'casemate-enclave'

/** An enclave that runs on the attested platform. */
export interface EnclaveStatement {
  /** 1,808 bytes, Intel's layout. */
  readonly sigstruct: Uint8Array
}

/** JSON for `additional_evidence`, hashed into the report data as it stands. */
export function encodeStatement({ sigstruct }: EnclaveStatement): string {
  return JSON.stringify({ [ENCLAVE_CLASS]: { sigstruct: Buffer.from(sigstruct).toString('base64url') } })
}
