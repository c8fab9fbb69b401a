// X.509 certificates (RFC 5280) as Intel and AMD issue them: version 3, one signature algorithm of algorithm.ts,
// every element accounted for. Parsing decides shape only; chain.ts decides trust.

import { parseSignatureAlgorithm, type SignatureScheme } from './algorithm.ts'
import { BoundedMap } from './bounded-map.ts'
import { decodeUtf8, equal, fromSpacedBase64, toHex } from './bytes.ts'
import { DerReader, explicitTag, TAG } from './der.ts'
import { Refusal, type RefusalCode } from './refusal.ts'
import type { Window } from './window.ts'

/** Longest certificate taken, in bytes; the vendors' are under 2 KiB. */
export const MAX_CERTIFICATE_BYTES = 16 * 1024
/** Most PEM blocks taken from one text. */
const MAX_PEM_BLOCKS = 64
const DASH = 0x2d
/** In bytes of memory: over 500 names like those of vendors, which are a dozen, of under 150 octets. */
const MAX_NAME_BYTES = 512 * 1024
/** What a name takes beside its texts, rounded up. */
const NAME_BYTES = 200

/** Bits of the keyUsage extension (RFC 5280, 4.2.1.3), as they stand in its first octet. */
export const KEY_USAGE = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 } as const

export interface Certificate {
  readonly der: Uint8Array
  /** What is signed. */
  readonly tbs: Uint8Array
  /** Lower-case hex without leading zeros' sign octet, as CRLs are searched by it. */
  readonly serial: string
  /** DER of the Name, as lower-case hex: names are the same when their bytes are. */
  readonly issuer: string
  readonly subject: string
  /** For messages and for the roles that vendors give by name; '' where there is none. */
  readonly commonName: string
  /** Milliseconds since 1970; inclusive, as `notAfter`. */
  readonly notBefore: number
  readonly notAfter: number
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly signatureAlgorithm: SignatureScheme
  readonly signature: Uint8Array
  /** Value octets by dotted OID. */
  readonly extensions: ReadonlyMap<string, Uint8Array>
  readonly criticalExtensions: ReadonlySet<string>
  /** Null where the certificate has no basicConstraints extension. */
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | null } | null
  /** First octet of keyUsage; null where the certificate has no such extension. */
  readonly keyUsage: number | null
}

/** DirectoryString (RFC 5280, 4.1.2.4) without what it forbids to new certificates, and IA5String for mail. */
const STRING_TAGS: ReadonlySet<number> = new Set([TAG.utf8String, TAG.printableString, TAG.ia5String])
/** 2.5.4, below which X.520 numbers attributes, and the number of commonName. */
const ATTRIBUTE_TYPES = new Uint8Array([0x55, 0x04])
const COMMON_NAME = 3
const OID_KEY_USAGE = '2.5.29.15'
const OID_BASIC_CONSTRAINTS = '2.5.29.19'

/**
 * Reads one DER certificate.
 * @throws {Refusal} `certificate-malformed`; `evidence-unsupported` for a signature algorithm no vendor uses
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const code = 'certificate-malformed'
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new Refusal(code, `certificate: ${der.length} bytes, want at most ${MAX_CERTIFICATE_BYTES}`)
  }
  const outer = new DerReader(der, code, 'certificate')
  const certificate = outer.enter(TAG.sequence)
  outer.finish()
  const tbs = certificate.expect(TAG.sequence)
  const algorithm = certificate.expect(TAG.sequence)
  const signature = certificate.bitOctets()
  certificate.finish()

  const body = certificate.into(tbs)
  const version = body.enter(explicitTag(0))
  if (version.small() !== 2) body.fail('a version other than 3')
  version.finish()
  const serial = toHex(body.unsigned())
  const innerAlgorithm = body.expect(TAG.sequence)
  const issuer = knownName(body)
  const validity = body.enter(TAG.sequence)
  const [notBefore, notAfter] = [validity.time(), validity.time()]
  validity.finish()
  const subject = knownName(body)
  const spki = readPublicKey(body)
  const { extensions, criticalExtensions } = readExtensions(body.enter(explicitTag(3)))
  body.finish()
  if (!equal(innerAlgorithm.raw, algorithm.raw)) body.fail('two different signature algorithms')

  return {
    der,
    tbs: tbs.raw,
    serial,
    issuer: issuer.octets,
    subject: subject.octets,
    commonName: subject.commonName,
    notBefore,
    notAfter,
    spki,
    signatureAlgorithm: parseSignatureAlgorithm(algorithm, code),
    signature,
    extensions,
    criticalExtensions,
    basicConstraints: readBasicConstraints(extensions.get(OID_BASIC_CONSTRAINTS)),
    keyUsage: readKeyUsage(extensions.get(OID_KEY_USAGE)),
  }
}

export function windowOfCertificate({ notBefore, notAfter }: Certificate): Window {
  return { begin: notBefore, end: notAfter }
}

/** `name (serial 0x…)`, for steps and messages. */
export function describeCertificate(certificate: Certificate): string {
  return `${certificate.commonName || 'unnamed certificate'} (serial 0x${certificate.serial})`
}

/** Extensions of a certificate or CRL; the reader stands before the SEQUENCE of them. */
export function readExtensions(reader: DerReader): {
  readonly extensions: Map<string, Uint8Array>
  readonly criticalExtensions: Set<string>
} {
  const extensions = new Map<string, Uint8Array>()
  const criticalExtensions = new Set<string>()
  const list = reader.enter(TAG.sequence)
  reader.finish()
  while (!list.atEnd) {
    const extension = list.enter(TAG.sequence)
    const oid = extension.oid()
    if (extensions.has(oid)) extension.fail(`extension ${oid} twice`)
    if (extension.peek() === TAG.boolean && extension.boolean()) criticalExtensions.add(oid)
    extensions.set(oid, extension.octets(TAG.octetString))
    extension.finish()
  }
  return { extensions, criticalExtensions }
}

/** One block of a PEM text. */
export interface PemBlock {
  readonly label: string
  readonly der: Uint8Array
}

/**
 * Reads every PEM block of a text (RFC 7468); explanatory text between blocks is skipped, as OpenSSL writes it.
 * @throws {Refusal} the given code, when a block does not end or is not base64
 */
export function readPem(text: string, code: RefusalCode = 'certificate-malformed'): readonly PemBlock[] {
  const blocks: PemBlock[] = []
  const begin = /-----BEGIN ([A-Z0-9 ]{1,40})-----/g
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const label = match[1] ?? ''
    const end = `-----END ${label}-----`
    const stop = text.indexOf(end, begin.lastIndex)
    const der = stop < 0 ? null : fromSpacedBase64(text.slice(begin.lastIndex, stop))
    if (!der) throw new Refusal(code, `PEM block ${blocks.length + 1} (${label}) has no end or is not base64`)
    if (blocks.length === MAX_PEM_BLOCKS) {
      throw new Refusal(code, `more than ${MAX_PEM_BLOCKS} PEM blocks`)
    }
    blocks.push({ label, der })
    begin.lastIndex = stop + end.length
  }
  return blocks
}

/** Whether bytes are a text of PEM blocks, by the first dash; DER begins otherwise. */
export function looksLikePem(bytes: Uint8Array): boolean {
  return bytes[0] === DASH
}

/**
 * The certificates among the blocks of a PEM text, in DER.
 * @throws {Refusal} as {@link readPem}
 */
export function readPemCertificates(bytes: Uint8Array, code?: RefusalCode): readonly Uint8Array[] {
  const blocks = readPem(decodeUtf8(bytes) ?? '', code)
  return blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ der }) => der)
}

/** Whether octets are a SubjectPublicKeyInfo as it stands in a certificate here: a key has no other form. */
export function isPublicKeyInfo(octets: Uint8Array): boolean {
  const reader = new DerReader(octets, 'certificate-malformed', 'public key')
  try {
    readPublicKey(reader)
    return reader.atEnd
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/** The octets of a SubjectPublicKeyInfo of any algorithm. */
function readPublicKey(body: DerReader): Uint8Array {
  const spki = body.expect(TAG.sequence)
  const fields = body.into(spki)
  const algorithm = fields.enter(TAG.sequence)
  algorithm.oid()
  if (!algorithm.atEnd) algorithm.next()
  algorithm.finish()
  fields.bitOctets()
  fields.finish()
  return spki.raw
}

function isPrintable(octets: Uint8Array): boolean {
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] ?? 0
    if (octet < 0x20 || octet >= 0x7f) return false
  }
  return true
}

/** A Name that was found in order. */
interface Name {
  /** In hex. */
  readonly octets: string
  readonly commonName: string
}

/** All machines' certificates have the same two names: they are read, and kept, once. */
const names = new BoundedMap<string, Name>(
  MAX_NAME_BYTES,
  ({ octets, commonName }) => NAME_BYTES + octets.length + commonName.length,
)

function knownName(body: DerReader): Name {
  const element = body.expect(TAG.sequence)
  const octets = toHex(element.raw)
  const known = names.get(octets)
  if (known !== undefined) return known
  const name = { octets, commonName: readName(body.into(element)) }
  names.set(octets, name)
  return name
}

/** Checks a Name throughout, and picks its common name. */
function readName(name: DerReader): string {
  let commonName: Uint8Array | null = null
  while (!name.atEnd) {
    const relative = name.enter(TAG.set)
    while (!relative.atEnd) {
      const attribute = relative.enter(TAG.sequence)
      const type = attribute.arcBelow(ATTRIBUTE_TYPES)
      const tag = attribute.peek()
      const value = attribute.octets(tag)
      if (!STRING_TAGS.has(tag) || !isPrintable(value)) attribute.fail('a name that is not printable ASCII')
      attribute.finish()
      if (type === COMMON_NAME) commonName = value
    }
  }
  return commonName === null ? '' : String.fromCharCode(...commonName)
}

function readBasicConstraints(value: Uint8Array | undefined): Certificate['basicConstraints'] {
  if (!value) return null
  const outer = new DerReader(value, 'certificate-malformed', 'basicConstraints')
  const constraints = outer.enter(TAG.sequence)
  outer.finish()
  const ca = constraints.peek() === TAG.boolean ? constraints.boolean() : false
  const pathLength = constraints.atEnd ? null : constraints.small()
  constraints.finish()
  return { ca, pathLength }
}

function readKeyUsage(value: Uint8Array | undefined): number | null {
  if (!value) return null
  const outer = new DerReader(value, 'certificate-malformed', 'keyUsage')
  const { contents } = outer.expect(TAG.bitString)
  outer.finish()
  const [unused, first] = contents
  if (unused === undefined || unused > 7 || first === undefined || contents.length > 3) {
    return outer.fail('not a keyUsage')
  }
  return first
}
