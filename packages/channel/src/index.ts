// @casemate/channel: attested TLS. Who is at the other end, proved for this session.
export type { AttestationDriver, Quote } from '@casemate/enclave'
export type { CallTarget } from './enclave/call-target.ts'
export { type ConnectEnclaveOptions, connectEnclave, type EnclaveClient } from './enclave/client.ts'
export {
  type EnclaveServer,
  type ServeEnclaveOptions,
  serveEnclave,
} from './enclave/server.ts'
export { DEFAULT_WIRE_LIMITS, ENCLAVE_PROTOCOL, type WireLimits } from './enclave/wire.ts'
export {
  CHANNEL_ERRORS,
  ChannelError,
  type ChannelErrorCode,
  type ChannelErrorDetail,
} from './errors.ts'
export { type AttestedFetch, type FetchOptions, openAttestedFetch } from './http/fetch.ts'
export { HTTP_PROTOCOL, peerOf } from './http/peers.ts'
export { type AttestedServerOptions, createAttestedServer } from './http/server.ts'
export {
  type ChannelIdentity,
  DEFAULT_IDENTITY_LIFETIME_MS,
  type IdentityEvent,
  type IdentityOptions,
  openIdentity,
} from './identity/identity.ts'
export type { Freshness, Peer, PeerDemands } from './peer/demands.ts'
export { type ConnectOptions, connectAttested } from './session/connect.ts'
export type { AttestedConnection } from './session/connection.ts'
export { DEFAULT_HANDSHAKE_TIMEOUT_MS } from './session/establish.ts'
export {
  type AttestedListener,
  DEFAULT_MAX_CONNECTIONS,
  type ListenOptions,
  listenAttested,
} from './session/listen.ts'
export { CHANNEL_PROTOCOL, DEFAULT_KEY_EXCHANGE, HYBRID_GROUP, type KeyExchange } from './session/tls.ts'
