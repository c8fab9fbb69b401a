// The certificates that one verification may use: those that came with the evidence, those of the endorsements, and
// AMD’s published authorities. What was read of one is kept, so that the same certificate in the next piece of
// evidence is the same object, for which signature.ts remembers who signed it.

import { equalBytes } from '#crypto'
import { BoundedMap } from '../bounded-map.ts'
import { decodeUtf8, toHex } from '../bytes.ts'
import { knownCertificate, memoryOf } from '../known-certificates.ts'
import { Refusal } from '../refusal.ts'
import { type Certificate, looksLikePem, parseCertificate, readPem } from '../x509.ts'
import type { SnpEvidence } from './evidence.ts'
import { leafKind, readLeaf, type SnpLeaf } from './leaf.ts'
import { SNP_PRODUCTS } from './product.ts'
import { PUBLISHED_CHAINS } from './published-chains.ts'

/** A VCEK with what its extensions say. */
export interface LeafCertificate {
  readonly certificate: Certificate
  readonly leaf: SnpLeaf
}

interface Kept {
  readonly sent: Uint8Array
  readonly certificate: Certificate
}

/** In bytes of memory: over 1,000 VCEKs of about 8 KiB; a broker sees one per machine and TCB. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024
const kept = new BoundedMap<string, Kept>(
  MAX_KEPT_BYTES,
  ({ sent, certificate }) => sent.length + memoryOf(certificate),
)
const KEY_SIZE = 64
const leaves = new WeakMap<Certificate, SnpLeaf>()

let published: readonly Certificate[] | undefined

/**
 * Every certificate to build a chain with, those that came with the evidence first.
 * @throws {Refusal} `certificate-malformed` for one that came with the evidence
 */
export function certificatePool(
  evidence: SnpEvidence,
  endorsed: readonly Certificate[],
): readonly Certificate[] {
  const sent = evidence.certificates.filter(({ type }) => type !== 'CRL').map(({ bytes }) => keep(bytes))
  published ??= SNP_PRODUCTS.flatMap(product => {
    const { ark, ask, asvk } = PUBLISHED_CHAINS[product]
    return [ask, asvk, ark].map(der => parseCertificate(der))
  })
  return [...sent, ...endorsed, ...published]
}

/** The VCEKs and VLEKs of a pool; the first that cannot be read is thrown only where no other can. */
export function leafCertificates(pool: readonly Certificate[]): readonly LeafCertificate[] {
  const found: LeafCertificate[] = []
  let unreadable: Refusal | null = null
  for (const certificate of pool) {
    if (leafKind(certificate) === null) continue
    try {
      found.push({ certificate, leaf: keepLeaf(certificate) })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      unreadable ??= error
    }
  }
  if (found.length === 0 && unreadable !== null) throw unreadable
  return found
}

// The end of a certificate is its signature: enough to find it by, and all of it is then compared.
function keep(bytes: Uint8Array): Certificate {
  const key = toHex(bytes.subarray(-KEY_SIZE))
  const known = kept.get(key)
  if (known !== undefined && equalBytes(known.sent, bytes)) return known.certificate
  const certificate = knownCertificate(looksLikePem(bytes) ? derOfPem(bytes) : bytes)
  kept.set(key, { sent: new Uint8Array(bytes), certificate })
  return certificate
}

function derOfPem(bytes: Uint8Array): Uint8Array {
  const [block, second] = readPem(decodeUtf8(bytes) ?? '')
  if (block === undefined || second !== undefined) {
    throw new Refusal('certificate-malformed', 'a certificate table entry is not one certificate')
  }
  return block.der
}

function keepLeaf(certificate: Certificate): SnpLeaf {
  let leaf = leaves.get(certificate)
  if (leaf === undefined) {
    leaf = readLeaf(certificate)
    leaves.set(certificate, leaf)
  }
  return leaf
}
