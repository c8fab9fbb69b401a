// Certificates by their octets: one that comes again, in a quote, a bag of endorsements or a header, is the same object,
// so that it is read once, and what signature.ts remembers with it is known wherever it stands.

import { equalBytes } from '#crypto'
import { BoundedMap } from './bounded-map.ts'
import { toHex } from './bytes.ts'
import { type Certificate, parseCertificate } from './x509.ts'

/** In bytes of memory: over 3,000 real certificates of about 6 KiB; a fleet has one per machine, and a few above them. */
const MAX_KEPT_BYTES = 24 * 1024 * 1024
/** The end of a certificate is its signature: enough to find it by, and all of it is then compared. */
const KEY_BYTES = 16
/** What each part of a certificate takes once it is read, measured on Node 26 and rounded up. */
const MEMORY = { object: 1200, perByte: 3, perExtension: 160 } as const

const kept = new BoundedMap<string, Certificate>(MAX_KEPT_BYTES, memoryOf)

/** The memory that a certificate takes, in bytes: one of many tiny extensions takes ten times its DER. */
export function memoryOf({ der, extensions }: Certificate): number {
  return MEMORY.object + MEMORY.perByte * der.length + MEMORY.perExtension * extensions.size
}

/**
 * The certificate that these octets are; they are copied where it is new.
 * @throws {Refusal} as `parseCertificate`
 */
export function knownCertificate(der: Uint8Array): Certificate {
  const key = toHex(der.subarray(-KEY_BYTES))
  const known = kept.get(key)
  if (known !== undefined && equalBytes(known.der, der)) return known
  const certificate = parseCertificate(new Uint8Array(der))
  kept.set(key, certificate)
  return certificate
}
