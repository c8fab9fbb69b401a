// The two presets, every field stated. Beside no debugging and no migration they demand nothing of a configuration
// that its vendor does not demand; what a policy is really about (which workloads) comes from the reference values.

import { STANDARD_BLOCKS, STRICT_BLOCKS } from './kinds/kinds.ts'

const ANY_PLATFORM = {
  sgxType: 'any',
  platformInstanceId: 'any',
  dynamicPlatform: 'any',
  cachedKeys: 'any',
  smtEnabled: 'any',
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
  kinds: Object.keys(STRICT_BLOCKS),
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
  ...STRICT_BLOCKS,
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
  ...STANDARD_BLOCKS,
}
