// How SGX evidence is appraised.

import type { SgxClaims } from '@casemate/evidence'
import { block } from '../../block.ts'
import { hexes, integers, minimum } from '../../leaf.ts'
import { ECDSA_P256, INTEL_VENDOR_ID, littleEndian, tcb } from '../intel-token.ts'
import { type AppraisedKind, NO_DEPENDENT_CHECKS, SIGNED_CODE_HINT, type TokenObject, way } from '../kind.ts'
import { is, NAME } from '../workload.ts'
import { ANY_SGX, SGX_POLICY } from './policy.ts'

const TEE_TYPE_SGX = 0x00000000

const WORKLOAD = block('An SGX enclave, known by its measurement or its signer.', {
  name: NAME,
  mrEnclave: is(hexes(32), 'sgx.mrEnclave', "Measurements, or 'any' version that the signer signed."),
  mrSigner: is(hexes(32), 'sgx.mrSigner', "Digests of the signers' public keys."),
  isvProdId: is(integers(0, 65_535), 'sgx.isvProdId', 'Product ids of that signer.'),
  minIsvSvn: is(minimum(65_535), 'sgx.isvSvn', 'Lowest security version of that product.'),
})

export const SGX = {
  policy: SGX_POLICY,
  presets: { strict: ANY_SGX, standard: ANY_SGX },
  isIntel: true,
  firmwareBy: 'status',
  dependent: () => () => NO_DEPENDENT_CHECKS,
  workload: { block: WORKLOAD, identifying: ['mrEnclave', 'mrSigner'] },
  ways: [
    way('measurement', 'sgx.mrEnclave'),
    way('measurement', 'enclave.mrEnclave'),
    way('signer', 'sgx.mrSigner'),
    way('signer', 'enclave.mrSigner'),
  ],
  lackHint: () => SIGNED_CODE_HINT,
  workloadOf: ({ sgx: { mrEnclave, mrSigner, isvProdId, isvSvn } }) => ({
    mrEnclave: [mrEnclave],
    mrSigner: [mrSigner],
    isvProdId: [isvProdId],
    minIsvSvn: isvSvn,
  }),
  hasHostData: true,
  token,
} as const satisfies AppraisedKind<SgxClaims>

function token(claims: SgxClaims): TokenObject {
  const body = claims.sgx
  return {
    header: {
      version: littleEndian(claims.quoteVersion, 2),
      att_key_type: littleEndian(ECDSA_P256, 2),
      att_key_data_0: littleEndian(TEE_TYPE_SGX, 4),
      vendor_id: INTEL_VENDOR_ID,
    },
    body: {
      cpu_svn: body.cpuSvn,
      misc_select: body.miscSelect,
      isv_ext_prod_id: body.isvExtProdId,
      'attributes.flags': body.attributesFlags,
      'attributes.xfrm': body.attributesXfrm,
      mr_enclave: body.mrEnclave,
      mr_signer: body.mrSigner,
      config_id: body.configId,
      isv_prod_id: littleEndian(body.isvProdId, 2),
      isv_svn: littleEndian(body.isvSvn, 2),
      config_svn: littleEndian(body.configSvn, 2),
      isv_family_id: body.isvFamilyId,
      report_data: claims.reportData,
    },
    ...tcb(claims),
  }
}
