// Virtual platforms that emit evidence in the real formats, under random roots of their own: never mistaken for real.

export type { AmdFaults } from './amd/authority.ts'
export {
  type AmdEndorsementName,
  type AmdPlatform,
  type AmdPlatformJson,
  type AmdPlatformOptions,
  amdPlatformFromJSON,
  createAmdPlatform,
} from './amd/platform.ts'
export type { SnpReportRequest } from './amd/report.ts'
export type { AmdSettings } from './amd/settings.ts'
export type { SnpProduct } from './amd/structures.ts'
export { type NamedEndorsement, type PublicTrust, readPublicTrust } from './endorsement.ts'
export type { CertificateFault, CrlFault, DocumentFault } from './faults.ts'
export {
  createIntelPlatform,
  type IntelEndorsementName,
  type IntelFaults,
  type IntelPlatform,
  type IntelPlatformJson,
  type IntelPlatformOptions,
  intelPlatformFromJSON,
} from './intel/platform.ts'
export type { QuoteSection, SgxQuoteRequest, TdxQuoteRequest } from './intel/quote.ts'
export {
  CURRENT_CPU_SVN,
  type EnclaveStatus,
  type IntelSettings,
  type LevelStatus,
  type LevelStatuses,
  PREVIOUS_CPU_SVN,
  type PublishedStatus,
  SIMULATED_FMSPC,
} from './intel/settings.ts'
export type { Bytes, FieldValue } from './layout.ts'
export { type Platforms, VENDORS, type VendorName } from './vendors.ts'
