// TLS from certificate and key files, read again when they change. A pair that does not fit together, as between two
// writes, leaves the old one in service.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { StartError } from '../errors.ts'

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

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

/** @throws {StartError} `tls-invalid` */
export function readTls({ certFile, keyFile }: TlsFiles): TlsMaterial {
  try {
    const cert = readFileSync(certFile)
    const key = readFileSync(keyFile)
    const options = { cert, key, minVersion: MIN_VERSION } as const
    // OpenSSL refuses a key that is not the certificate's.
    createSecureContext(options)
    return options
  } catch (error) {
    throw new StartError('tls-invalid', `${certFile} and ${keyFile} are not a certificate and its key`, {
      hint: error instanceof Error ? error.message : 'see the cause',
      cause: error,
    })
  }
}

export interface TlsWatch {
  readonly files: TlsFiles
  readonly servers: readonly SecureServer[]
  readonly onReload: () => void
  readonly onError: (error: StartError) => void
}

/** Compares contents, not times: mounted secrets are swapped by symbolic links. */
export class TlsReloader {
  readonly #watch: TlsWatch
  #loaded: string

  constructor(watch: TlsWatch, loaded: TlsMaterial) {
    this.#watch = watch
    this.#loaded = fingerprint(loaded)
  }

  /** Looks once; to be called at an interval. */
  check(): void {
    try {
      const read = readTls(this.#watch.files)
      const found = fingerprint(read)
      if (found === this.#loaded) return
      for (const server of this.#watch.servers) server.setSecureContext(read)
      this.#loaded = found
      this.#watch.onReload()
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      this.#watch.onError(error)
    }
  }
}

function fingerprint({ cert, key }: TlsMaterial): string {
  return createHash('sha256').update(cert).update('\n').update(key).digest('hex')
}
