// Broker: sessions, secrets, policies, tokens, ledger.

export {
  type ConfigSources,
  flagName,
  type ResolvedConfig,
  refuseUnknownVariables,
  resolveConfig,
  variableName,
} from './config/resolve.ts'
export { type BrokerConfig, PASSPHRASE_VARIABLE, SETTINGS, type SettingName } from './config/settings.ts'
export {
  BROKER_ERRORS,
  BrokerError,
  type BrokerErrorCode,
  StartError,
  type StartErrorCode,
} from './errors.ts'
export { createLogger, type Logger } from './http/logging.ts'
export { type OpenBroker, openBroker, type RunningBroker, startBroker } from './lifecycle/broker.ts'
export type { BrokerDeps } from './lifecycle/core.ts'
export { type ProtectedKek, protectKek } from './lifecycle/protect-kek.ts'
export { ROLES, type Role } from './roles.ts'
export type { Beginning } from './store/beginning.ts'
export { prepareDataDirectory } from './store/data-directory.ts'
