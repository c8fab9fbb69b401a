// The statement of this process about the enclave that it runs, in the form of @casemate/evidence, where verifiers read it.
// On TDX and SEV-SNP the hardware measures the machine below; that machine vouches for this statement.
export { ENCLAVE_CLASS, type EnclaveStatement, encodeStatement } from '@casemate/evidence'
