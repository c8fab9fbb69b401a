// Evidence: bytes of any TEE to what they say and who signed them.

export type { TrustAnchor } from './anchor.ts'
export type {
  Claims,
  CommonClaims,
  IntelPlatformClaims,
  Kind,
  SampleClaims,
  SgxClaims,
  SnpClaims,
  SnpTcb,
  TcbStatus,
  TdxClaims,
} from './claims.ts'
export { KINDS, TCB_STATUSES } from './claims.ts'
export { REFUSALS, Refusal, type RefusalCode, type RefusalDetail } from './refusal.ts'
export type { Step } from './step.ts'
