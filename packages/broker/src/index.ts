// Broker: sessions, secrets, policies, tokens, ledger.

export { BROKER_ERRORS, BrokerError, type BrokerErrorCode, StartError, type StartErrorCode } from './errors.ts'
