// Claims that every check accepts, one object per kind, to change one thing at a time.

import type { IntelPlatformClaims, SampleClaims, SgxClaims, SnpClaims, TdxClaims } from '@casemate/evidence'

/** Hex of `bytes` bytes, all the same. */
export const hex = (digits: string, bytes: number): string => digits.repeat(bytes)

export const REPORT_DATA = hex('a1', 48) + hex('00', 16)
export const INIT_DATA_DIGEST = hex('b2', 48)
/** When the claims below are appraised. */
export const NOW = new Date('2025-09-01T12:00:00Z')
const NOT_USED = { tcbInfo: null, qeIdentity: null, pckCrl: null, rootCrl: null, arkCrl: null }

const platform: IntelPlatformClaims = {
  fmspc: '90c06f000000',
  pceId: '0000',
  ppid: hex('0d', 16),
  cpuSvn: Array.from({ length: 16 }, () => 5),
  pceSvn: 11,
  pckSerial: '01',
  sgxType: 'scalable',
  platformInstanceId: hex('0f', 16),
  dynamicPlatform: true,
  cachedKeys: false,
  smtEnabled: true,
  qeSvn: 8,
  qeTcbStatus: 'UpToDate',
  qeTcbDate: '2025-08-13T00:00:00Z',
  platformTcbStatus: 'UpToDate',
  platformTcbDate: '2025-08-13T00:00:00Z',
  tcbShortfalls: [],
  tcbInfoEvaluationDataNumber: 20,
  qeIdentityEvaluationDataNumber: 20,
  trailingBytes: 0,
}

const intel = {
  signer: null,
  debug: false,
  tcbStatus: 'UpToDate',
  tcbDate: '2025-08-13T00:00:00Z',
  advisoryIds: [],
  tcbEvaluationDataNumber: 20,
  collateral: {
    ...NOT_USED,
    tcbInfo: '2025-08-30T12:00:00Z',
    qeIdentity: '2025-08-30T12:00:00Z',
    pckCrl: '2025-08-30T12:00:00Z',
    rootCrl: '2025-03-20T11:21:57Z',
  },
  reportData: REPORT_DATA,
  hardwareId: hex('0d', 16),
  simulated: false,
  enclave: null,
} as const

export const TDX: TdxClaims = {
  ...intel,
  kind: 'tdx',
  measurement: hex('01', 48),
  hostData: INIT_DATA_DIGEST,
  quoteVersion: 5,
  tdx: {
    bodyVersion: '1.5-migration',
    teeTcbSvn: hex('06', 16),
    mrSeam: hex('05', 48),
    mrSignerSeam: hex('00', 48),
    seamAttributes: hex('00', 8),
    tdAttributes: '0000001000000000',
    xfam: 'e702060000000000',
    mrTd: hex('01', 48),
    mrConfigId: INIT_DATA_DIGEST,
    mrOwner: hex('00', 48),
    mrOwnerConfig: hex('00', 48),
    rtmr0: hex('10', 48),
    rtmr1: hex('11', 48),
    rtmr2: hex('12', 48),
    rtmr3: hex('13', 48),
    teeTcbSvn2: hex('06', 16),
    migration: {
      vmId: 1,
      tdId: hex('41', 32),
      devInfo: hex('42', 48),
      initServiceTdHash: hex('43', 48),
      initServiceTdAttributes: hex('44', 8),
      initCpuSvn: hex('45', 16),
      initTeeTcbSvn: hex('46', 16),
      initTeeFmspc: hex('47', 12),
      currentServiceTdHash: hex('48', 48),
      currentServiceTdAttributes: hex('49', 8),
    },
    mrServiceTd: hex('00', 48),
    attributes: {
      debug: false,
      hgsPlusProf: false,
      perfProf: false,
      pmtProf: false,
      icssd: false,
      servtdExt: false,
      lass: false,
      septVeDisable: true,
      migratable: false,
      protectionKeys: false,
      keyLocker: false,
      tpa: false,
      perfmon: false,
      unknownBits: hex('00', 8),
    },
    moduleTcbStatus: 'UpToDate',
    moduleTcbDate: '2025-08-13T00:00:00Z',
  },
  platform,
}

export const SGX: SgxClaims = {
  ...intel,
  kind: 'sgx',
  measurement: hex('21', 32),
  signer: hex('22', 32),
  hostData: INIT_DATA_DIGEST + hex('00', 16),
  quoteVersion: 3,
  sgx: {
    cpuSvn: hex('05', 16),
    miscSelect: '01000000',
    isvExtProdId: hex('00', 16),
    attributesFlags: '0500000000000000',
    attributesXfrm: 'e700000000000000',
    mrEnclave: hex('21', 32),
    mrSigner: hex('22', 32),
    configId: INIT_DATA_DIGEST + hex('00', 16),
    isvProdId: 7,
    isvSvn: 3,
    configSvn: 1,
    isvFamilyId: hex('00', 16),
  },
  platform,
}

const tcb = { fmc: null, bootloader: 4, tee: 1, snp: 24, microcode: 219 }

export const SNP: SnpClaims = {
  kind: 'snp',
  measurement: hex('31', 48),
  signer: hex('32', 48),
  debug: false,
  tcbStatus: null,
  tcbDate: null,
  advisoryIds: [],
  tcbEvaluationDataNumber: null,
  collateral: { ...NOT_USED, arkCrl: '2025-05-06T12:39:06Z' },
  reportData: REPORT_DATA,
  hardwareId: hex('0e', 64),
  hostData: INIT_DATA_DIGEST.slice(0, 64),
  simulated: false,
  enclave: null,
  reportVersion: 3,
  snp: {
    product: 'Milan',
    guestSvn: 2,
    policy: {
      abiMajor: 0,
      abiMinor: 31,
      smtAllowed: true,
      migrateMaAllowed: false,
      debugAllowed: false,
      singleSocketRequired: false,
      cxlAllowed: false,
      memAes256XtsRequired: false,
      raplDisabled: false,
      ciphertextHidingRequired: false,
      pageSwapDisabled: false,
    },
    familyId: hex('33', 16),
    imageId: hex('34', 16),
    vmpl: 0,
    platformInfo: {
      smtEnabled: true,
      tsmeEnabled: false,
      eccEnabled: true,
      raplDisabled: false,
      ciphertextHidingEnabled: false,
      aliasCheckComplete: true,
      tioEnabled: false,
    },
    platformInfoBits: '0000000000000025',
    authorKeyEnabled: true,
    maskChipKey: false,
    signingKey: 'VCEK',
    measurement: hex('31', 48),
    hostData: INIT_DATA_DIGEST.slice(0, 64),
    idKeyDigest: hex('32', 48),
    authorKeyDigest: hex('35', 48),
    reportId: hex('36', 32),
    reportIdMa: hex('ff', 32),
    chipId: hex('0e', 64),
    hardwareIdSource: 'report',
    currentTcb: tcb,
    reportedTcb: tcb,
    committedTcb: tcb,
    launchTcb: tcb,
    currentVersion: '1.55.29',
    committedVersion: '1.55.29',
    cpuid: { family: 25, model: 1, stepping: 1 },
    cspId: null,
    launchMitVector: null,
    currentMitVector: null,
    revocation: 'checked',
  },
}

/** As TURIN has it: with an FMC. */
export const SNP_TURIN: SnpClaims = {
  ...SNP,
  snp: {
    ...SNP.snp,
    product: 'Turin',
    reportedTcb: { ...tcb, fmc: 2 },
    committedTcb: { ...tcb, fmc: 2 },
    currentTcb: { ...tcb, fmc: 2 },
    launchTcb: { ...tcb, fmc: 2 },
  },
}

export const SAMPLE: SampleClaims = {
  kind: 'sample',
  measurement: '6162636465'.padEnd(96, '0'),
  signer: null,
  debug: false,
  tcbStatus: null,
  tcbDate: null,
  advisoryIds: [],
  tcbEvaluationDataNumber: null,
  collateral: NOT_USED,
  reportData: REPORT_DATA,
  hardwareId: null,
  hostData: hex('00', 32),
  simulated: true,
  enclave: null,
  sample: { svn: '1', launchDigest: 'abcde', platformVersion: { major: 1, minor: 4 } },
}

/** A copy with one claim changed, by dotted path. */
export function withClaim<C extends object>(claims: C, path: string, value: unknown): C {
  const copy = JSON.parse(JSON.stringify(claims)) as Record<string, unknown>
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  let place = copy
  for (const key of keys) place = place[key] as Record<string, unknown>
  if (!Object.hasOwn(place, last)) throw new TypeError(`no claim at ${path}`)
  place[last] = value
  return copy as C
}
