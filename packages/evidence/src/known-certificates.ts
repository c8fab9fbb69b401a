// Certificates by their octets: one that comes again, in a quote, a bag of endorsements or a header, is the same object,
// so that it is read once, and what signature.ts remembers with it is known wherever it stands.

import { equalBytes } from '#crypto'
import { BoundedMap } from './bounded-map.ts'
import { latin1 } from './bytes.ts'
import { type Certificate, parseCertificate } from './x509.ts'

/** A real one has 1 to 2 KiB; larger ones are read anew each time, so that what is kept is bounded. */
const MAX_KEPT_BYTES = 4096
/** About 5 KiB each; a fleet has one per machine, and a few above them. */
const MAX_KEPT = 4096
/** The end of a certificate is its signature: enough to find it by, and all of it is then compared. */
const KEY_BYTES = 16

const kept = new BoundedMap<string, Certificate>(MAX_KEPT)

/**
 * The certificate that these octets are; they are copied where it is new.
 * @throws {Refusal} as `parseCertificate`
 */
export function knownCertificate(der: Uint8Array): Certificate {
  const key = latin1(der.subarray(-KEY_BYTES))
  const known = kept.get(key)
  if (known !== undefined && equalBytes(known.der, der)) return known
  const certificate = parseCertificate(new Uint8Array(der))
  if (der.length <= MAX_KEPT_BYTES) kept.set(key, certificate)
  return certificate
}
