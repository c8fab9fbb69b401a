// The PCK certificate and its SGX extension, 1.2.840.113741.1.13.1 (Intel SGX PCK Certificate and CRL Profile, 1.3.5):
// which machine it is, which family, and the versions of the components below its quoting enclave.

import { toHex } from '../bytes.ts'
import { DerReader, TAG } from '../der.ts'
import { TCB_COMPONENTS } from '../documents/tcb-info.ts'
import { Refusal } from '../refusal.ts'
import { type Certificate, describeCertificate } from '../x509.ts'

const OID_SGX = '1.2.840.113741.1.13.1'
const SGX_TYPES = ['standard', 'scalable', 'scalable-with-integrity']
const MAX_U8 = 0xff
const MAX_U16 = 0xffff

/** Hex fields are lower-case. */
export interface PckExtension {
  readonly ppid: string
  readonly sgxComponents: readonly number[]
  readonly pceSvn: number
  readonly cpuSvn: string
  readonly pceId: string
  readonly fmspc: string
  /** What protects memory; a number that has no name here is shown as it is. */
  readonly sgxType: string
  /** These are null in certificates of the Processor CA. */
  readonly platformInstanceId: string | null
  readonly dynamicPlatform: boolean | null
  readonly cachedKeys: boolean | null
  readonly smtEnabled: boolean | null
}

const extensions = new WeakMap<Certificate, PckExtension>()

/** Whether the certificate has the extension that only PCK certificates have. */
export function isPckCertificate(certificate: Certificate): boolean {
  return certificate.extensions.has(OID_SGX)
}

/** @throws {Refusal} `certificate-malformed` */
export function readPckExtension(certificate: Certificate): PckExtension {
  const known = extensions.get(certificate)
  if (known) return known
  const value = certificate.extensions.get(OID_SGX)
  if (!value) {
    const message = `${describeCertificate(certificate)} has no SGX extension`
    throw new Refusal('certificate-malformed', message)
  }
  const extension = parseExtension(value)
  extensions.set(certificate, extension)
  return extension
}

function parseExtension(value: Uint8Array): PckExtension {
  const outer = new DerReader(value, 'certificate-malformed', 'SGX extension')
  const fields = readFields(outer, OID_SGX)
  const tcb = readFields(take(fields, 2, outer), `${OID_SGX}.2`)
  const octets = (field: DerReader, size: number): string => {
    const { contents } = field.expect(TAG.octetString)
    field.finish()
    if (contents.length !== size) field.fail(`${contents.length} octets, want ${size}`)
    return toHex(contents)
  }
  const svn = (field: DerReader, max: number): number => {
    const number = field.small()
    field.finish()
    if (number > max) field.fail(`an SVN above ${max}`)
    return number
  }
  const instance = fields.get(6)
  return {
    ppid: octets(take(fields, 1, outer), 16),
    sgxComponents: Array.from({ length: TCB_COMPONENTS }, (_, index) =>
      svn(take(tcb, index + 1, outer), MAX_U8),
    ),
    pceSvn: svn(take(tcb, 17, outer), MAX_U16),
    cpuSvn: octets(take(tcb, 18, outer), 16),
    pceId: octets(take(fields, 3, outer), 2),
    fmspc: octets(take(fields, 4, outer), 6),
    sgxType: readSgxType(take(fields, 5, outer)),
    platformInstanceId: instance ? octets(instance, 16) : null,
    ...readConfiguration(fields.get(7)),
  }
}

function readSgxType(field: DerReader): string {
  const { contents } = field.expect(TAG.enumerated)
  field.finish()
  const [number] = contents
  if (contents.length !== 1 || number === undefined) field.fail('an SGX type of more than one octet')
  return SGX_TYPES[number] ?? `${number}`
}

function readConfiguration(
  field: DerReader | undefined,
): Pick<PckExtension, 'dynamicPlatform' | 'cachedKeys' | 'smtEnabled'> {
  const flags = field && readFields(field, `${OID_SGX}.7`)
  const flag = (number: number): boolean | null => {
    const found = flags?.get(number)
    const value = found?.boolean() ?? null
    found?.finish()
    return value
  }
  return { dynamicPlatform: flag(1), cachedKeys: flag(2), smtEnabled: flag(3) }
}

/** One SEQUENCE of `{ OID, value }` whose OIDs are numbered below `prefix`; readers stand before the values. */
function readFields(reader: DerReader, prefix: string): ReadonlyMap<number, DerReader> {
  const fields = new Map<number, DerReader>()
  const list = reader.enter(TAG.sequence)
  while (!list.atEnd) {
    const field = list.enter(TAG.sequence)
    const oid = field.oid()
    const number = oid.startsWith(`${prefix}.`) ? Number(oid.slice(prefix.length + 1)) : Number.NaN
    if (!Number.isInteger(number)) field.fail(`object identifier ${oid} outside ${prefix}`)
    if (fields.has(number)) field.fail(`object identifier ${oid} twice`)
    fields.set(number, field)
  }
  reader.finish()
  return fields
}

function take(fields: ReadonlyMap<number, DerReader>, number: number, outer: DerReader): DerReader {
  return fields.get(number) ?? outer.fail(`field ${number} is missing`)
}
