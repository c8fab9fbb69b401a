// How SEV-SNP evidence is appraised.

import type { SnpClaims } from '@casemate/evidence'
import { block } from '../../block.ts'
import { hexes, minimum } from '../../leaf.ts'
import { type AppraisedKind, SIGNED_CODE_HINT, type TokenObject, way } from '../kind.ts'
import { is, NAME } from '../workload.ts'
import { minimumTcb } from './minimum-tcb.ts'
import { SNP_POLICY, STANDARD_SNP, STRICT_SNP } from './policy.ts'

const WORKLOAD = block(
  'A SEV-SNP guest, known by its measurement or by a key that signed it; zeros are no key.',
  {
    name: NAME,
    measurement: is(hexes(48), 'snp.measurement', 'Launch measurements.'),
    idKeyDigest: is(hexes(48), 'snp.idKeyDigest', 'Digests of the keys that signed its ID block.'),
    authorKeyDigest: is(hexes(48), 'snp.authorKeyDigest', 'Digests of the keys that signed those keys.'),
    minGuestSvn: is(minimum(4_294_967_295), 'snp.guestSvn', 'Lowest guest SVN of its ID block.'),
  },
)

export const SNP = {
  policy: SNP_POLICY,
  presets: { strict: STRICT_SNP, standard: STANDARD_SNP },
  isIntel: false,
  firmwareBy: 'minimum',
  dependent: minimumTcb,
  workload: { block: WORKLOAD, identifying: ['measurement', 'idKeyDigest', 'authorKeyDigest'] },
  ways: [
    way('measurement', 'snp.measurement'),
    way('signer', 'snp.idKeyDigest'),
    way('signer', 'snp.authorKeyDigest'),
  ],
  lackHint: () => SIGNED_CODE_HINT,
  workloadOf: ({ snp: { measurement } }) => ({
    measurement: [measurement],
    idKeyDigest: 'any',
    authorKeyDigest: 'any',
    minGuestSvn: 'any',
  }),
  hasHostData: true,
  token,
} as const satisfies AppraisedKind<SnpClaims>

function token({ snp: report }: SnpClaims): TokenObject {
  const { policy, platformInfo, reportedTcb } = report
  return {
    policy_abi_major: policy.abiMajor,
    policy_abi_minor: policy.abiMinor,
    policy_smt_allowed: policy.smtAllowed,
    policy_migrate_ma: policy.migrateMaAllowed,
    policy_debug_allowed: policy.debugAllowed,
    policy_single_socket: policy.singleSocketRequired,
    reported_tcb_bootloader: reportedTcb.bootloader,
    reported_tcb_tee: reportedTcb.tee,
    reported_tcb_snp: reportedTcb.snp,
    reported_tcb_microcode: reportedTcb.microcode,
    platform_tsme_enabled: platformInfo.tsmeEnabled,
    platform_smt_enabled: platformInfo.smtEnabled,
    measurement: report.measurement,
    chip_id: report.chipId,
    vmpl: report.vmpl,
    guest_svn: report.guestSvn,
    id_key_digest: report.idKeyDigest,
    author_key_digest: report.authorKeyDigest,
    family_id: report.familyId,
    image_id: report.imageId,
  }
}
