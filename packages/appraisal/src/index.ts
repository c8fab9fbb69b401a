// Appraisal: claims, reference values and policy to an attestation result that explains itself.

export { type AppraisalInput, appraise } from './appraise.ts'
export type { Binding } from './binding.ts'
export { isCodeKnown, leftOpen } from './code-identity.ts'
export { collateralMaxAges, isCollateralTooOld } from './collateral-age.ts'
export { comparesCode } from './compiled-policy.ts'
export { type EarClaims, type EarContext, type EarSubmod, earClaims, TRUSTEE_EAT_PROFILE } from './ear.ts'
export type { CodeKnownBy } from './kinds/kind.ts'
export { NAME_PATTERN } from './names.ts'
export { isPresetName, POLICY_SCHEMA, PRESETS, parsePolicy } from './policy.ts'
export type { AppraisalPolicy } from './policy-fields.ts'
export { type AppraisalConfigCode, AppraisalConfigError, type ConfigProblem } from './problem.ts'
export {
  MAX_WORKLOADS,
  mergeReferenceValues,
  parseReferenceValues,
  REFERENCE_VALUES_SCHEMA,
  type ReferenceValues,
  workloadOf,
} from './reference-values.ts'
export type { AppraisalResult, CheckedExpectation, Violation } from './result.ts'
export { RESULT_FIELDS } from './result-fields.ts'
export { FACETS, type Facet, type TrustStatus, type TrustVector, tierOf } from './trust-vector.ts'
export { openWorkload, type Workload, type WorkloadKind } from './workload-fields.ts'
export type { ClosestReference, Difference } from './workload-index.ts'
