// The decoded form of a report in Confidential Containers’ evidence: the JSON of virtee/sev’s `AttestationReport`.
// The signature is over the 1,184 bytes, so the fields are encoded again; a report that loses anything on the
// way no longer verifies.

import { JsonFields } from '../json-fields.ts'
import { Refusal } from '../refusal.ts'
import { encodeTcb, type SnpCpuid } from './product.ts'
import { encodeSnpReport, type SnpFirmwareVersion, type SnpReportVersion } from './report.ts'

const U8 = 0xff
const U32 = 0xffff_ffff
/** A u64 as far as JSON numbers carry it; POLICY and PLATFORM_INFO use 26 and 8 bits. */
const U53 = Number.MAX_SAFE_INTEGER

/**
 * The 1,184 bytes of a decoded report.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function encodeReportJson(json: JsonFields): Uint8Array {
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
function readTcb(json: JsonFields): Uint8Array {
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

function readCpuid(json: JsonFields): SnpCpuid | null {
  const [family, model, stepping] = ['cpuid_fam_id', 'cpuid_mod_id', 'cpuid_step'].map(name =>
    json.optionalInteger(name, U8),
  )
  // Version 2 has none, and zeros in their place.
  if (typeof family !== 'number' || typeof model !== 'number' || typeof stepping !== 'number') return null
  return { family, model, stepping }
}

function readVersion(json: JsonFields): SnpFirmwareVersion {
  const version = {
    major: json.integer('major', U8),
    minor: json.integer('minor', U8),
    build: json.integer('build', U8),
  }
  json.finish()
  return version
}

function readVector(json: JsonFields, name: string): bigint | null {
  const vector = json.optionalInteger(name, U53)
  return vector === null ? null : BigInt(vector)
}
