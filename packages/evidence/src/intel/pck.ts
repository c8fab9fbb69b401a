// The PCK certificate and its SGX extension, 1.2.840.113741.1.13.1 (Intel SGX PCK Certificate and CRL Profile, 1.3.5):
// which machine it is, which family, and the versions of the components below its quoting enclave.

import { concat, toHex } from '../bytes.ts'
import { DerReader, TAG } from '../der.ts'
import { TCB_COMPONENTS } from '../documents/tcb-info.ts'
import { Refusal } from '../refusal.ts'
import { type Certificate, describeCertificate } from '../x509.ts'

const OID_SGX = '1.2.840.113741.1.13.1'
const SGX_OCTETS = new Uint8Array([0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01])
/** Numbers below it that have numbers below them. */
const [TCB, CONFIGURATION] = [2, 7]
const [TCB_OCTETS, CONFIGURATION_OCTETS] = [below(TCB), below(CONFIGURATION)]
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
  const fields = readFields(outer, SGX_OCTETS)
  const tcb = readFields(take(fields, TCB, outer), TCB_OCTETS)
  const sgxComponents: number[] = []
  for (let number = 1; number <= TCB_COMPONENTS; number++) {
    sgxComponents.push(readSvn(take(tcb, number, outer), MAX_U8))
  }
  const instance = fields[6]
  return {
    ppid: readHex(take(fields, 1, outer), 16),
    sgxComponents,
    pceSvn: readSvn(take(tcb, 17, outer), MAX_U16),
    cpuSvn: readHex(take(tcb, 18, outer), 16),
    pceId: readHex(take(fields, 3, outer), 2),
    fmspc: readHex(take(fields, 4, outer), 6),
    sgxType: readSgxType(take(fields, 5, outer)),
    platformInstanceId: instance ? readHex(instance, 16) : null,
    ...readConfiguration(fields[CONFIGURATION]),
  }
}

function readHex(field: DerReader, size: number): string {
  const octets = field.octets(TAG.octetString)
  field.finish()
  if (octets.length !== size) field.fail(`${octets.length} octets, want ${size}`)
  return toHex(octets)
}

function readSvn(field: DerReader, max: number): number {
  const number = field.small()
  field.finish()
  if (number > max) field.fail(`an SVN above ${max}`)
  return number
}

function readSgxType(field: DerReader): string {
  const octets = field.octets(TAG.enumerated)
  field.finish()
  const [number] = octets
  if (octets.length !== 1 || number === undefined) field.fail('an SGX type of more than one octet')
  return SGX_TYPES[number] ?? `${number}`
}

function readConfiguration(
  field: DerReader | undefined,
): Pick<PckExtension, 'dynamicPlatform' | 'cachedKeys' | 'smtEnabled'> {
  const flags = field && readFields(field, CONFIGURATION_OCTETS)
  const flag = (number: number): boolean | null => {
    const found = flags?.[number]
    const value = found?.boolean() ?? null
    found?.finish()
    return value
  }
  return { dynamicPlatform: flag(1), cachedKeys: flag(2), smtEnabled: flag(3) }
}

/** By their numbers. */
type Fields = readonly (DerReader | undefined)[]

function below(number: number): Uint8Array {
  return concat(SGX_OCTETS, new Uint8Array([number]))
}

/** One SEQUENCE of `{ OID, value }` whose OIDs are numbered below `prefix`; readers stand before the values. */
function readFields(reader: DerReader, prefix: Uint8Array): Fields {
  const fields: (DerReader | undefined)[] = []
  const list = reader.enter(TAG.sequence)
  while (!list.atEnd) {
    const field = list.enter(TAG.sequence)
    const number = field.arcBelow(prefix) ?? field.fail('an object identifier outside of the extension')
    if (fields[number] !== undefined) field.fail(`number ${number} twice`)
    fields[number] = field
  }
  reader.finish()
  return fields
}

function take(fields: Fields, number: number, outer: DerReader): DerReader {
  return fields[number] ?? outer.fail(`field ${number} is missing`)
}
