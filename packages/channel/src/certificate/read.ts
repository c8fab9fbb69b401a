// A peer's certificate is read for its key, its window and its extensions. Who signed it does not matter: TLS has
// proved that the peer holds the key, and the evidence speaks for the key. So certificates of other makes, with
// whatever algorithm they signed themselves, can be read.
import type { X509Certificate } from 'node:crypto'
import { Refusal } from '@casemate/evidence'
import { DerReader, explicitTag, readExtensions, TAG } from '@casemate/evidence/asn1'
import { equal } from '@casemate/evidence/bytes'
import { ChannelError } from '../errors.ts'

/** A certificate table of the largest size that hosts use, twice encoded, and room. */
const MAX_CERTIFICATE = 96 * 1024

/** keyUsage and basicConstraints, which say nothing that matters here; any other critical one would have to be known. */
const KNOWN_CRITICAL: ReadonlySet<string> = new Set(['2.5.29.15', '2.5.29.19'])

export interface PeerCertificate {
  /** DER SubjectPublicKeyInfo: the same key that TLS has checked the handshake with. */
  readonly spki: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  /** Value octets by dotted OID. */
  readonly extensions: ReadonlyMap<string, Uint8Array>
}

/**
 * @param tls the peer's certificate as TLS has it, from the socket. `new X509Certificate(der)` would not do: it looks for
 * PEM first, anywhere in the bytes, and a quote holds a chain in PEM.
 * @throws {ChannelError} certificate-malformed
 */
export function readPeerCertificate(tls: Pick<X509Certificate, 'raw' | 'publicKey'>): PeerCertificate {
  const certificate = readCertificate(tls.raw)
  // The evidence is to speak for the key that TLS has checked: that two readers agree on it is not taken for granted.
  if (equal(certificate.spki, tls.publicKey.export({ type: 'spki', format: 'der' }))) return certificate
  throw malformed('TLS reads another key from it')
}

/** @throws {ChannelError} certificate-malformed */
export function readCertificate(der: Uint8Array): PeerCertificate {
  try {
    return read(der)
  } catch (cause) {
    if (cause instanceof Refusal) throw malformed(cause.message, cause)
    throw cause
  }
}

function read(der: Uint8Array): PeerCertificate {
  if (der.length > MAX_CERTIFICATE) throw malformed(`it has more than ${MAX_CERTIFICATE} bytes`)
  const outer = new DerReader(der, 'certificate-malformed', 'certificate')
  const certificate = outer.enter(TAG.sequence)
  outer.finish()
  const body = certificate.enter(TAG.sequence)
  certificate.expect(TAG.sequence)
  certificate.expect(TAG.bitString)
  certificate.finish()
  const version = body.enter(explicitTag(0))
  if (version.small() !== 2) body.fail('a version other than 3')
  version.finish()
  body.unsigned()
  body.expect(TAG.sequence)
  body.expect(TAG.sequence)
  const validity = body.enter(TAG.sequence)
  const [notBefore, notAfter] = [new Date(validity.time()), new Date(validity.time())]
  validity.finish()
  body.expect(TAG.sequence)
  const spki = body.expect(TAG.sequence).raw
  const { extensions, criticalExtensions } = readExtensions(body.enter(explicitTag(3)))
  body.finish()
  const unknown = [...criticalExtensions].find(oid => !KNOWN_CRITICAL.has(oid))
  if (unknown !== undefined) throw malformed(`the critical extension ${unknown} is not known here`)
  return { spki, notBefore, notAfter, extensions }
}

function malformed(why: string, cause?: unknown): ChannelError {
  return new ChannelError('certificate-malformed', `the certificate cannot be read: ${why}`, { cause })
}
