// Virtual platforms that emit evidence in the real formats, under random roots of their own: never mistaken for real.

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
  type IntelSettings,
  type LevelStatus,
  PREVIOUS_CPU_SVN,
  SIMULATED_FMSPC,
} from './intel/settings.ts'
export type { Bytes, FieldValue } from './layout.ts'
