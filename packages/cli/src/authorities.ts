// Certificate authorities of one's own, for the broker's TLS. They are added to the well-known ones and replace none,
// and hold for the whole process: a command speaks to one broker.

import { X509Certificate } from 'node:crypto'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { CliError } from './failure.ts'
import { readBytes } from './files.ts'

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Trusts what the file holds, from here on. @throws {CliError} file-not-readable, file-malformed */
export function trustAuthorities(path: string): void {
  const certificates = new TextDecoder().decode(readBytes(path)).match(PEM) ?? []
  if (certificates.length === 0) throw malformed(path)
  setDefaultCACertificates([...getCACertificates('default'), ...certificates.map(pem => checked(pem, path))])
}

function checked(pem: string, path: string): string {
  try {
    return new X509Certificate(pem).toString()
  } catch (cause) {
    throw malformed(path, cause)
  }
}

function malformed(path: string, cause?: unknown): CliError {
  return new CliError('file-malformed', `${path} holds no certificate in PEM, or a broken one`, {
    hint: '--ca-file and CASEMATE_CA_FILE name the certificate of your authority: -----BEGIN CERTIFICATE-----',
    cause,
  })
}
