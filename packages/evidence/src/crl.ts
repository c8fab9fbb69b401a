// X.509 certificate revocation lists (RFC 5280, 5): who was revoked by whom, and for which time that is known.
// Indirect and delta lists would need more than a set of serial numbers, and are refused.

import { parseSignatureAlgorithm, type SignatureScheme } from './algorithm.ts'
import { equal, toHex } from './bytes.ts'
import { DerReader, explicitTag, TAG } from './der.ts'
import { Refusal } from './refusal.ts'
import { readExtensions } from './x509.ts'

/** Longest list taken, in bytes; Intel's are under 4 KiB. */
const MAX_CRL_BYTES = 4 * 1024 * 1024

export interface Crl {
  readonly der: Uint8Array
  /** What is signed. */
  readonly tbs: Uint8Array
  /** DER of the Name, as lower-case hex. */
  readonly issuer: string
  /** Milliseconds since 1970; inclusive, as `nextUpdate`. */
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** Serial numbers as lower-case hex, as in `Certificate.serial`. */
  readonly revoked: ReadonlySet<string>
  readonly signatureAlgorithm: SignatureScheme
  readonly signature: Uint8Array
}

/** Extensions that do not change what the list means: authorityKeyIdentifier and cRLNumber. */
const PLAIN_EXTENSIONS = new Set(['2.5.29.35', '2.5.29.20'])
/** 2.5.29, below which extensions are numbered, and the number of certificateIssuer. */
const EXTENSIONS = new Uint8Array([0x55, 0x1d])
const CERTIFICATE_ISSUER = 29

/** Whether a DER SEQUENCE has a list's shape rather than a certificate's: a time follows the issuer's name. */
export function looksLikeCrl(der: Uint8Array): boolean {
  try {
    const body = new DerReader(der, 'crl-malformed', 'CRL').enter(TAG.sequence).enter(TAG.sequence)
    // A certificate's version is tagged; not to throw for each of them is all that this line is for.
    if (body.peek() === explicitTag(0)) return false
    body.optional(TAG.integer)
    body.expect(TAG.sequence)
    body.expect(TAG.sequence)
    return body.peek() === TAG.utcTime || body.peek() === TAG.generalizedTime
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/**
 * Reads one DER CRL.
 * @throws {Refusal} `crl-malformed`; `evidence-unsupported` for a signature algorithm no vendor uses
 */
export function parseCrl(der: Uint8Array): Crl {
  const code = 'crl-malformed'
  if (der.length > MAX_CRL_BYTES) {
    throw new Refusal(code, `CRL: ${der.length} bytes, want at most ${MAX_CRL_BYTES}`)
  }
  const outer = new DerReader(der, code, 'CRL')
  const list = outer.enter(TAG.sequence)
  outer.finish()
  const tbs = list.expect(TAG.sequence)
  const algorithm = list.expect(TAG.sequence)
  const signature = list.bitOctets()
  list.finish()

  const body = list.into(tbs)
  if (body.small() !== 1) body.fail('a version other than 2')
  const innerAlgorithm = body.expect(TAG.sequence)
  const issuer = toHex(body.expect(TAG.sequence).raw)
  const [thisUpdate, nextUpdate] = [body.time(), body.time()]
  const revoked = body.peek() === TAG.sequence ? readRevoked(body.enter(TAG.sequence)) : new Set<string>()
  const extensions = body.optional(explicitTag(0))
  if (extensions) refuseOtherLists(body.into(extensions))
  body.finish()
  if (!equal(innerAlgorithm.raw, algorithm.raw)) body.fail('two different signature algorithms')
  return {
    der,
    tbs: tbs.raw,
    issuer,
    thisUpdate,
    nextUpdate,
    revoked,
    signatureAlgorithm: parseSignatureAlgorithm(algorithm, code),
    signature,
  }
}

function readRevoked(entries: DerReader): Set<string> {
  const revoked = new Set<string>()
  while (!entries.atEnd) {
    const entry = entries.enter(TAG.sequence)
    revoked.add(toHex(entry.unsigned()))
    entry.time()
    if (!entry.atEnd) readEntryExtensions(entry.enter(TAG.sequence))
    entry.finish()
  }
  return revoked
}

/**
 * What an extension says of an entry is left alone, so that none may be critical (RFC 5280, 5.3); certificateIssuer makes the
 * list an indirect one, critical or not. Nothing of them is kept, as {@link readExtensions} does: lists have many entries.
 */
function readEntryExtensions(extensions: DerReader): void {
  while (!extensions.atEnd) {
    const extension = extensions.enter(TAG.sequence)
    if (extension.arcBelow(EXTENSIONS) === CERTIFICATE_ISSUER) extension.fail('an indirect list')
    if (extension.peek() === TAG.boolean && extension.boolean())
      extension.fail('an entry with a critical extension')
    extension.expect(TAG.octetString)
    extension.finish()
  }
}

function refuseOtherLists(reader: DerReader): void {
  const { criticalExtensions } = readExtensions(reader)
  for (const oid of criticalExtensions) {
    if (!PLAIN_EXTENSIONS.has(oid)) reader.fail(`critical extension ${oid}`)
  }
}
