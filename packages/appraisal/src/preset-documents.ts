// The two presets, every field stated. They demand nothing of a platform's configuration that its vendor
// does not demand; what a policy is really about (which workloads) comes from the reference values.

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
  tdAttributes: 'any',
  xfam: 'any',
  attributes: { septVeDisable: 'any', protectionKeys: 'any', keyLocker: 'any', perfmon: 'any' },
}

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
  tcb: { statuses: ['UpToDate'], advisories: 'none', minEvaluationDataNumber: 'any', minDate: 'any' },
  sgx: ANY_SGX,
  tdx: ANY_TDX,
  snp: {
    ...ANY_SNP,
    vmpl: [0],
    revocation: 'checked',
    minimumTcb: { Milan: 'unstated', Genoa: 'unstated', Turin: 'unstated' },
    guestPolicy: { ...ANY_GUEST_POLICY, migrateMaAllowed: false },
  },
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
  snp: { ...STRICT.snp, revocation: 'any', minimumTcb: { Milan: 'any', Genoa: 'any', Turin: 'any' } },
}
