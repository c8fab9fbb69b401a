// Evidence as a Confidential Containers guest sends it to a KBS: the JSON of each attester of guest-components
// (attestation-agent/attester: sgx_dcap, tdx, snp, sample). SNP reports are decoded, as virtee/sev serialises them.

import type { SnpTcb } from '@casemate/evidence'
import { SNP_REPORT, type SnpProduct, type SnpReportField } from './amd/structures.ts'

/** What `primary_evidence` holds for `sgx`. */
export interface SgxKbsEvidence {
  /** Base64. */
  readonly quote: string
}

/** What `primary_evidence` holds for `tdx`. */
export interface TdxKbsEvidence {
  /** A virtual platform keeps no event log. */
  readonly cc_eventlog: null
  /** Base64. */
  readonly quote: string
}

/** What `primary_evidence` holds for `sample`, which nothing signs. */
export interface SampleKbsEvidence {
  readonly svn: string
  /** Base64. */
  readonly report_data: string
}

/** What `primary_evidence` holds for `snp`; bytes are arrays of numbers. */
export interface SnpKbsEvidence {
  readonly attestation_report: Readonly<Record<string, unknown>>
  readonly cert_chain: readonly { readonly cert_type: string; readonly data: readonly number[] }[] | null
}

export function sgxKbsEvidence(quote: Uint8Array): SgxKbsEvidence {
  return { quote: base64(quote) }
}

export function tdxKbsEvidence(quote: Uint8Array): TdxKbsEvidence {
  return { cc_eventlog: null, quote: base64(quote) }
}

/** The evidence of a guest with no TEE at all. */
export function sampleKbsEvidence(reportData: Uint8Array): SampleKbsEvidence {
  return { svn: '1', report_data: base64(reportData) }
}

/** A report of 1,184 bytes, decoded, with its leaf certificate. */
export function snpKbsEvidence(
  report: Uint8Array,
  { product, leaf }: { readonly product: SnpProduct; readonly leaf: { type: string; der: Uint8Array } },
): SnpKbsEvidence {
  const bytes = (field: SnpReportField) => [...SNP_REPORT.read(report, field)]
  const number = (field: SnpReportField) => bytes(field).reduceRight((value, octet) => value * 256 + octet, 0)
  const tcb = (field: SnpReportField) => decodeTcb(product, bytes(field))
  const cpuid = (field: SnpReportField) => (number('version') === 2 ? null : number(field))
  return {
    attestation_report: {
      version: number('version'),
      guest_svn: number('guestSvn'),
      policy: number('policy'),
      family_id: bytes('familyId'),
      image_id: bytes('imageId'),
      vmpl: number('vmpl'),
      sig_algo: number('signatureAlgorithm'),
      current_tcb: tcb('currentTcb'),
      plat_info: number('platformInfo'),
      key_info: number('keyInfo'),
      report_data: bytes('reportData'),
      measurement: bytes('measurement'),
      host_data: bytes('hostData'),
      id_key_digest: bytes('idKeyDigest'),
      author_key_digest: bytes('authorKeyDigest'),
      report_id: bytes('reportId'),
      report_id_ma: bytes('reportIdMa'),
      reported_tcb: tcb('reportedTcb'),
      cpuid_fam_id: cpuid('cpuidFamily'),
      cpuid_mod_id: cpuid('cpuidModel'),
      cpuid_step: cpuid('cpuidStepping'),
      chip_id: bytes('chipId'),
      committed_tcb: tcb('committedTcb'),
      current: {
        major: number('currentMajor'),
        minor: number('currentMinor'),
        build: number('currentBuild'),
      },
      committed: {
        major: number('committedMajor'),
        minor: number('committedMinor'),
        build: number('committedBuild'),
      },
      launch_tcb: tcb('launchTcb'),
      ...(number('version') < 5
        ? {}
        : {
            launch_mit_vector: number('launchMitVector'),
            current_mit_vector: number('currentMitVector'),
          }),
      signature: { r: bytes('signatureR'), s: bytes('signatureS') },
    },
    cert_chain: [{ cert_type: leaf.type, data: [...leaf.der] }],
  }
}

function decodeTcb(product: SnpProduct, bytes: readonly number[]): SnpTcb {
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, , , b6 = 0, b7 = 0] = bytes
  return product === 'Turin'
    ? { fmc: b0, bootloader: b1, tee: b2, snp: b3, microcode: b7 }
    : { fmc: null, bootloader: b0, tee: b1, snp: b6, microcode: b7 }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
