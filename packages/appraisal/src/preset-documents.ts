// The two presets, every field stated. Beside no debugging and no migration they demand nothing of a configuration
// that its vendor does not demand; what a policy is really about (which workloads) comes from the reference values.

const ANY_SGX = {
  mrEnclave: 'any',
  mrSigner: 'any',
  isvProdId: 'any',
  minIsvSvn: 'any',
  isvExtProdId: 'any',
  isvFamilyId: 'any',
  attributesFlags: 'any',
  attributesXfrm: 'any',
  miscSelect: 'any',
  configId: 'any',
  minConfigSvn: 'any',
}

const ANY_PLATFORM = {
  sgxType: 'any',
  platformInstanceId: 'any',
  dynamicPlatform: 'any',
  cachedKeys: 'any',
  smtEnabled: 'any',
}

const ANY_MIGRATION = {
  vmId: 'any',
  tdId: 'any',
  devInfo: 'any',
  initServiceTdHash: 'any',
  initServiceTdAttributes: 'any',
  initCpuSvn: 'any',
  initTeeTcbSvn: 'any',
  initTeeFmspc: 'any',
  currentServiceTdHash: 'any',
  currentServiceTdAttributes: 'any',
}

const ANY_TDX = {
  mrTd: 'any',
  rtmr0: 'any',
  rtmr1: 'any',
  rtmr2: 'any',
  rtmr3: 'any',
  mrSeam: 'any',
  mrConfigId: 'any',
  mrOwner: 'any',
  mrOwnerConfig: 'any',
  mrServiceTd: 'any',
  migration: ANY_MIGRATION,
  tdAttributes: 'any',
  xfam: 'any',
  attributes: {
    migratable: 'any',
    icssd: 'any',
    servtdExt: 'any',
    lass: 'any',
    septVeDisable: 'any',
    protectionKeys: 'any',
    keyLocker: 'any',
    tpa: 'any',
    perfmon: 'any',
    unknownBits: 'any',
  },
}

/** Not movable to a host that nobody attested; SEPT_VE_DISABLE is left open, as clouds with a paravisor lack it. */
const FIXED_TDX = { ...ANY_TDX, attributes: { ...ANY_TDX.attributes, migratable: false } }
/** TUD and SEC, in the order of the wire: what such a bit means is not known, and may be anything. */
const NO_UNKNOWN_SECURITY_BITS = { value: '0000000000000000', mask: 'ffffffff00000000' }

const ANY_SNP = {
  measurement: 'any',
  idKeyDigest: 'any',
  authorKeyDigest: 'any',
  familyId: 'any',
  imageId: 'any',
  minGuestSvn: 'any',
  products: 'any',
  signingKeys: 'any',
  platformInfo: {
    smtEnabled: 'any',
    tsmeEnabled: 'any',
    eccEnabled: 'any',
    raplDisabled: 'any',
    ciphertextHidingEnabled: 'any',
    aliasCheckComplete: 'any',
    tioEnabled: 'any',
  },
}

const ANY_GUEST_POLICY = {
  smtAllowed: 'any',
  singleSocketRequired: 'any',
  cxlAllowed: 'any',
  memAes256XtsRequired: 'any',
  raplDisabled: 'any',
  ciphertextHidingRequired: 'any',
  pageSwapDisabled: 'any',
}

const ANY_ENCLAVE = {
  mrEnclave: 'any',
  mrSigner: 'any',
  isvProdId: 'any',
  minIsvSvn: 'any',
  isvExtProdId: 'any',
  isvFamilyId: 'any',
  debug: 'any',
  measuredBy: 'any',
  register: 'any',
}

/** Up to date, not debugged, real hardware, a known workload, bound to the session. */
export const STRICT = {
  name: 'strict',
  version: 1,
  kinds: ['sgx', 'tdx', 'snp'],
  simulated: false,
  debug: false,
  workloads: 'known',
  hardwareIds: 'any',
  reportData: 'bound',
  initData: 'any',
  tcb: {
    statuses: ['UpToDate'],
    advisories: 'none',
    minEvaluationDataNumber: 'any',
    minDate: 'any',
    maxCollateralAge: 'any',
  },
  platform: ANY_PLATFORM,
  sgx: ANY_SGX,
  tdx: {
    ...FIXED_TDX,
    attributes: { ...FIXED_TDX.attributes, servtdExt: false, unknownBits: NO_UNKNOWN_SECURITY_BITS },
  },
  snp: {
    ...ANY_SNP,
    vmpl: [0],
    revocation: 'checked',
    minimumTcb: { Milan: 'unstated', Genoa: 'unstated', Turin: 'unstated' },
    guestPolicy: { ...ANY_GUEST_POLICY, migrateMaAllowed: false },
  },
  enclave: ANY_ENCLAVE,
}

/**
 * As strict, but for fleets that cannot be UpToDate: what is left to do is in the enclave's own code or in the
 * machine's set-up. Listed are the two advisories whose mitigation compilers make in the enclave's code
 * (load value injection, stale MMIO data); any other has to be listed by the policy's author. SNP: any firmware.
 */
export const STANDARD = {
  ...STRICT,
  name: 'standard',
  tcb: {
    ...STRICT.tcb,
    statuses: ['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded'],
    advisories: ['INTEL-SA-00334', 'INTEL-SA-00615'],
  },
  tdx: FIXED_TDX,
  snp: { ...STRICT.snp, revocation: 'any', minimumTcb: { Milan: 'any', Genoa: 'any', Turin: 'any' } },
}
