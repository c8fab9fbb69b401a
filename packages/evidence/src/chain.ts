// Certification paths (RFC 5280, 6) from a leaf to a pinned key: certificates in any order, signatures,
// basicConstraints, keyUsage, windows at `now`, and revocation for every certificate on the path.
// Vendors use no name constraints or policies; an unknown critical extension is therefore refused.

import type { TrustAnchor } from './anchor.ts'
import { equal } from './bytes.ts'
import type { Crl } from './crl.ts'
import { Refusal } from './refusal.ts'
import { isSignedBy, knownFact } from './signature.ts'
import { describeWindow, formatTime } from './steps.ts'
import { distanceTo, nearestFirst, type Window } from './window.ts'
import { type Certificate, describeCertificate, KEY_USAGE, windowOfCertificate } from './x509.ts'

/** Longest path; the vendors' have three certificates. */
const MAX_PATH_LENGTH = 6
/** Most signatures looked at for one path: certificates may come from whoever wants to keep us busy. */
const MAX_PATH_SIGNATURES = 64

/** Which path is right is signatures alone: that is remembered, and every window on it looked at each time. */
const paths = new WeakMap<Certificate, Pick<ChainOptions, 'pool' | 'anchors'> & { readonly path: Path }>()
/** Each leaf keeps its pool: only small ones are worth it. */
const MAX_REMEMBERED_POOL = 64

const HANDLED_CRITICAL_EXTENSIONS = new Set(['2.5.29.15', '2.5.29.19'])

export interface ChainOptions {
  /** Certificates to build with, in any order; trusted for nothing. */
  readonly pool: readonly Certificate[]
  /** Those of one vendor. */
  readonly anchors: readonly TrustAnchor[]
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface VerifiedChain {
  /** Leaf first; ends with the root's certificate, or before it where only its key is known. */
  readonly certificates: readonly Certificate[]
  readonly anchor: TrustAnchor
  /** Milliseconds since 1970: the first notAfter on the path. */
  readonly validUntil: number
}

/**
 * Builds and verifies the path from `leaf` to one of the anchors; revocation is {@link verifyRevocation}'s.
 * @throws {Refusal} `chain-incomplete`, `chain-untrusted`, `certificate-signature-invalid`,
 * `certificate-usage-invalid`, `certificate-expired`, `certificate-not-yet-valid`
 */
export async function verifyChain(leaf: Certificate, options: ChainOptions): Promise<VerifiedChain> {
  const { certificates, anchor } = knownPath(leaf, options) ?? (await searchPath(leaf, options))
  let validUntil = Number.POSITIVE_INFINITY
  certificates.forEach((certificate, index) => {
    verifyUsage(certificate, index)
    verifyWindow(certificate, options.now)
    validUntil = Math.min(validUntil, certificate.notAfter)
  })
  return { certificates, anchor, validUntil }
}

async function searchPath(leaf: Certificate, options: ChainOptions): Promise<Path> {
  const search: Search = { ...options, dead: new Map(), signatures: 0, hadChoice: false }
  const path = await findPath([leaf], search)
  if (!path) throw explainDeadEnd(leaf, search)
  const { pool, anchors } = options
  if (!search.hadChoice && pool.length <= MAX_REMEMBERED_POOL) paths.set(leaf, { path, pool, anchors })
  return path
}

/** The path that was found among the very same certificates, where the time had no say in it. */
function knownPath(leaf: Certificate, { pool, anchors }: ChainOptions): Path | null {
  const known = paths.get(leaf)
  return known && isSame(known.pool, pool) && isSame(known.anchors, anchors) ? known.path : null
}

function isSame(a: readonly object[], b: readonly object[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]))
}

interface Path {
  readonly certificates: readonly Certificate[]
  readonly anchor: TrustAnchor
}

interface Search extends ChainOptions {
  /** Where the search ended, and why: the explanation when nothing is found. */
  readonly dead: Map<Certificate, 'signature' | 'root' | 'issuer'>
  /** Looked at so far. */
  signatures: number
  /** Whether there were several issuers of one name: which of them is taken depends on their windows. */
  hadChoice: boolean
}

/** The certificates between the leaf and the anchor, the leaf among them: the root's own, where it is known, is none. */
export function certificatesBelow({ certificates, anchor }: VerifiedChain): number {
  const last = certificates[certificates.length - 1]
  return last && equal(last.spki, anchor.spki) ? certificates.length - 1 : certificates.length
}

async function findPath(path: readonly Certificate[], search: Search): Promise<Path | null> {
  const last = path[path.length - 1]
  if (!last) return null
  const anchor = search.anchors.find(({ spki }) => equal(spki, last.spki))
  if (anchor) {
    // The key is pinned, but what the certificate says beside it counts only if the key signed that.
    if (await isSignedWithin(search, last, anchor.spki)) return { certificates: path, anchor }
    search.dead.set(last, 'signature')
    return null
  }
  // The same certificate stands in a quote and among the endorsements.
  const named = search.pool.filter(({ subject }) => subject === last.issuer)
  const issuers = named.length > 1 ? [...new Set(named)] : named
  if (issuers.length > 1) search.hadChoice = true
  if (path.length < MAX_PATH_LENGTH) {
    for (const issuer of byWindow(issuers, search.now)) {
      if (path.includes(issuer) || search.dead.has(issuer)) continue
      if (await isSignedWithin(search, last, issuer.spki)) {
        const whole = await findPath([...path, issuer], search)
        if (whole) return whole
      }
    }
  }
  for (const anchor of search.anchors) {
    if (await isSignedWithin(search, last, anchor.spki)) return { certificates: path, anchor }
  }
  search.dead.set(last, deadEnd(last, issuers))
  return null
}

function isSignedWithin(search: Search, signed: Certificate, spki: Uint8Array): boolean | Promise<boolean> {
  search.signatures++
  if (search.signatures <= MAX_PATH_SIGNATURES) return knownFact(signed, spki) ?? isSignedBy(signed, spki)
  throw new Refusal('chain-incomplete', `no path was found in ${MAX_PATH_SIGNATURES} signatures`, {
    hint: 'supply one chain, not every certificate that there is',
  })
}

function deadEnd(last: Certificate, issuers: readonly Certificate[]): 'signature' | 'root' | 'issuer' {
  if (last.issuer === last.subject) return 'root'
  return issuers.length > 0 ? 'signature' : 'issuer'
}

/** Editions of one authority differ in their windows only; the order decides which one is looked at. */
function byWindow(certificates: readonly Certificate[], now: number): readonly Certificate[] {
  return nearestFirst(certificates, windowOfCertificate, now)
}

function explainDeadEnd(leaf: Certificate, search: Search): Refusal {
  const ends = [...search.dead]
  const root = ends.find(([, why]) => why === 'root')?.[0]
  if (root) {
    return new Refusal(
      'chain-untrusted',
      `the chain ends in ${describeCertificate(root)}, which is not pinned`,
      {
        expected: search.anchors.map(({ name }) => name).join(' or ') || 'a trust anchor of this vendor',
        got: root.commonName,
        hint: 'pin another root only if you know who holds its key',
      },
    )
  }
  const unsigned = ends.find(([, why]) => why === 'signature')?.[0]
  if (unsigned) {
    return new Refusal(
      'certificate-signature-invalid',
      `${describeCertificate(unsigned)} is not signed by the issuer that it names`,
    )
  }
  const orphan = ends.find(([, why]) => why === 'issuer')?.[0] ?? leaf
  return new Refusal('chain-incomplete', `the issuer of ${describeCertificate(orphan)} was not found`, {
    hint: 'supply the vendor’s certificate chain with the endorsements',
  })
}

function verifyUsage(certificate: Certificate, index: number): void {
  const fail = (reason: string): never => {
    throw new Refusal('certificate-usage-invalid', `${describeCertificate(certificate)} ${reason}`)
  }
  for (const oid of certificate.criticalExtensions) {
    if (!HANDLED_CRITICAL_EXTENSIONS.has(oid)) fail(`has the unknown critical extension ${oid}`)
  }
  if (index === 0) return
  const { basicConstraints, keyUsage } = certificate
  if (!basicConstraints?.ca) fail('signs a certificate and is not an authority')
  if (keyUsage !== null && !(keyUsage & KEY_USAGE.keyCertSign)) fail('may not sign certificates (keyUsage)')
  // pathLenConstraint counts the authorities between this one and the leaf.
  const pathLength = basicConstraints?.pathLength ?? null
  if (pathLength !== null && index - 1 > pathLength) fail(`allows ${pathLength} authorities below it`)
}

function verifyWindow(certificate: Certificate, now: number): void {
  const { notBefore, notAfter } = certificate
  if (notBefore <= now && now <= notAfter) return
  const window = describeWindow(notBefore, notAfter, now)
  if (now > notAfter) {
    const message = `${describeCertificate(certificate)} expired at ${formatTime(notAfter)}`
    throw new Refusal('certificate-expired', message, window)
  }
  const message = `${describeCertificate(certificate)} is valid from ${formatTime(notBefore)}`
  throw new Refusal('certificate-not-yet-valid', message, window)
}

export interface RevocationOptions {
  /** Certificates that may have signed lists of other authorities of the same name. */
  readonly pool: readonly Certificate[]
  readonly crls: readonly Crl[]
  /** Milliseconds since 1970. */
  readonly now: number
  /** Whether an issuer without a list is refused: Intel publishes one for each of its authorities, AMD for its roots. */
  readonly required: 'every-issuer' | 'where-supplied'
}

/** What `where-supplied` makes of a list outside its window: it vouches for nobody, and revokes all the same. */
const OUTSIDE_WINDOW = 'outside-window'

/** What the lists say of a chain that none of them revokes. */
export interface Revocation {
  /** Milliseconds since 1970: the first nextUpdate of the lists used; Infinity where none was. */
  readonly validUntil: number
  /** The list that was consulted for each certificate of the chain, leaf first; null where there was none. */
  readonly lists: readonly (Crl | null)[]
  /** Whether there were lists that do not cover the time; only where they are not required. */
  readonly hasOutside: boolean
}

/**
 * Consults the newest list of every issuer on the path, for each of its certificates.
 * @throws {Refusal} `crl-missing`, `crl-signature-invalid`, `crl-expired`, `crl-not-yet-valid`,
 * `certificate-usage-invalid`, `certificate-revoked`
 */
export async function verifyRevocation(
  chain: VerifiedChain,
  options: RevocationOptions,
): Promise<Revocation> {
  const lists: (Crl | null)[] = []
  let hasOutside = false
  let validUntil = Number.POSITIVE_INFINITY
  for (const certificate of chain.certificates) {
    // The last certificate is the root's own, or else signed by the pinned key.
    const issuer = chain.certificates[lists.length + 1] ?? null
    const found = await findCrl(certificate, { options, issuer, anchor: chain.anchor })
    const isOutside = found === OUTSIDE_WINDOW
    hasOutside ||= isOutside
    lists.push(isOutside ? null : found)
    if (found !== null && !isOutside) validUntil = Math.min(validUntil, found.nextUpdate)
  }
  return { validUntil, lists, hasOutside }
}

interface CrlSearch {
  readonly options: RevocationOptions
  /** Null where the anchor itself is. */
  readonly issuer: Certificate | null
  readonly anchor: TrustAnchor
}

/** The list that vouches for a certificate. @throws {Refusal} `certificate-revoked`, and where a list is wanted */
async function findCrl(
  certificate: Certificate,
  search: CrlSearch,
): Promise<Crl | typeof OUTSIDE_WINDOW | null> {
  const { options, issuer, anchor } = search
  const issuerKey = issuer?.spki ?? anchor.spki
  const named = options.crls.filter(crl => crl.issuer === certificate.issuer)
  const signed: Crl[] = []
  for (const crl of named) {
    if (knownFact(crl, issuerKey) ?? (await isSignedBy(crl, issuerKey))) signed.push(crl)
  }
  if (signed.length === 0) {
    await refuseUnsigned(certificate, named, options)
    return null
  }
  const keyUsage = issuer?.keyUsage ?? null
  if (issuer && keyUsage !== null && !(keyUsage & KEY_USAGE.cRLSign)) {
    const message = `${describeCertificate(issuer)} may not sign revocation lists (keyUsage)`
    throw new Refusal('certificate-usage-invalid', message)
  }
  return verdictOf(signed, certificate, search)
}

/** What the lists that an issuer signed say of a certificate at that time. */
function verdictOf(
  signed: readonly Crl[],
  certificate: Certificate,
  search: CrlSearch,
): Crl | typeof OUTSIDE_WINDOW {
  const { now, required } = search.options
  const newest = signed.reduce((best, crl) => (isNewer(crl, best, now) ? crl : best))
  const isCurrent = newest.thisUpdate <= now && now <= newest.nextUpdate
  if (!isCurrent && required === 'every-issuer') throw outsideWindow(signed, search)
  // What was revoked once stays revoked: any list of the issuer's says so where the newest does not count.
  const revoking = (isCurrent ? [newest] : signed).find(({ revoked }) => revoked.has(certificate.serial))
  if (revoking !== undefined) throw revokedBy(revoking, certificate)
  return isCurrent ? newest : OUTSIDE_WINDOW
}

function revokedBy({ thisUpdate }: Crl, certificate: Certificate): Refusal {
  return new Refusal('certificate-revoked', `${describeCertificate(certificate)} was revoked by its issuer`, {
    expected: `a serial number that is not in the list of ${formatTime(thisUpdate)}`,
    got: certificate.serial,
  })
}

/** Where no list is the issuer's: one that nobody signed was changed, one of a namesake is as good as none. */
async function refuseUnsigned(
  certificate: Certificate,
  named: readonly Crl[],
  { pool, required }: RevocationOptions,
): Promise<void> {
  for (const crl of named) {
    if (await isSignedByNamesake(crl, pool)) continue
    throw new Refusal(
      'crl-signature-invalid',
      `no revocation list for ${describeCertificate(certificate)} is signed by its issuer`,
    )
  }
  if (required === 'where-supplied') return
  throw new Refusal(
    'crl-missing',
    `no revocation list of the issuer of ${describeCertificate(certificate)}`,
    {
      hint: 'supply the PCK CRL and the root CA CRL with the endorsements',
    },
  )
}

async function isSignedByNamesake(crl: Crl, pool: readonly Certificate[]): Promise<boolean> {
  for (const { subject, spki } of pool) {
    if (subject === crl.issuer && (await isSignedBy(crl, spki))) return true
  }
  return false
}

/** Names the list that is nearest in time, of those that do not cover it: the one that was meant. */
function outsideWindow(signed: readonly Crl[], { options: { now }, issuer, anchor }: CrlSearch): Refusal {
  const issuerName = issuer?.commonName ?? anchor.name
  const outside = signed.filter(it => distanceTo(windowOfCrl(it), now) > 0)
  const [nearest] = nearestFirst(outside, windowOfCrl, now)
  if (nearest === undefined) throw new TypeError('every list covers the time')
  const window = {
    ...describeWindow(nearest.thisUpdate, nearest.nextUpdate, now),
    hint: `supply a list of ${issuerName} that is valid at that time`,
  }
  const which = `the ${signed.length > 1 ? 'nearest ' : ''}revocation list of ${issuerName}`
  if (now > nearest.nextUpdate) {
    return new Refusal('crl-expired', `${which} expired at ${formatTime(nearest.nextUpdate)}`, window)
  }
  return new Refusal('crl-not-yet-valid', `${which} is valid from ${formatTime(nearest.thisUpdate)}`, window)
}

function windowOfCrl({ thisUpdate, nextUpdate }: Crl): Window {
  return { begin: thisUpdate, end: nextUpdate }
}

/** Lists from the future do not count while there is one that has begun; of those, the later is the newer. */
function isNewer(crl: Crl, than: Crl, now: number): boolean {
  const [begun, thanBegun] = [crl.thisUpdate <= now, than.thisUpdate <= now]
  if (begun !== thanBegun) return begun
  return crl.thisUpdate > than.thisUpdate
}
