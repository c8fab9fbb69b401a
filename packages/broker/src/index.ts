// Broker: sessions, secrets, policies, tokens, ledger.

export { ROLES, type Role } from './admin/roles.ts'
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
export {
  type BrokerDeps,
  type OpenBroker,
  openBroker,
  type RunningBroker,
  startBroker,
} from './server/broker.ts'
export { createLogger, type Logger } from './server/logging.ts'
export { type ProtectedKek, protectKek } from './server/protect-kek.ts'
export type { Beginning } from './store/beginning.ts'
export { prepareDataDirectory } from './store/data-directory.ts'
