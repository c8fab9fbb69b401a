// TLS from certificate and key files, read again when they change. A pair that does not fit together, as between two
// writes, leaves the old one in service. Connections that are open keep the certificate that they began with.

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { readWithin } from '@casemate/evidence/node'
import { StartError } from '../errors.ts'

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** Of a chain, or of a key; both have some KiB. */
const LIMIT_BYTES = 1024 * 1024

/** Whoever uses the certificate: `https.Server`. */
interface SecureServer {
  setSecureContext(options: SecureContextOptions): void
}

/** TLS 1.2 for guests' older stacks; its suites are Node's defaults, all with forward secrecy. */
const MIN_VERSION = 'TLSv1.2'

/** What a TLS server is made with. */
export interface TlsMaterial extends SecureContextOptions {
  readonly cert: Buffer
  readonly key: Buffer
}

/** @throws {StartError} `tls-invalid`, naming the file */
export function readTls({ certFile, keyFile }: TlsFiles): TlsMaterial {
  const cert = readPart('tlsCertFile', certFile)
  const key = readPart('tlsKeyFile', keyFile)
  check(`tlsCertFile: ${certFile} is not a certificate`, 'want PEM, the server’s certificate first', () =>
    certificateOf(cert),
  )
  // OpenSSL passes over the beginning of another one, and the chain would be served without it.
  if (isCut(cert)) {
    const hint = 'write files whole: under another name, and renamed when they are complete'
    throw new StartError('tls-invalid', `tlsCertFile: ${certFile} ends in the middle of a certificate`, {
      hint,
    })
  }
  check(`tlsKeyFile: ${keyFile} is not a private key`, 'want PEM without a passphrase', () =>
    createPrivateKey(key),
  )
  const material = { cert, key, minVersion: MIN_VERSION } as const
  // OpenSSL refuses a key that is not the certificate's.
  check(
    `${certFile} and ${keyFile} are not a certificate and its key`,
    'want the PEM certificate chain in tlsCertFile, and the private key of its first certificate in tlsKeyFile',
    () => createSecureContext(material),
  )
  return material
}

function readPart(setting: 'tlsCertFile' | 'tlsKeyFile', path: string): Buffer {
  try {
    return readWithin(path, LIMIT_BYTES)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
    throw new StartError('tls-invalid', `${setting}: ${path} cannot be read${code}`, {
      hint: 'is it there, and may the user that the broker runs as read it?',
      cause,
    })
  }
}

function check(message: string, hint: string, read: () => unknown): void {
  try {
    read()
  } catch (cause) {
    throw new StartError('tls-invalid', message, { hint, cause })
  }
}

function certificateOf(cert: Buffer): X509Certificate {
  return new X509Certificate(cert)
}

/** PEM is lines of dashes around base64: after the last of its ends there are none. */
function isCut(cert: Buffer): boolean {
  const text = cert.toString('latin1')
  const [end] = [...text.matchAll(/-----END [A-Z ]+-----/g)].slice(-1)
  return end !== undefined && text.slice(end.index + end[0].length).includes('---')
}

/** What there is to say of a certificate: whose it is, and when it ends. */
export function describeTls({ cert }: TlsMaterial): { readonly subject: string; readonly notAfter: string } {
  const { subject, validToDate } = certificateOf(cert)
  return { subject, notAfter: validToDate.toISOString() }
}

export class TlsReloader {
  readonly #servers: readonly SecureServer[]
  #files: TlsFiles
  #loaded: string

  constructor(servers: readonly SecureServer[], files: TlsFiles, loaded: TlsMaterial) {
    this.#servers = servers
    this.#files = files
    this.#loaded = fingerprint(loaded)
  }

  /** Where the certificate in service is from. */
  get files(): TlsFiles {
    return this.#files
  }

  /**
   * Reads `files`, and serves new connections with what is in them; null where that is what is served already.
   * Compares contents, not times: mounted secrets are swapped by symbolic links.
   * @throws {StartError} `tls-invalid`: then all stays as it was
   */
  reload(files: TlsFiles): TlsMaterial | null {
    const read = readTls(files)
    this.#files = files
    const found = fingerprint(read)
    if (found === this.#loaded) return null
    for (const server of this.#servers) server.setSecureContext(read)
    this.#loaded = found
    return read
  }
}

function fingerprint({ cert, key }: TlsMaterial): string {
  return createHash('sha256').update(cert).update('\n').update(key).digest('hex')
}
