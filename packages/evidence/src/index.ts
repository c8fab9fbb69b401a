// Evidence: bytes of any TEE to what they say and who signed them.

export { encodeCertTable, parseCertTable, type SnpCertificate } from './amd/cert-table.ts'
export type { SnpClaims, SnpTcb } from './amd/claims.ts'
export type { SnpEvidence } from './amd/evidence.ts'
export { type SnpKbsEvidence, snpKbsEvidence } from './amd/kbs.ts'
export { type TrustAnchor, VENDORS } from './anchor.ts'
export { VENDOR_ANCHORS } from './anchors.ts'
export { BoundedMap } from './bounded-map.ts'
export { type CertificateFaultCode, certificateFault, systemCode } from './certificate-fault.ts'
export { CLAIM_FIELDS } from './claim-fields.ts'
export type { CollateralClaims, CommonClaims, EnclaveClaims, TcbStatus } from './claims.ts'
export { TCB_STATUSES } from './claims.ts'
export type { Crl } from './crl.ts'
export type { EnclaveIdentity } from './documents/enclave-identity.ts'
export type { TcbEvaluationNumbers } from './documents/tcb-evaluation.ts'
export type { TcbInfo } from './documents/tcb-info.ts'
export { sigstructHints, verifySigstruct } from './enclave/signature.ts'
export {
  ATTRIBUTE_DEBUG,
  type Attributes,
  completeSigstruct,
  encodeSigstructBody,
  parseSigstruct,
  RSA_SIZE,
  SIGSTRUCT_SIZE,
  type Sigstruct,
  type SigstructBody,
  type SigstructSignature,
  signedBytesOfSigstruct,
} from './enclave/sigstruct.ts'
export {
  ENCLAVE_CLASS,
  type EnclaveStatement,
  encodeStatement,
  extendedRegister,
  parseStatement,
  statementDigest,
} from './enclave/statement.ts'
export { verifyEnclave } from './enclave/verify.ts'
export { type Endorsements, mergeEndorsements, NO_ENDORSEMENTS } from './endorsements.ts'
export type { Field, Fields, FieldsOf } from './field-types.ts'
export type { IntelPlatformClaims, TcbShortfall } from './intel/claims.ts'
export { type SgxKbsEvidence, sgxKbsEvidence, type TdxKbsEvidence, tdxKbsEvidence } from './intel/kbs.ts'
export type { SgxQuote, TdxQuote } from './intel/quote.ts'
export type { SgxClaims } from './intel/sgx-claims.ts'
export { describeShortfalls } from './intel/tcb-shortfall.ts'
export type { TdMigrationClaims, TdxClaims } from './intel/tdx-claims.ts'
export { type JsonFault, type JsonLimits, jsonFault } from './json-structure.ts'
export { encodeKbsEvidence, parseKbsEvidence } from './kbs-evidence.ts'
export type { EvidenceKind, VerifyOptions } from './kind.ts'
export {
  type BinaryKind,
  type Claims,
  type ClaimsOf,
  EVIDENCE_KINDS,
  type EvidenceOf,
  KINDS,
  type Kind,
  kindOf,
  type ParsedEvidence,
} from './kinds.ts'
export { nearest } from './nearest.ts'
export { parse } from './parse.ts'
export { type EndorsementSource, readEndorsements, recogniseEndorsements } from './read-endorsements.ts'
export { recognise } from './recognise.ts'
export { REFUSALS, Refusal, type RefusalCode, type RefusalDetail } from './refusal.ts'
export type { SampleClaims } from './sample/claims.ts'
export { type SampleEvidence, type SampleKbsEvidence, sampleKbsEvidence } from './sample/evidence.ts'
export type { Step } from './step.ts'
export { escapeUnfit } from './untrusted-text.ts'
export { type Verified, verify } from './verify.ts'
export type { Certificate } from './x509.ts'
