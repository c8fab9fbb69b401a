// How TDX evidence is appraised.

import type { TdxClaims } from '@casemate/evidence'
import { block } from '../../block.ts'
import { hexes } from '../../leaf.ts'
import { ECDSA_P256, INTEL_VENDOR_ID, littleEndian, tcb } from '../intel-token.ts'
import { type AppraisedKind, NO_DEPENDENT_CHECKS, type TokenObject, way } from '../kind.ts'
import { is, NAME } from '../workload.ts'
import { FIXED_TDX, STRICT_TDX, TDX_POLICY } from './policy.ts'

const TEE_TYPE_TDX = 0x00000081

const WORKLOAD = block(
  'A TDX domain. Known by mrTd, rtmr1 and rtmr2 together: firmware alone loads any kernel, and registers are the word of the firmware. What the policy names counts with them.',
  {
    name: NAME,
    mrTd: is(hexes(48), 'tdx.mrTd', 'Measurements of the initial domain: its firmware.'),
    rtmr0: is(hexes(48), 'tdx.rtmr0', 'Firmware configuration and boot variables.'),
    rtmr1: is(hexes(48), 'tdx.rtmr1', 'Boot loader and kernel.'),
    rtmr2: is(hexes(48), 'tdx.rtmr2', 'Kernel command line and initial RAM disk.'),
    rtmr3: is(hexes(48), 'tdx.rtmr3', 'What the guest extends at run time.'),
  },
)

export const TDX = {
  policy: TDX_POLICY,
  presets: { strict: STRICT_TDX, standard: FIXED_TDX },
  isIntel: true,
  firmwareBy: 'status',
  dependent: () => () => NO_DEPENDENT_CHECKS,
  workload: { block: WORKLOAD, identifying: ['mrTd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] },
  ways: [way('measurement', 'tdx.mrTd', 'tdx.rtmr1', 'tdx.rtmr2'), way('firmware', 'tdx.mrTd')],
  lackHint: compared =>
    compared.has('tdx.mrTd')
      ? 'that firmware loads any kernel; state rtmr1 and rtmr2 as well. Where the firmware is all that runs, name it as tdx.mrTd in a policy with workloads: any'
      : 'registers are the word of the firmware, and any firmware can say the same; state mrTd as well, here or as tdx.mrTd in the policy',
  workloadOf: ({ tdx: { mrTd, rtmr0, rtmr1, rtmr2, rtmr3 }, enclave }) => ({
    mrTd: [mrTd],
    rtmr0: [rtmr0],
    rtmr1: [rtmr1],
    rtmr2: [rtmr2],
    // A register that shows the enclave differs with every enclave; the policy's block for enclaves looks at it.
    rtmr3: enclave?.register === 'extended' ? 'any' : [rtmr3],
  }),
  hasHostData: true,
  token,
} as const satisfies AppraisedKind<TdxClaims>

function token(claims: TdxClaims): TokenObject {
  const body = claims.tdx
  return {
    quote: {
      header: {
        version: littleEndian(claims.quoteVersion, 2),
        att_key_type: littleEndian(ECDSA_P256, 2),
        tee_type: littleEndian(TEE_TYPE_TDX, 4),
        vendor_id: INTEL_VENDOR_ID,
      },
      body: tdxBody(claims),
    },
    td_attributes: {
      debug: body.attributes.debug,
      septve_disable: body.attributes.septVeDisable,
      protection_keys: body.attributes.protectionKeys,
      key_locker: body.attributes.keyLocker,
      perfmon: body.attributes.perfmon,
    },
    ...tcb(claims),
  }
}

function tdxBody({ tdx: body, reportData }: TdxClaims): TokenObject {
  const later: Record<string, unknown> = {}
  if (body.teeTcbSvn2 !== null) later['tee_tcb_svn2'] = body.teeTcbSvn2
  if (body.mrServiceTd !== null) later['mr_servicetd'] = body.mrServiceTd
  return {
    tcb_svn: body.teeTcbSvn,
    mr_seam: body.mrSeam,
    mrsigner_seam: body.mrSignerSeam,
    seam_attributes: body.seamAttributes,
    td_attributes: body.tdAttributes,
    xfam: body.xfam,
    mr_td: body.mrTd,
    mr_config_id: body.mrConfigId,
    mr_owner: body.mrOwner,
    mr_owner_config: body.mrOwnerConfig,
    rtmr_0: body.rtmr0,
    rtmr_1: body.rtmr1,
    rtmr_2: body.rtmr2,
    rtmr_3: body.rtmr3,
    report_data: reportData,
    ...later,
  }
}
