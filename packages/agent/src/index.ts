// @casemate/agent: a workload's standing with its broker - attested, its secrets held under a lease, its command
// supervised, the guest APIs served.

export {
  type CommandApi,
  type OpenedAgent,
  type RunOptions,
  runUnderLease,
} from './command/run.ts'
export { CHANGE_POLICIES, type Outcome, type WantedSecret } from './command/supervisor.ts'
export {
  ENCLAVE_CHANGE_POLICIES,
  EnclaveService,
  type EnclaveServiceOptions,
} from './enclave/enclave-service.ts'
export type { Secrets } from './enclave/enclave-turn.ts'
export { AGENT_ERRORS, AgentError, type AgentErrorCode } from './errors.ts'
export { type Allowed, allowedBy, isSecretPath, isSecretPattern } from './guest/allowed-paths.ts'
export {
  CLIENTS,
  type Clients,
  GUEST_PORT,
  type GuestApi,
  type GuestApiOptions,
  serveGuestApi,
} from './guest/guest-api.ts'
export { FEATURES, type Feature, type GuestRoutes } from './guest/guest-routes.ts'
export { type GuestToken, GuestTokens } from './guest/guest-tokens.ts'
export { keepMemoryPrivate } from './private-memory.ts'
export { type Agent, type AgentEvent, type AgentOptions, openAgent } from './standing/agent.ts'
export { type Clock, type Moment, SYSTEM_CLOCK } from './standing/clock.ts'
export { spanOf, tellerOn } from './standing/event-line.ts'
export { KnownSecrets } from './standing/known-secrets.ts'
export {
  LEASE_END_POLICIES,
  type LeaseEnd,
  type LeaseEndChoice,
  type LeaseEndPolicy,
  STOPPED_EXIT_CODE,
} from './standing/lease-end.ts'
