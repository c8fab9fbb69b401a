// The names of reference values that the default policies of the KBS protocol's first server query, and where each
// belongs here. A value is either compared in every appraisal or refused with the place to write it: nothing is kept
// that nobody would check.

import { escapeUnfit, type Kind } from '@casemate/evidence'
import { KBS_KINDS, type KbsKind } from './kinds.ts'

/** A field of the workload `kbs-KIND` in the reference document. */
export interface Place {
  readonly kind: Kind
  readonly field: string
}

const placesOf = ([kind, { references }]: readonly [string, KbsKind]): readonly (readonly [
  string,
  Place,
])[] => Object.entries(references).map(([name, field]) => [name, { kind: kind as Kind, field }])

/** Names whose values are compared with the code of a workload. */
export const PLACES: Readonly<Record<string, Place>> = Object.fromEntries(
  Object.entries(KBS_KINDS).flatMap(placesOf),
)

/** Names that say only together which code runs. */
export const TOGETHER: readonly string[] = Object.values(KBS_KINDS).flatMap(({ together }) => together)

/** A name that is no reference value here: a field of the appraisal policy, a claim for rules, or nothing that is verified. */
export type Elsewhere = { readonly field: string } | { readonly claim: string } | { readonly reason: string }

const VTPM: Elsewhere = { reason: 'evidence of a vTPM is not verified here' }
const DEVICE: Elsewhere = { reason: 'evidence of devices is not verified here' }
const EVENT_LOG = 'event logs are not replayed here'

/** `FAMILY` stands for Milan, Genoa or Turin. */
export const ELSEWHERE: Readonly<Record<string, Elsewhere>> = {
  snp_bootloader: { field: 'snp.minimumTcb.FAMILY.bootloader' },
  snp_microcode: { field: 'snp.minimumTcb.FAMILY.microcode' },
  snp_snp_svn: { field: 'snp.minimumTcb.FAMILY.snp' },
  snp_tee_svn: { field: 'snp.minimumTcb.FAMILY.tee' },
  snp_smt_enabled: { field: 'snp.platformInfo.smtEnabled' },
  snp_tsme_enabled: { field: 'snp.platformInfo.tsmeEnabled' },
  snp_single_socket: { field: 'snp.guestPolicy.singleSocketRequired' },
  snp_smt_allowed: { field: 'snp.guestPolicy.smtAllowed' },
  snp_guest_abi_major: { claim: 'claims.snp.policy.abiMajor' },
  snp_guest_abi_minor: { claim: 'claims.snp.policy.abiMinor' },
  xfam: { field: 'tdx.xfam' },
  mr_seam: { field: 'tdx.mrSeam' },
  tcb_svn: { field: 'tcb.statuses' },
  tdvfkernel: { reason: `${EVENT_LOG}; the kernel is part of rtmr_1` },
  tdvfkernelparams: { reason: `${EVENT_LOG}; the kernel's command line is part of rtmr_2` },
  measurement: VTPM,
  snp_pcr11: VTPM,
  tdx_pcr11: VTPM,
  tpm_pcr11: VTPM,
  trusted_aks: VTPM,
  tcb_bootloader: VTPM,
  tcb_microcode: VTPM,
  tcb_snp: VTPM,
  tcb_tee: VTPM,
  smt_enabled: VTPM,
  tsme_enabled: VTPM,
  abi_major: VTPM,
  abi_minor: VTPM,
  single_socket: VTPM,
  smt_allowed: VTPM,
  device_svn: DEVICE,
  allowed_driver_versions: DEVICE,
  allowed_vbios_versions: DEVICE,
  allowed_switch_bios_versions: DEVICE,
}

const PLAIN_NAME = /^[\w./:-]{1,128}$/
const SHOWN_CHARACTERS = 128

/** Why a name has no {@link Place}, and what to write instead. */
export function whyNotHere(name: string): string {
  // Quoted where it holds anything that a terminal or the text around it could take for something else.
  const shown = PLAIN_NAME.test(name) ? name : escapeUnfit(JSON.stringify(name.slice(0, SHOWN_CHARACTERS)))
  const elsewhere = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : undefined
  if (elsewhere === undefined) {
    return (
      `${shown} is no reference value here, and nothing would check it; those that are: ` +
      `${Object.keys(PLACES).join(', ')}. What your own policy compares goes into a rule: PUT /v1/rules/{name}`
    )
  }
  if ('reason' in elsewhere) return `${shown} is no reference value here: ${elsewhere.reason}`
  if ('claim' in elsewhere) {
    return `${shown} is for a rule to compare here: ${elsewhere.claim}, with PUT /v1/rules/{name}`
  }
  return `${shown} is a field of the appraisal policy here: ${elsewhere.field}, with PUT /v1/policies/default`
}
