// The OpenSSL command line as an independent reader of certificates and revocation lists.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toPem } from '../src/x509.ts'

/** Why there is no OpenSSL to ask, or false if there is. */
export function opensslMissing(): string | false {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' })
    return false
  } catch {
    return 'no openssl command here'
  }
}

export interface Chain {
  readonly root: Uint8Array
  readonly intermediates: readonly Uint8Array[]
  readonly leaf: Uint8Array
  readonly crls: readonly Uint8Array[]
  readonly at: Date
  /** With OpenSSL’s stricter checks of RFC 5280; AMD’s own leaves do not pass them. */
  readonly strict: boolean
}

/** `openssl verify`; throws with OpenSSL’s words where the chain does not hold. Consults CRLs where any are given. */
export function opensslVerify({ root, intermediates, leaf, crls, at, strict }: Chain): void {
  withFiles(
    {
      'root.pem': toPem(root),
      'intermediates.pem': intermediates.map(toPem).join(''),
      'leaf.pem': toPem(leaf),
      'crls.pem': crls.map(crlPem).join(''),
    },
    file => {
      const options = ['-attime', String(at.getTime() / 1000), '-CAfile', file('root.pem')]
      if (strict) options.push('-x509_strict')
      if (crls.length > 0) options.push('-crl_check_all', '-CRLfile', file('crls.pem'))
      if (intermediates.length > 0) options.push('-untrusted', file('intermediates.pem'))
      openssl(['verify', ...options, file('leaf.pem')])
    },
  )
}

/** `openssl crl -text`. */
export function opensslCrlText(crl: Uint8Array): string {
  return withFiles({ 'crl.der': crl }, file =>
    openssl(['crl', '-inform', 'der', '-noout', '-text', '-in', file('crl.der')]),
  )
}

/** `openssl x509 -text`. */
export function opensslCertificateText(certificate: Uint8Array): string {
  return withFiles({ 'certificate.der': certificate }, file =>
    openssl(['x509', '-inform', 'der', '-noout', '-text', '-in', file('certificate.der')]),
  )
}

function openssl(args: readonly string[]): string {
  return execFileSync('openssl', args, { stdio: 'pipe', encoding: 'utf8' })
}

function crlPem(crl: Uint8Array): string {
  return toPem(crl).replaceAll('CERTIFICATE', 'X509 CRL')
}

function withFiles<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (file: (name: string) => string) => T,
): T {
  const directory = mkdtempSync(join(tmpdir(), 'casemate-simulator-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
    return use(name => join(directory, name))
  } finally {
    rmSync(directory, { recursive: true })
  }
}
