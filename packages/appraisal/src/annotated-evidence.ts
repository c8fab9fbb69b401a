// Claims under the names that Confidential Containers' verifiers give them (`snp`, `tdx`, `sgx`, `sample`), so that
// relying parties and Rego policies written for them find what they look for. Integers of a quote are hex in the
// order of the wire there, those of an SNP report are numbers. Fields that Casemate adds have names of their own.

import type { Claims, EnclaveClaims } from '@casemate/evidence'
import type { TokenObject } from './kinds/kind.ts'
import { appraisedKind } from './kinds/kinds.ts'

/** The claims of one kind, keyed by the kind, and the stated enclave where there is one. */
export function annotatedEvidence(claims: Claims): TokenObject {
  const { enclave } = claims
  return enclave === null ? platform(claims) : { ...platform(claims), casemate_enclave: stated(enclave) }
}

function stated(enclave: EnclaveClaims): TokenObject {
  return {
    mr_enclave: enclave.mrEnclave,
    mr_signer: enclave.mrSigner,
    isv_prod_id: enclave.isvProdId,
    isv_svn: enclave.isvSvn,
    isv_ext_prod_id: enclave.isvExtProdId,
    isv_family_id: enclave.isvFamilyId,
    debug: enclave.debug,
    measured_by: enclave.measuredBy,
    register: enclave.register,
  }
}

function platform(claims: Claims): TokenObject {
  const kind = appraisedKind(claims.kind)
  return kind === null ? {} : { [claims.kind]: kind.token(claims) }
}
