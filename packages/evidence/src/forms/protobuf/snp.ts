// go-sev-guest's `Report` and `Attestation` back to the 1,184 bytes that the firmware signed, and the certificates that stood
// with them (AMD 56860, ATTESTATION_REPORT).

import type { Beside } from '../../members.ts'
import { type FieldMap, ProtoFields } from './fields.ts'
import { little } from './tdx.ts'

const REPORT_SIZE = 0x4a0
const SIGNATURE_SIZE = 512

const UINTS: readonly (readonly [offset: number, name: string, width: number])[] = [
  [0x000, 'version', 4],
  [0x004, 'guest_svn', 4],
  [0x008, 'policy', 8],
  [0x030, 'vmpl', 4],
  [0x034, 'signature_algo', 4],
  [0x038, 'current_tcb', 8],
  [0x040, 'platform_info', 8],
  [0x048, 'signer_info', 4],
  [0x180, 'reported_tcb', 8],
  [0x1e0, 'committed_tcb', 8],
  [0x1e8, 'current_build', 1],
  [0x1e9, 'current_minor', 1],
  [0x1ea, 'current_major', 1],
  [0x1ec, 'committed_build', 1],
  [0x1ed, 'committed_minor', 1],
  [0x1ee, 'committed_major', 1],
  [0x1f0, 'launch_tcb', 8],
  [0x1f8, 'launch_mit_vector', 8],
  [0x200, 'current_mit_vector', 8],
]

const BYTES: readonly (readonly [offset: number, name: string, size: number])[] = [
  [0x010, 'family_id', 16],
  [0x020, 'image_id', 16],
  [0x050, 'report_data', 64],
  [0x090, 'measurement', 48],
  [0x0c0, 'host_data', 32],
  [0x0e0, 'id_key_digest', 48],
  [0x110, 'author_key_digest', 48],
  [0x140, 'report_id', 32],
  [0x160, 'report_id_ma', 32],
  [0x1a0, 'chip_id', 64],
  [0x2a0, 'signature', SIGNATURE_SIZE],
]

const CPUID_OFFSET = 0x188
const CERTIFICATES = ['vcek_cert', 'vlek_cert', 'ask_cert', 'ark_cert'] as const

/** The report’s bytes. @throws {Refusal} `evidence-malformed` */
export function encodeSnpReport(map: FieldMap): Uint8Array {
  const fields = new ProtoFields(map, 'report')
  const report = new Uint8Array(REPORT_SIZE)
  for (const [offset, name, width] of UINTS) report.set(little(fields.uint(name, width), width), offset)
  for (const [offset, name, size] of BYTES) report.set(fields.bytes(name, size), offset)
  report.set(cpuid(Number(fields.uint('cpuid1eax_fms', 4))), CPUID_OFFSET)
  return report
}

/** Report and certificates of an `Attestation`. @throws {Refusal} `evidence-malformed` */
export function encodeSnpAttestation({ values }: FieldMap): {
  readonly report: Uint8Array
  readonly beside: readonly Beside[]
} {
  const report = values.get('report')?.at(-1)
  const chain = values.get('certificate_chain')?.at(-1)
  const certificates = isMap(chain) ? new ProtoFields(chain, 'certificate_chain') : null
  return {
    report: encodeSnpReport(isMap(report) ? report : { values: new Map() }),
    beside: CERTIFICATES.filter(name => certificates?.has(name)).map(name => ({
      name,
      value: certificates?.bytesOfAnySize(name),
    })),
  }
}

/** CPUID leaf 1, EAX: the report has the combined family and model, and the stepping (AMD 57230). */
function cpuid(eax: number): Uint8Array {
  const family = ((eax >>> 8) & 0xf) + ((eax >>> 20) & 0xff)
  const model = ((eax >>> 4) & 0xf) + 16 * ((eax >>> 16) & 0xf)
  return Uint8Array.of(family, model, eax & 0xf)
}

function isMap(value: unknown): value is FieldMap {
  return typeof value === 'object' && value !== null && 'values' in value && value.values instanceof Map
}
