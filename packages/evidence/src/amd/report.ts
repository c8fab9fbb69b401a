// ATTESTATION_REPORT, versions 2 to 5 (AMD 56860, SEV Secure Nested Paging Firmware ABI, MSG_REPORT_RSP): 1,184 bytes,
// little-endian, of which the first 672 are signed. Shape only: which bits must be zero, never whom to trust.
// Every byte is either in a field or checked to be zero, so that encoding what was parsed gives the same bytes.

import { isZero } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import type { SnpCpuid } from './product.ts'

/** 1,184 bytes. */
export const SNP_REPORT_SIZE = 0x4a0
/** The signature covers bytes 0 to 29Fh. */
export const SNP_SIGNED_SIZE = 0x2a0

const R_OFFSET = 0x2a0
const COMPONENT_SIZE = 72
const S_OFFSET = R_OFFSET + COMPONENT_SIZE
/** ECDSA P-384 with SHA-384, the only SIGNATURE_ALGO there is. */
const ECDSA_P384_SHA384 = 1

// Offset and size of every field that is a string of bytes; TCB_VERSIONs stay raw because their layout depends on
// the product, which a version 2 report does not name.
const BYTE_FIELDS = {
  familyId: [0x010, 16],
  imageId: [0x020, 16],
  currentTcb: [0x038, 8],
  reportData: [0x050, 64],
  measurement: [0x090, 48],
  hostData: [0x0c0, 32],
  idKeyDigest: [0x0e0, 48],
  authorKeyDigest: [0x110, 48],
  reportId: [0x140, 32],
  reportIdMa: [0x160, 32],
  reportedTcb: [0x180, 8],
  chipId: [0x1a0, 64],
  committedTcb: [0x1e0, 8],
  launchTcb: [0x1f0, 8],
  signatureR: [R_OFFSET, COMPONENT_SIZE],
  signatureS: [S_OFFSET, COMPONENT_SIZE],
} as const

type ByteField = keyof typeof BYTE_FIELDS
const BYTE_FIELD_NAMES = Object.keys(BYTE_FIELDS) as readonly ByteField[]

export interface SnpFirmwareVersion {
  readonly major: number
  readonly minor: number
  readonly build: number
}

export type SnpReportVersion = 2 | 3 | 4 | 5

/** The fields of a report, UNVERIFIED; `signatureR` and `signatureS` are 72 bytes each, little-endian. */
export interface SnpReportFields extends Readonly<Record<ByteField, Uint8Array>> {
  readonly version: SnpReportVersion
  readonly guestSvn: number
  readonly policy: bigint
  readonly vmpl: number
  readonly platformInfo: bigint
  /** AUTHOR_KEY_EN, MASK_CHIP_KEY and SIGNING_KEY in bits 0, 1 and 4:2. */
  readonly keyInfo: number
  /** Null in version 2. */
  readonly cpuid: SnpCpuid | null
  readonly currentVersion: SnpFirmwareVersion
  readonly committedVersion: SnpFirmwareVersion
  /** Null before version 5. */
  readonly launchMitVector: bigint | null
  readonly currentMitVector: bigint | null
}

/** A parsed report with the bytes it came from. */
export interface SnpReport extends SnpReportFields {
  readonly bytes: Uint8Array
}

/**
 * Reads exactly 1,184 bytes.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function parseSnpReport(input: Uint8Array): SnpReport {
  if (input.length !== SNP_REPORT_SIZE) {
    throw malformed('the report has another size', `${SNP_REPORT_SIZE} bytes`, `${input.length}`)
  }
  // A copy that the caller cannot change; slice() of a Buffer would share its memory.
  const bytes = new Uint8Array(input)
  const view = new DataView(bytes.buffer)
  const version = view.getUint32(0, true)
  if (!isReportVersion(version)) {
    throw unsupported('the report has another version', '2, 3, 4 or 5', `${version}`)
  }
  checkReserved(bytes, version)
  const vmpl = view.getUint32(0x30, true)
  // FFFFFFFFh marks a report that the hypervisor, not the guest, asked for.
  if (vmpl > 3) throw unsupported('no VMPL of the guest asked for this report', '0 to 3', `${vmpl}`)
  const algorithm = view.getUint32(0x34, true)
  if (algorithm !== ECDSA_P384_SHA384) {
    throw unsupported('the report has another SIGNATURE_ALGO', '1 (ECDSA P-384 with SHA-384)', `${algorithm}`)
  }
  const octets = ([offset, size]: readonly [number, number]): Uint8Array =>
    bytes.subarray(offset, offset + size)
  // One literal: put together from the table's entries, the object would be slow to make and to read.
  return {
    familyId: octets(BYTE_FIELDS.familyId),
    imageId: octets(BYTE_FIELDS.imageId),
    currentTcb: octets(BYTE_FIELDS.currentTcb),
    reportData: octets(BYTE_FIELDS.reportData),
    measurement: octets(BYTE_FIELDS.measurement),
    hostData: octets(BYTE_FIELDS.hostData),
    idKeyDigest: octets(BYTE_FIELDS.idKeyDigest),
    authorKeyDigest: octets(BYTE_FIELDS.authorKeyDigest),
    reportId: octets(BYTE_FIELDS.reportId),
    reportIdMa: octets(BYTE_FIELDS.reportIdMa),
    reportedTcb: octets(BYTE_FIELDS.reportedTcb),
    chipId: octets(BYTE_FIELDS.chipId),
    committedTcb: octets(BYTE_FIELDS.committedTcb),
    launchTcb: octets(BYTE_FIELDS.launchTcb),
    signatureR: octets(BYTE_FIELDS.signatureR),
    signatureS: octets(BYTE_FIELDS.signatureS),
    bytes,
    version,
    guestSvn: view.getUint32(0x04, true),
    policy: checkedPolicy(view.getBigUint64(0x08, true)),
    vmpl,
    platformInfo: view.getBigUint64(0x40, true),
    keyInfo: checkedKeyInfo(view.getUint32(0x48, true)),
    cpuid: version === 2 ? null : readCpuid(view),
    currentVersion: readVersion(view, 0x1e8),
    committedVersion: readVersion(view, 0x1ec),
    launchMitVector: version === 5 ? view.getBigUint64(0x1f8, true) : null,
    currentMitVector: version === 5 ? view.getBigUint64(0x200, true) : null,
  }
}

/** The inverse of {@link parseSnpReport}, for evidence that arrives as decoded fields, and for simulators. */
export function encodeSnpReport(fields: SnpReportFields): Uint8Array {
  const bytes = new Uint8Array(SNP_REPORT_SIZE)
  const view = new DataView(bytes.buffer)
  for (const name of BYTE_FIELD_NAMES) {
    const [offset, size] = BYTE_FIELDS[name]
    if (fields[name].length !== size) {
      throw malformed(`${name} has another size`, `${size} bytes`, `${fields[name].length}`)
    }
    bytes.set(fields[name], offset)
  }
  view.setUint32(0x00, fields.version, true)
  view.setUint32(0x04, fields.guestSvn, true)
  view.setBigUint64(0x08, fields.policy, true)
  view.setUint32(0x30, fields.vmpl, true)
  view.setUint32(0x34, ECDSA_P384_SHA384, true)
  view.setBigUint64(0x40, fields.platformInfo, true)
  view.setUint32(0x48, fields.keyInfo, true)
  if (fields.cpuid !== null)
    bytes.set([fields.cpuid.family, fields.cpuid.model, fields.cpuid.stepping], 0x188)
  writeVersion(bytes, 0x1e8, fields.currentVersion)
  writeVersion(bytes, 0x1ec, fields.committedVersion)
  view.setBigUint64(0x1f8, fields.launchMitVector ?? 0n, true)
  view.setBigUint64(0x200, fields.currentMitVector ?? 0n, true)
  return bytes
}

/** `r` and `s` big-endian, 48 bytes each, as IEEE P1363 and WebCrypto have them. */
export function p1363Signature(report: SnpReport): Uint8Array {
  const { signatureR: r, signatureS: s } = report
  const signature = new Uint8Array(96)
  for (let at = 0; at < 48; at++) {
    signature[at] = r[47 - at] ?? 0
    signature[48 + at] = s[47 - at] ?? 0
  }
  return signature
}

function isReportVersion(version: number): version is SnpReportVersion {
  return version >= 2 && version <= 5
}

// Ranges [from, to) that must be zero; CPUID came with version 3, the mitigation vectors with version 5.
function checkReserved(bytes: Uint8Array, version: SnpReportVersion): void {
  const ranges: readonly (readonly [number, number])[] = [
    [0x04c, 0x050],
    [version === 2 ? 0x188 : 0x18b, 0x1a0],
    [0x1eb, 0x1ec],
    [0x1ef, 0x1f0],
    [version === 5 ? 0x208 : 0x1f8, SNP_SIGNED_SIZE],
    // P-384 needs 48 of the 72 bytes of r and of s, and the two need 144 of the 512 of SIGNATURE.
    [R_OFFSET + 48, S_OFFSET],
    [S_OFFSET + 48, SNP_REPORT_SIZE],
  ]
  for (const [from, to] of ranges) {
    const reserved = bytes.subarray(from, to)
    if (isZero(reserved)) continue
    const at = from + reserved.findIndex(byte => byte !== 0)
    throw malformed(`byte ${hexOffset(at)} of a version ${version} report is reserved`, '00')
  }
}

// Bit 17 must be one, bits 63:26 zero: a bit without a meaning here might be one that relaxes the policy.
function checkedPolicy(policy: bigint): bigint {
  if ((policy >> 17n) % 2n !== 1n) throw malformed('bit 17 of POLICY is reserved', '1', '0')
  if (policy >> 26n !== 0n)
    throw malformed('bits 63:26 of POLICY are reserved', '0', `0x${policy.toString(16)}`)
  return policy
}

function checkedKeyInfo(keyInfo: number): number {
  if (keyInfo >>> 5 !== 0)
    throw malformed('bits 31:5 of KEY_INFO are reserved', '0', `0x${keyInfo.toString(16)}`)
  const signingKey = keyInfo >>> 2
  if (signingKey > 1) {
    throw unsupported('SIGNING_KEY names neither a VCEK nor a VLEK', '0 (VCEK) or 1 (VLEK)', `${signingKey}`)
  }
  return keyInfo
}

function readCpuid(view: DataView): SnpCpuid {
  return { family: view.getUint8(0x188), model: view.getUint8(0x189), stepping: view.getUint8(0x18a) }
}

// Stored as build, minor, major.
function readVersion(view: DataView, offset: number): SnpFirmwareVersion {
  return {
    build: view.getUint8(offset),
    minor: view.getUint8(offset + 1),
    major: view.getUint8(offset + 2),
  }
}

function writeVersion(bytes: Uint8Array, offset: number, version: SnpFirmwareVersion): void {
  bytes.set([version.build, version.minor, version.major], offset)
}

function hexOffset(offset: number): string {
  return `0x${offset.toString(16)}`
}

function malformed(message: string, expected: string, got?: string): Refusal {
  return new Refusal('evidence-malformed', message, { expected, ...(got === undefined ? {} : { got }) })
}

function unsupported(message: string, expected: string, got: string): Refusal {
  return new Refusal('evidence-unsupported', message, { expected, got })
}
