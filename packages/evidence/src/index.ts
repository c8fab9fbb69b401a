// Evidence: bytes of any TEE to what they say and who signed them.

export { encodeCertTable, parseCertTable, type SnpCertificate } from './amd/cert-table.ts'
export type { SnpEvidence } from './amd/evidence.ts'
export { isLeafPublished } from './amd/verify.ts'
export type { TrustAnchor } from './anchor.ts'
export { VENDOR_ANCHORS } from './anchors.ts'
export { BoundedMap } from './bounded-map.ts'
export { type CertificateFaultCode, certificateFault, systemCode } from './certificate-fault.ts'
export { CLAIM_FIELDS, type Field, type Fields, type FieldsOf } from './claim-fields.ts'
export type {
  Claims,
  CollateralClaims,
  CommonClaims,
  EnclaveClaims,
  IntelPlatformClaims,
  Kind,
  SampleClaims,
  SgxClaims,
  SnpClaims,
  SnpTcb,
  TcbShortfall,
  TcbStatus,
  TdMigrationClaims,
  TdxClaims,
} from './claims.ts'
export { KINDS, TCB_STATUSES } from './claims.ts'
export type { Crl } from './crl.ts'
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
export {
  type EndorsementSource,
  type Endorsements,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  readEndorsements,
  recogniseEndorsements,
} from './endorsements.ts'
export type { EnclaveIdentity } from './intel/enclave-identity.ts'
export type { SgxQuote, TdxQuote } from './intel/quote.ts'
export type { TcbEvaluationNumbers } from './intel/tcb-evaluation.ts'
export type { TcbInfo } from './intel/tcb-info.ts'
export { describeShortfalls } from './intel/tcb-shortfall.ts'
export { type JsonFault, type JsonLimits, jsonFault } from './json-structure.ts'
export {
  type SampleKbsEvidence,
  type SgxKbsEvidence,
  type SnpKbsEvidence,
  sampleKbsEvidence,
  sgxKbsEvidence,
  snpKbsEvidence,
  type TdxKbsEvidence,
  tdxKbsEvidence,
} from './amd/kbs.ts'
export { parseKbsEvidence } from './kbs-evidence.ts'
export { nearest } from './nearest.ts'
export { type ParsedEvidence, parse } from './parse.ts'
export { recognise } from './recognise.ts'
export { REFUSALS, Refusal, type RefusalCode, type RefusalDetail } from './refusal.ts'
export type { SampleEvidence } from './sample/evidence.ts'
export type { Step } from './step.ts'
export { escapeUnfit } from './untrusted-text.ts'
export { type Verified, type VerifyOptions, verify } from './verify.ts'
export type { Certificate } from './x509.ts'
