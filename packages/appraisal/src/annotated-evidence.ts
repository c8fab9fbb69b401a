// Claims under the names that Confidential Containers' verifiers give them (`snp`, `tdx`, `sgx`, `sample`), so that
// relying parties and Rego policies written for them find what they look for. Integers of a quote are hex in the
// order of the wire there, those of an SNP report are numbers. Fields that Casemate adds have names of their own.

import type { Claims, EnclaveClaims, SampleClaims, SgxClaims, SnpClaims, TdxClaims } from '@casemate/evidence'

/** The vendor id of Intel's quoting enclaves: the only ones whose identity Intel signs, so that no other verifies. */
const INTEL_VENDOR_ID = '939a7233f79c4ca9940a0db3957f0607'
const ECDSA_P256 = 2
const TEE_TYPE_SGX = 0x00000000
const TEE_TYPE_TDX = 0x00000081

/** A JSON object of a token. */
export type TokenObject = Readonly<Record<string, unknown>>

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
  switch (claims.kind) {
    case 'sgx':
      return { sgx: sgx(claims) }
    case 'tdx':
      return { tdx: tdx(claims) }
    case 'snp':
      return { snp: snp(claims) }
    case 'sample':
      return { sample: sample(claims) }
    default:
      return claims satisfies never
  }
}

function sample({ sample: { svn, launchDigest, platformVersion }, debug }: SampleClaims): TokenObject {
  return { svn, launch_digest: launchDigest, platform_version: { ...platformVersion }, debug }
}

/** An unsigned integer as hex, least significant byte first. */
function littleEndian(value: number, bytes: number): string {
  let hex = ''
  for (let index = 0; index < bytes; index++) {
    hex += (Math.floor(value / 2 ** (8 * index)) % 256).toString(16).padStart(2, '0')
  }
  return hex
}

function sgx(claims: SgxClaims): TokenObject {
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

function tdx(claims: TdxClaims): TokenObject {
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

/** Names of Intel's quote verification library; expired collateral never gets as far as a token. */
function tcb(claims: SgxClaims | TdxClaims): TokenObject {
  const known: Record<string, unknown> = {
    collateral_expiration_status: '0',
    advisory_ids: [...claims.advisoryIds],
  }
  if (claims.tcbStatus !== null) known['tcb_status'] = claims.tcbStatus
  if (claims.tcbDate !== null) known['tcb_date'] = claims.tcbDate
  if (claims.tcbEvaluationDataNumber !== null) known['tcb_eval_num'] = claims.tcbEvaluationDataNumber
  return known
}

function snp({ snp: report }: SnpClaims): TokenObject {
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
