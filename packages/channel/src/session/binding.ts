// The message that each attested side signs at the beginning of a session. The exporter (RFC 8446, 7.5) is a secret of this very
// session, the role keeps one side's signature from being shown as the other's, the certificates say whose evidence
// is meant, and what both sides demanded is as they sent it. The key signs nothing else, and nothing else begins so.
import { type KeyObject, sign, verify } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { sha256 } from '../sha256.ts'
import type { Hello } from './hello.ts'
import { encodeHello } from './hello.ts'

const EXPORTER_LABEL = 'EXPORTER-casemate-channel-binding'
const EXPORTER_SIZE = 32
const DOMAIN = 'casemate channel binding v1\0'
/** Stands for the certificate of a side that shows none. */
const NO_CERTIFICATE = new Uint8Array(32)

export type Role = 'client' | 'server'

export interface SessionFacts {
  readonly exporter: Uint8Array
  readonly serverCertificate: Uint8Array
  /** Null if the server asks for none. */
  readonly clientCertificate: Uint8Array | null
  readonly clientHello: Hello
  readonly serverHello: Hello
}

export function exporterOf(socket: TLSSocket): Uint8Array {
  // In TLS 1.3 an empty context is the same as none (RFC 8446, 7.5).
  return socket.exportKeyingMaterial(EXPORTER_SIZE, EXPORTER_LABEL, Buffer.alloc(0))
}

/** Of fixed size, so that no two sessions have the same. */
export function bindingMessage(signer: Role, facts: SessionFacts): Uint8Array {
  const { exporter, serverCertificate, clientCertificate, clientHello, serverHello } = facts
  return Buffer.concat([
    Buffer.from(DOMAIN, 'latin1'),
    Buffer.from(signer === 'client' ? 'C' : 'S', 'latin1'),
    encodeHello(clientHello),
    encodeHello(serverHello),
    exporter,
    sha256(serverCertificate),
    clientCertificate === null ? NO_CERTIFICATE : sha256(clientCertificate),
  ])
}

export function signBinding(message: Uint8Array, key: KeyObject): Uint8Array {
  return sign('sha256', message, key)
}

export function verifyBinding(message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  try {
    return verify('sha256', message, key, signature)
  } catch {
    // OpenSSL throws on some signatures that are not even well-formed.
    return false
  }
}
