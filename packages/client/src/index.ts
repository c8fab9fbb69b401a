// Client of a broker, for Node and browsers: attest, get a secret, administer, check what one is given.

export type { JsonObject, JsonValue } from '@casemate/ledger'
export {
  type Admin,
  type AdminOptions,
  type Documents,
  type Expected,
  fetchInfo,
  fetchPublic,
  itemsOf,
  openAdmin,
} from './admin.ts'
export {
  type AttestedSession,
  type Attester,
  type AttestOptions,
  attest,
  DEFAULT_ISSUER,
  type GetSecretOptions,
  getSecret,
  type InitData,
  PROTOCOL_VERSION,
  type WorkloadOptions,
} from './attest.ts'
export {
  BrokerRefusal,
  CLIENT_REFUSALS,
  ClientConfigError,
  type ClientRefusalCode,
  Unavailable,
} from './failure.ts'
export { type Fetch, type HttpOptions, isLoopback, MAX_RESPONSE_BYTES, TIMEOUT_MS } from './http.ts'
export { type ProvedRelease, type VerifyReleaseOptions, verifyRelease } from './release.ts'
export { resourcePath } from './secret.ts'
export { generateTeeKey, KEY_TYPES, type KeyType, type TeeKey, type TeePublicKey } from './tee-key.ts'
export { CLOCK_TOLERANCE_S, type TokenClaims } from './token.ts'
export type {
  AdminToken,
  Attestation,
  AttestationFilter,
  AttestationSummary,
  BrokerInfo,
  CreatedToken,
  Explanation,
  KeyDescription,
  LedgerEntry,
  ListedDocument,
  NamedDocument,
  Page,
  PageRequest,
  Recorded,
  ReleaseRule,
  Role,
  SecretMetadata,
  SecretStored,
  Violation,
} from './wire.ts'
