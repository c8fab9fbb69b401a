// Changes one element of a certificate and signs it again with a key of a test's choice: a certificate that is right
// in everything but one.

import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { concat } from '../src/bytes.ts'
import { DerReader, explicitTag, TAG } from '../src/der.ts'

/** Elements of a TBSCertificate, as octets with their tag. */
export interface TbsParts {
  readonly serial: Uint8Array
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly spki: Uint8Array
  /** The list of extensions without its explicit tag. */
  readonly extensions: Uint8Array
}

/** From base64 PKCS #8. */
export function privateKey(pkcs8: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), type: 'pkcs8', format: 'der' })
}

export function readParts(
  der: Uint8Array,
): TbsParts & { version: Uint8Array; algorithm: Uint8Array; validity: Uint8Array } {
  const tbs = new DerReader(der, 'certificate-malformed', 'test').enter(TAG.sequence).enter(TAG.sequence)
  const [version, serial, algorithm, issuer] = [
    tbs.next().raw,
    tbs.next().raw,
    tbs.next().raw,
    tbs.next().raw,
  ]
  const [validity, subject, spki] = [tbs.next().raw, tbs.next().raw, tbs.next().raw]
  const extensions = tbs.enter(explicitTag(3)).next().raw
  return { version, serial, algorithm, issuer, validity, subject, spki, extensions }
}

/** The certificate with some elements replaced, signed by `key`. */
export function reissue(der: Uint8Array, key: KeyObject, changes: Partial<TbsParts> = {}): Uint8Array {
  const parts = { ...readParts(der), ...changes }
  const tbs = element(
    TAG.sequence,
    parts.version,
    parts.serial,
    parts.algorithm,
    parts.issuer,
    parts.validity,
    parts.subject,
    parts.spki,
    element(explicitTag(3), parts.extensions),
  )
  const signature = element(TAG.bitString, new Uint8Array([0]), sign('sha256', tbs, key))
  return element(TAG.sequence, tbs, parts.algorithm, signature)
}

/** One DER element. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = concat(...parts)
  const { length } = contents
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return concat(new Uint8Array([tag, ...head]), contents)
}

/** The extensions of an authority, or of an end entity where `ca` is false. */
export function constraints(options: {
  readonly ca: boolean
  readonly pathLength?: number
  /** First octet of keyUsage. */
  readonly keyUsage: number
}): Uint8Array {
  const flag = options.ca ? [new Uint8Array([1, 1, 0xff])] : []
  const pathLength =
    options.pathLength === undefined ? [] : [new Uint8Array([TAG.integer, 1, options.pathLength])]
  return element(
    TAG.sequence,
    extension([0x55, 0x1d, 0x13], element(TAG.sequence, ...flag, ...pathLength)),
    extension([0x55, 0x1d, 0x0f], new Uint8Array([TAG.bitString, 2, 0, options.keyUsage])),
  )
}

function extension(oid: readonly number[], value: Uint8Array): Uint8Array {
  const critical = new Uint8Array([1, 1, 0xff])
  return element(
    TAG.sequence,
    element(TAG.oid, new Uint8Array(oid)),
    critical,
    element(TAG.octetString, value),
  )
}
