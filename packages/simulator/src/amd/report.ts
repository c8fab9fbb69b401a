// Attestation reports on the wire (AMD 56860, 7.3): the fields, the signature of the leaf’s key over them, and on
// request the certificate table of an extended guest request (AMD 56421, 4.1.8.1).

import { createHash } from 'node:crypto'
import type { SnpTcb } from '@casemate/evidence'
import { concat } from '@casemate/evidence/bytes'
import { flipped } from '../faults.ts'
import { type SigningKey, signRaw } from '../keys.ts'
import { type Bytes, type FieldValue, littleEndian } from '../layout.ts'
import type { AmdAuthority } from './authority.ts'
import type { AmdSettings } from './settings.ts'
import {
  CPUID,
  encodeTcb,
  SIGNATURE_ALGORITHM_ECDSA_P384,
  SIGNED_BYTES,
  SNP_REPORT,
  type SnpReportField,
} from './structures.ts'

/** ABI 0.0, SMT allowed, and bit 17, which is always one. */
const POLICY = 0x3_0000
/** SMT enabled, ECC enabled, alias check complete. */
const PLATFORM_INFO = 0x25
const SIGNING_KEY = { VCEK: 0 << 2, VLEK: 1 << 2 } as const
/** SNP firmware of 2025. */
const FIRMWARE = { major: 1, minor: 55, build: 40 } as const

/** GUIDs of certificate table entries, in the byte order in which hosts write them. */
const TABLE_GUID = {
  VCEK: '63da758de6644564adc5f4b93be8accd',
  VLEK: 'a8074bc2a25a483eaae639c045a0b8a1',
  ASK: '4ab7b379bbac4fe4a02f05aef327c782',
  ARK: 'c0b406a4a803495297433fb6014cd0ae',
} as const
const TABLE_ENTRY_BYTES = 24

type TcbField = 'currentTcb' | 'reportedTcb' | 'committedTcb' | 'launchTcb'
type PlainField = Exclude<SnpReportField, TcbField | 'version' | 'signatureR' | 'signatureS'>

export interface SnpReportRequest
  extends Readonly<Partial<Record<PlainField, FieldValue>>>,
    Readonly<Partial<Record<TcbField, Partial<SnpTcb>>>> {
  /** 64 bytes. */
  readonly reportData: Bytes
  /** Version 3; for Turin 5, the first that tells of it. */
  readonly version?: 2 | 3 | 4 | 5
  /** Flips the lowest bit of each of these after the report has been signed. */
  readonly tamper?: readonly SnpReportField[]
  /** Follows the report by a certificate table, as an extended guest request does. */
  readonly certificateTable?: boolean
}

/** The parts of the platform that a report is made of. */
export interface ReportSource {
  readonly settings: AmdSettings
  readonly key: SigningKey
  readonly authority: AmdAuthority
}

/** @throws {TypeError} for a field of another size than the format’s */
export function encodeSnpReport(source: ReportSource, request: SnpReportRequest): Uint8Array {
  const { tamper = [], certificateTable = false, ...fields } = request
  const unsigned = SNP_REPORT.write(reportFields(source.settings, fields))
  const signature = signRaw(source.key, unsigned.subarray(0, SIGNED_BYTES))
  let report = SNP_REPORT.write({
    ...reportFields(source.settings, fields),
    signatureR: component(signature.subarray(0, 48)),
    signatureS: component(signature.subarray(48)),
  })
  for (const field of tamper) report = flipped(report, SNP_REPORT.place(field).offset)
  return certificateTable ? concat(report, encodeTable(source)) : report
}

function reportFields(
  settings: AmdSettings,
  request: Omit<SnpReportRequest, 'tamper' | 'certificateTable'>,
): Partial<Record<SnpReportField, FieldValue | undefined>> {
  const { version = settings.product === 'Turin' ? 5 : 3, ...given } = request
  const { currentTcb, reportedTcb, committedTcb, launchTcb, ...fields } = given
  const tcb = (changes: Partial<SnpTcb> = {}) => encodeTcb(settings.product, { ...settings.tcb, ...changes })
  const [cpuidFamily, cpuidModel, cpuidStepping] = version === 2 ? [0, 0, 0] : CPUID[settings.product]
  return {
    version,
    policy: POLICY,
    signatureAlgorithm: SIGNATURE_ALGORITHM_ECDSA_P384,
    platformInfo: PLATFORM_INFO,
    keyInfo: SIGNING_KEY[settings.signingKey],
    measurement: digest('SNP guest').subarray(0, 48),
    reportId: digest('SNP report id').subarray(0, 32),
    // No migration agent.
    reportIdMa: 'ff'.repeat(32),
    cpuidFamily,
    cpuidModel,
    cpuidStepping,
    chipId: Buffer.from(settings.hardwareId.padEnd(128, '0'), 'hex'),
    currentBuild: FIRMWARE.build,
    currentMinor: FIRMWARE.minor,
    currentMajor: FIRMWARE.major,
    committedBuild: FIRMWARE.build,
    committedMinor: FIRMWARE.minor,
    committedMajor: FIRMWARE.major,
    currentTcb: tcb(currentTcb),
    reportedTcb: tcb(reportedTcb),
    committedTcb: tcb(committedTcb),
    launchTcb: tcb(launchTcb),
    ...fields,
  }
}

/** The same in every installation. */
function digest(name: string): Uint8Array {
  return createHash('sha384').update(`casemate simulated ${name}`).digest()
}

/** r or s as the report has it: little-endian in 72 bytes. */
function component(bigEndian: Uint8Array): Uint8Array {
  return concat(Uint8Array.from(bigEndian).reverse(), new Uint8Array(72 - bigEndian.length))
}

/** GUID, offset and length of each entry, a zero entry, then the certificates. */
function encodeTable({ settings, authority }: ReportSource): Uint8Array {
  const certificates = [
    { guid: TABLE_GUID[settings.signingKey], bytes: authority.leaf },
    { guid: TABLE_GUID.ASK, bytes: authority.intermediate },
    { guid: TABLE_GUID.ARK, bytes: authority.ark },
  ]
  let offset = TABLE_ENTRY_BYTES * (certificates.length + 1)
  const entries = certificates.map(({ guid, bytes }) => {
    const entry = concat(Buffer.from(guid, 'hex'), littleEndian(offset, 4), littleEndian(bytes.length, 4))
    offset += bytes.length
    return entry
  })
  return concat(...entries, new Uint8Array(TABLE_ENTRY_BYTES), ...certificates.map(({ bytes }) => bytes))
}
