// Certificate authorities of one's own, for TLS. They are added to the well-known ones and replace none, and hold for the
// whole process: Node's `fetch` knows no others.

import { X509Certificate } from 'node:crypto'
import { Refusal } from '../refusal.ts'

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Where one begins, also one that the file ends in. */
const BEGINNING = /-----BEGIN (?:CERTIFICATE-----|[A-Z]*-*$)/g

const trusted = new Set<string>()

/**
 * Trusts the certificates in `text` from here on; what is connected stays as it was.
 * @throws {Refusal} `certificate-malformed` where there is none, a broken one, or one that does not end
 */
export function trustAuthorities(text: string): void {
  const found = (text.match(PEM) ?? []).map(readable)
  if (found.length !== (text.trimEnd().match(BEGINNING) ?? []).length) {
    throw malformed('a certificate that does not end')
  }
  if (found.length === 0) throw malformed('no certificate in PEM')
  const added = found.filter(pem => !trusted.has(pem))
  if (added.length === 0) return
  // Loaded here: most programs that read evidence connect to nobody, and it costs as much as a start of Node.
  const { getCACertificates, setDefaultCACertificates } = process.getBuiltinModule('node:tls')
  setDefaultCACertificates([...getCACertificates('default'), ...added])
  for (const pem of added) trusted.add(pem)
}

function readable(pem: string): string {
  try {
    return new X509Certificate(pem).toString()
  } catch (cause) {
    throw malformed('a broken certificate', cause)
  }
}

function malformed(got: string, cause?: unknown): Refusal {
  return new Refusal('certificate-malformed', `a file of authorities holds ${got}`, {
    hint: 'want the certificate of your authority: -----BEGIN CERTIFICATE-----',
    cause,
  })
}
