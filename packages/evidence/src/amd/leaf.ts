// The extensions of a VCEK or VLEK certificate (AMD 57230, VCEK Certificate and KDS Interface, 1.3.6.1.4.1.3704.1):
// which product, which TCB and which chip or cloud provider the key was derived for. None of them is critical, and
// X.509 lets unknown ones be; chain.ts refuses unknown critical ones.

import { toHex } from '../bytes.ts'
import { DerReader, TAG } from '../der.ts'
import { Refusal } from '../refusal.ts'
import type { Certificate } from '../x509.ts'
import type { SnpTcb } from './claims.ts'
import { productInName, type SnpProduct } from './product.ts'

const ARC = '1.3.6.1.4.1.3704.1'
const OID = {
  structVersion: `${ARC}.1`,
  productName: `${ARC}.2`,
  blSpl: `${ARC}.3.1`,
  teeSpl: `${ARC}.3.2`,
  snpSpl: `${ARC}.3.3`,
  spl4: `${ARC}.3.4`,
  spl5: `${ARC}.3.5`,
  spl6: `${ARC}.3.6`,
  spl7: `${ARC}.3.7`,
  ucodeSpl: `${ARC}.3.8`,
  fmcSpl: `${ARC}.3.9`,
  hwId: `${ARC}.4`,
  cspId: `${ARC}.5`,
} as const
// Security patch levels of components that no product has.
const UNUSED_SPLS = [OID.spl4, OID.spl5, OID.spl6, OID.spl7]

const KEY_KIND_OF_NAME: Readonly<Record<string, SnpKeyKind>> = { 'SEV-VCEK': 'VCEK', 'SEV-VLEK': 'VLEK' }

export type SnpKeyKind = 'VCEK' | 'VLEK'

/** What a leaf certificate says about the key that it certifies. */
export interface SnpLeaf {
  readonly kind: SnpKeyKind
  readonly product: SnpProduct
  readonly tcb: SnpTcb
  /** 64 bytes before Turin, 8 from Turin on; null for a VLEK, which no chip identifies. */
  readonly hwId: Uint8Array | null
  /** Null for a VCEK. */
  readonly cspId: string | null
}

/** Whether a certificate is a VCEK or VLEK by its subject; null for any other. */
export function leafKind(certificate: Certificate): SnpKeyKind | null {
  return KEY_KIND_OF_NAME[certificate.commonName] ?? null
}

/**
 * Reads the extensions of a VCEK or VLEK.
 * @throws {Refusal} `certificate-malformed`; `evidence-unsupported` for another product
 */
export function readLeaf(certificate: Certificate): SnpLeaf {
  const kind = leafKind(certificate)
  if (kind === null) throw malformed('the leaf is neither a VCEK nor a VLEK', certificate.commonName)
  readInteger(certificate, OID.structVersion)
  const name = readText(certificate, OID.productName)
  const product = productInName(name)
  if (product === null) {
    throw new Refusal('evidence-unsupported', `the leaf is for product ${JSON.stringify(name)}`, {
      expected: 'Milan, Genoa or Turin',
      got: name,
    })
  }
  for (const oid of UNUSED_SPLS) {
    if (certificate.extensions.has(oid) && readInteger(certificate, oid) !== 0) {
      throw malformed('the leaf has a patch level of a component that no product has', oid)
    }
  }
  const isVcek = kind === 'VCEK'
  if (certificate.extensions.has(isVcek ? OID.cspId : OID.hwId)) {
    throw malformed(`a ${kind} has the extension of the other key`, isVcek ? OID.cspId : OID.hwId)
  }
  return {
    kind,
    product,
    tcb: readTcb(certificate, product),
    hwId: isVcek ? readHwId(certificate, product) : null,
    cspId: isVcek ? null : readText(certificate, OID.cspId),
  }
}

function readTcb(certificate: Certificate, product: SnpProduct): SnpTcb {
  if (product !== 'Turin' && certificate.extensions.has(OID.fmcSpl)) {
    throw malformed(`a leaf for ${product} has an FMC patch level`, OID.fmcSpl)
  }
  return {
    fmc: product === 'Turin' ? readInteger(certificate, OID.fmcSpl) : null,
    bootloader: readInteger(certificate, OID.blSpl),
    tee: readInteger(certificate, OID.teeSpl),
    snp: readInteger(certificate, OID.snpSpl),
    microcode: readInteger(certificate, OID.ucodeSpl),
  }
}

// The octets stand in the extension without a tag of their own (AMD 57230), or in an OCTET STRING, which is what an
// extension should hold (RFC 5280, 4.2): the lengths tell one from the other.
function readHwId(certificate: Certificate, product: SnpProduct): Uint8Array {
  const size = product === 'Turin' ? 8 : 64
  const value = extension(certificate, OID.hwId)
  if (value.length === size) return value
  if (value.length === size + 2 && value[0] === TAG.octetString && value[1] === size) return value.subarray(2)
  throw malformed(`the hwID is not ${size} bytes`, toHex(value))
}

function readInteger(certificate: Certificate, oid: string): number {
  const reader = new DerReader(extension(certificate, oid), 'certificate-malformed', `extension ${oid}`)
  const value = reader.small()
  reader.finish()
  if (value > 255) reader.fail('not one byte')
  return value
}

function readText(certificate: Certificate, oid: string): string {
  const reader = new DerReader(extension(certificate, oid), 'certificate-malformed', `extension ${oid}`)
  const { contents } = reader.expect(TAG.ia5String)
  reader.finish()
  if (contents.length > 256 || contents.some(byte => byte < 0x20 || byte > 0x7e))
    reader.fail('not short, printable ASCII')
  return String.fromCharCode(...contents)
}

function extension(certificate: Certificate, oid: string): Uint8Array {
  const value = certificate.extensions.get(oid)
  if (value === undefined) throw malformed('the leaf lacks an extension', oid)
  return value
}

function malformed(message: string, got: string): Refusal {
  return new Refusal('certificate-malformed', `${message}: ${got}`, { got })
}
