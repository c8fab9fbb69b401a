// The decoded form of a report in Confidential Containers’ evidence: the JSON of virtee/sev’s `AttestationReport`.
// The signature is over the 1,184 bytes, so the fields are encoded again; a report that loses anything on the
// way no longer verifies.

import { isZero } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import { StrictFields } from '../strict-fields.ts'
import { decodeTcb, encodeTcb, productOfCpuid, type SnpCpuid } from './product.ts'
import { encodeSnpReport, type SnpFirmwareVersion, type SnpReport, type SnpReportVersion } from './report.ts'

const U8 = 0xff
const U32 = 0xffff_ffff
/** A u64 as far as JSON numbers carry it; POLICY and PLATFORM_INFO use 26 and 8 bits. */
const U53 = Number.MAX_SAFE_INTEGER

/**
 * The 1,184 bytes of a decoded report.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function encodeReportJson(json: StrictFields): Uint8Array {
  const version = json.integer('version', U32)
  if (version < 2 || version > 5) {
    throw new Refusal('evidence-unsupported', `the report has version ${version}`, {
      expected: '2, 3, 4 or 5',
      got: `${version}`,
    })
  }
  const signatureAlgorithm = json.integer('sig_algo', U32)
  if (signatureAlgorithm !== 1) {
    throw new Refusal('evidence-unsupported', 'the report has another SIGNATURE_ALGO', {
      expected: '1 (ECDSA P-384 with SHA-384)',
      got: `${signatureAlgorithm}`,
    })
  }
  const signature = json.object('signature')
  const bytes = encodeSnpReport({
    version: version as SnpReportVersion,
    guestSvn: json.integer('guest_svn', U32),
    policy: BigInt(json.integer('policy', U53)),
    familyId: json.bytes('family_id', 16),
    imageId: json.bytes('image_id', 16),
    vmpl: json.integer('vmpl', U32),
    currentTcb: readTcb(json.object('current_tcb')),
    platformInfo: BigInt(json.integer('plat_info', U53)),
    keyInfo: json.integer('key_info', U32),
    reportData: json.bytes('report_data', 64),
    measurement: json.bytes('measurement', 48),
    hostData: json.bytes('host_data', 32),
    idKeyDigest: json.bytes('id_key_digest', 48),
    authorKeyDigest: json.bytes('author_key_digest', 48),
    reportId: json.bytes('report_id', 32),
    reportIdMa: json.bytes('report_id_ma', 32),
    reportedTcb: readTcb(json.object('reported_tcb')),
    cpuid: readCpuid(json),
    chipId: json.bytes('chip_id', 64),
    committedTcb: readTcb(json.object('committed_tcb')),
    currentVersion: readVersion(json.object('current')),
    committedVersion: readVersion(json.object('committed')),
    launchTcb: readTcb(json.object('launch_tcb')),
    launchMitVector: readVector(json, 'launch_mit_vector'),
    currentMitVector: readVector(json, 'current_mit_vector'),
    signatureR: signature.bytes('r', 72),
    signatureS: signature.bytes('s', 72),
  })
  signature.finish()
  json.finish()
  return bytes
}

// `fmc` is a number from Turin on, null or absent before: it chooses the layout.
function readTcb(json: StrictFields): Uint8Array {
  const tcb = encodeTcb({
    fmc: json.optionalInteger('fmc', U8),
    bootloader: json.integer('bootloader', U8),
    tee: json.integer('tee', U8),
    snp: json.integer('snp', U8),
    microcode: json.integer('microcode', U8),
  })
  json.finish()
  return tcb
}

function readCpuid(json: StrictFields): SnpCpuid | null {
  const [family, model, stepping] = ['cpuid_fam_id', 'cpuid_mod_id', 'cpuid_step'].map(name =>
    json.optionalInteger(name, U8),
  )
  // Version 2 has none, and zeros in their place.
  if (typeof family !== 'number' || typeof model !== 'number' || typeof stepping !== 'number') return null
  return { family, model, stepping }
}

function readVersion(json: StrictFields): SnpFirmwareVersion {
  const version = {
    major: json.integer('major', U8),
    minor: json.integer('minor', U8),
    build: json.integer('build', U8),
  }
  json.finish()
  return version
}

function readVector(json: StrictFields, name: string): bigint | null {
  const vector = json.optionalInteger(name, U53)
  return vector === null ? null : BigInt(vector)
}

/**
 * The inverse of {@link encodeReportJson}: a report's fields as virtee/sev serialises them.
 * @throws {Refusal} `evidence-malformed` where a reserved byte of a TCB is set; `evidence-unsupported`
 */
export function decodeReport(report: SnpReport): Readonly<Record<string, unknown>> {
  const layout = isTurinLayout(report) ? 'Turin' : 'Genoa'
  const { cpuid, signatureR, signatureS } = report
  return {
    version: report.version,
    guest_svn: report.guestSvn,
    policy: toNumber('POLICY', report.policy),
    family_id: [...report.familyId],
    image_id: [...report.imageId],
    vmpl: report.vmpl,
    sig_algo: 1,
    current_tcb: decodeTcb(report.currentTcb, layout),
    plat_info: toNumber('PLATFORM_INFO', report.platformInfo),
    key_info: report.keyInfo,
    report_data: [...report.reportData],
    measurement: [...report.measurement],
    host_data: [...report.hostData],
    id_key_digest: [...report.idKeyDigest],
    author_key_digest: [...report.authorKeyDigest],
    report_id: [...report.reportId],
    report_id_ma: [...report.reportIdMa],
    reported_tcb: decodeTcb(report.reportedTcb, layout),
    cpuid_fam_id: cpuid?.family ?? null,
    cpuid_mod_id: cpuid?.model ?? null,
    cpuid_step: cpuid?.stepping ?? null,
    chip_id: [...report.chipId],
    committed_tcb: decodeTcb(report.committedTcb, layout),
    current: report.currentVersion,
    committed: report.committedVersion,
    launch_tcb: decodeTcb(report.launchTcb, layout),
    ...vectorsOf(report),
    signature: { r: [...signatureR], s: [...signatureS] },
  }
}

/** Members that came with version 5, and are left out before it. */
function vectorsOf({ launchMitVector, currentMitVector }: SnpReport): Readonly<Record<string, number>> {
  if (launchMitVector === null || currentMitVector === null) return {}
  return {
    launch_mit_vector: toNumber('LAUNCH_MIT_VECTOR', launchMitVector),
    current_mit_vector: toNumber('CURRENT_MIT_VECTOR', currentMitVector),
  }
}

/** A report of version 2 names no product: then the layout is the one in which every byte has a component. */
function isTurinLayout(report: SnpReport): boolean {
  const product = report.cpuid === null ? null : productOfCpuid(report.cpuid)
  if (product !== null) return product === 'Turin'
  const tcbs = [report.currentTcb, report.reportedTcb, report.committedTcb, report.launchTcb]
  return tcbs.some(tcb => !isZero(tcb.subarray(2, 6)))
}

/** JSON numbers are doubles: a value that one cannot carry would no longer be what was signed. */
function toNumber(field: string, value: bigint): number {
  if (value <= BigInt(U53)) return Number(value)
  throw new Refusal('evidence-unsupported', `${field} does not fit into a JSON number`, {
    expected: 'below 2^53',
    got: `0x${value.toString(16)}`,
  })
}
