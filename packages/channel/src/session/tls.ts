// TLS as channels use it: 1.3 alone, the hybrid group first, no tickets, no authorities. Whom to trust is not TLS's
// to say here; that the other side holds the key of its certificate is.
import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { ChannelError, type ChannelErrorCode } from '../errors.ts'
import type { Credentials } from '../identity/credentials.ts'

export const HYBRID_GROUP = 'X25519MLKEM768'

/** `hybrid`: nothing else. `hybrid-preferred`: a peer that knows only X25519 is taken; nobody can force two that know more. */
export type KeyExchange = 'hybrid' | 'hybrid-preferred'
export const DEFAULT_KEY_EXCHANGE: KeyExchange = 'hybrid-preferred'

/** A peer that has vanished without a word would keep its place for ever. */
export const KEEP_ALIVE_MS = 30_000

/** Names what is spoken, so that bytes of one protocol are never taken for those of another. */
export const CHANNEL_PROTOCOL = 'casemate-channel/1'

/** Settings of both ends. */
export function tlsSettings(groups: string): SecureContextOptions {
  return {
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ecdhCurve: groups,
    secureOptions: constants.SSL_OP_NO_TICKET,
    // No authorities: nobody's signature on a certificate means anything here.
    ca: [],
  }
}

/** A client offers both, so that it can say what a server lacks; {@link checkSession} then decides. */
export const CLIENT_GROUPS = `${HYBRID_GROUP}:X25519`

/** A server does not learn what was agreed on: it offers only what it accepts. */
export function serverGroups(keyExchange: KeyExchange): string {
  return keyExchange === 'hybrid' ? HYBRID_GROUP : CLIENT_GROUPS
}

const contexts = new WeakMap<Credentials, SecureContext>()
let anonymous: SecureContext | null = null

/** A client's context: making one costs as much as a handshake. Null shows no certificate. */
export function clientContext(credentials: Credentials | null): SecureContext {
  if (credentials === null) return (anonymous ??= createSecureContext(tlsSettings(CLIENT_GROUPS)))
  let context = contexts.get(credentials)
  if (context === undefined) {
    const { certificatePem: cert, keyPem: key } = credentials
    context = createSecureContext({ ...tlsSettings(CLIENT_GROUPS), cert, key })
    contexts.set(credentials, context)
  }
  return context
}

/** @throws {ChannelError} tls-too-old, session-resumed, protocol-mismatch, key-exchange-classical */
export function checkSession(socket: TLSSocket, protocol: string, keyExchange: KeyExchange | null): void {
  const version = socket.getProtocol()
  if (version !== 'TLSv1.3') {
    throw new ChannelError('tls-too-old', 'the session is not TLS 1.3', {
      expected: 'TLSv1.3',
      got: String(version),
    })
  }
  if (socket.isSessionReused()) throw new ChannelError('session-resumed', 'the session continues another one')
  if (socket.alpnProtocol !== protocol) {
    throw new ChannelError('protocol-mismatch', 'the peer does not name the protocol', {
      expected: protocol,
      got: socket.alpnProtocol === false ? 'none' : String(socket.alpnProtocol),
    })
  }
  if (keyExchange !== 'hybrid') return
  const group = groupOf(socket)
  if (group === HYBRID_GROUP) return
  throw new ChannelError('key-exchange-classical', 'the peer agreed on keys without ML-KEM', {
    expected: HYBRID_GROUP,
    got: group,
    hint: 'the peer needs OpenSSL 3.5 or later, or take `keyExchange: "hybrid-preferred"`',
  })
}

function groupOf(socket: TLSSocket): string {
  const info: unknown = socket.getEphemeralKeyInfo()
  const name: unknown = typeof info === 'object' && info !== null && 'name' in info ? info.name : null
  return typeof name === 'string' ? name : 'unknown'
}

/** OpenSSL's reasons that have a code of their own. */
const REASONS: readonly (readonly [RegExp, ChannelErrorCode])[] = [
  [/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION/, 'tls-too-old'],
  [/NO_APPLICATION_PROTOCOL/, 'protocol-mismatch'],
  [/NO_SUITABLE_KEY_SHARE|NO_SUITABLE_GROUPS/, 'key-exchange-classical'],
]

/** The error of a TLS handshake that failed. */
export function tlsFailure(error: Error): ChannelError {
  if (error instanceof ChannelError) return error
  const reason = 'code' in error ? String(error.code) : ''
  const [, code] = REASONS.find(([pattern]) => pattern.test(reason)) ?? [null, tcpCode(reason)]
  // OpenSSL's message is a line of its own log, with places in its source.
  const why = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
  // OpenSSL says this of a record that is none.
  const isTls = !reason.includes('WRONG_VERSION_NUMBER')
  return new ChannelError(code, `the handshake failed: ${why}`, {
    got: reason,
    ...(isTls ? {} : { hint: 'what answers there speaks something else than TLS' }),
    cause: error,
  })
}

function tcpCode(reason: string): ChannelErrorCode {
  if (reason === 'ECONNRESET' || reason === 'EPIPE') return 'connection-lost'
  return reason.startsWith('ERR_SSL') || reason.startsWith('ERR_TLS') ? 'tls-failed' : 'connect-failed'
}
