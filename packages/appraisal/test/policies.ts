// Policies for tests: one that states every expectation as the sample claims have it, and one that states none.

import { type AppraisalPolicy, mergeReferenceValues, parsePolicy } from '../src/index.ts'
import { hex, INIT_DATA_DIGEST, REPORT_DATA } from './claims.ts'

/** What the session of the sample claims demands. */
export const BINDING = { reportData: REPORT_DATA, initDataDigest: INIT_DATA_DIGEST }
export const NO_REFERENCES = mergeReferenceValues()

const minimumTcb = { bootloader: 4, tee: 1, snp: 24, microcode: 219 }

/** A document that the sample claims of every real kind meet, and that leaves nothing at 'any' but workloads. */
export const PINNED_DOCUMENT = {
  name: 'pinned',
  version: 1,
  kinds: ['sgx', 'tdx', 'snp'],
  simulated: false,
  debug: false,
  workloads: 'any',
  hardwareIds: [hex('0d', 16), hex('0e', 64)],
  reportData: 'bound',
  initData: [INIT_DATA_DIGEST],
  tcb: {
    statuses: ['UpToDate', 'SWHardeningNeeded'],
    advisories: ['INTEL-SA-00615'],
    minEvaluationDataNumber: 20,
    minDate: '2025-08-13',
    maxCollateralAge: { tcbInfo: '2d', qeIdentity: '48h', pckCrl: '2880m', rootCrl: '366d', arkCrl: '366d' },
  },
  platform: {
    sgxType: ['scalable'],
    platformInstanceId: [hex('0f', 16)],
    dynamicPlatform: true,
    cachedKeys: false,
    smtEnabled: true,
  },
  sgx: {
    mrEnclave: [hex('21', 32)],
    mrSigner: [hex('22', 32)],
    isvProdId: [7],
    minIsvSvn: 3,
    isvExtProdId: [hex('00', 16)],
    isvFamilyId: [hex('00', 16)],
    attributesFlags: { value: '0500000000000000', mask: 'ffffffffffffffff' },
    attributesXfrm: { value: '0300000000000000', mask: '1b00000000000000' },
    miscSelect: { value: '01000000', mask: '01000000' },
    configId: [INIT_DATA_DIGEST + hex('00', 16)],
    minConfigSvn: 1,
  },
  tdx: {
    mrTd: [hex('01', 48)],
    rtmr0: [hex('10', 48)],
    rtmr1: [hex('11', 48)],
    rtmr2: [hex('12', 48)],
    rtmr3: [hex('13', 48)],
    mrSeam: [hex('05', 48)],
    mrConfigId: [INIT_DATA_DIGEST],
    mrOwner: [hex('00', 48)],
    mrOwnerConfig: [hex('00', 48)],
    mrServiceTd: [hex('00', 48)],
    migration: {
      vmId: 1,
      tdId: hex('41', 32),
      devInfo: hex('42', 48),
      initServiceTdHash: hex('43', 48),
      initServiceTdAttributes: { value: hex('44', 8), mask: hex('ff', 8) },
      initCpuSvn: hex('45', 16),
      initTeeTcbSvn: hex('46', 16),
      initTeeFmspc: hex('47', 12),
      currentServiceTdHash: hex('48', 48),
      currentServiceTdAttributes: { value: hex('49', 8), mask: hex('ff', 8) },
    },
    tdAttributes: { value: '0000001000000000', mask: 'ffffffffffffffff' },
    xfam: { value: 'e702060000000000', mask: 'ffffffffffffffff' },
    attributes: {
      migratable: false,
      icssd: false,
      servtdExt: false,
      lass: false,
      septVeDisable: true,
      protectionKeys: false,
      keyLocker: false,
      tpa: false,
      perfmon: false,
      unknownBits: { value: '0000000000000000', mask: 'ffffffff00000000' },
    },
  },
  snp: {
    measurement: [hex('31', 48)],
    idKeyDigest: [hex('32', 48)],
    authorKeyDigest: [hex('35', 48)],
    familyId: [hex('33', 16)],
    imageId: [hex('34', 16)],
    minGuestSvn: 2,
    vmpl: [0],
    products: ['Milan', 'Turin'],
    signingKeys: ['VCEK'],
    revocation: 'checked',
    minimumTcb: { Milan: minimumTcb, Genoa: 'unstated', Turin: { fmc: 2, ...minimumTcb } },
    guestPolicy: {
      smtAllowed: true,
      migrateMaAllowed: false,
      singleSocketRequired: false,
      cxlAllowed: false,
      memAes256XtsRequired: false,
      raplDisabled: false,
      ciphertextHidingRequired: false,
      pageSwapDisabled: false,
    },
    platformInfo: {
      smtEnabled: true,
      tsmeEnabled: false,
      eccEnabled: true,
      raplDisabled: false,
      ciphertextHidingEnabled: false,
      aliasCheckComplete: true,
      tioEnabled: false,
    },
  },
  enclave: {
    mrEnclave: 'any',
    mrSigner: 'any',
    isvProdId: 'any',
    minIsvSvn: 'any',
    isvExtProdId: 'any',
    isvFamilyId: 'any',
    debug: 'any',
    measuredBy: 'any',
    register: 'any',
  },
}

export const PINNED: AppraisalPolicy = parsePolicy(PINNED_DOCUMENT)

/** A policy that accepts the sample claims of every kind, `sample` too, and looks at nothing it need not look at. */
export function open(changes: object = {}): AppraisalPolicy {
  return parsePolicy({
    extends: 'standard',
    name: 'open',
    version: 1,
    kinds: ['sgx', 'tdx', 'snp', 'sample'],
    simulated: 'any',
    debug: 'any',
    workloads: 'any',
    reportData: 'any',
    initData: 'any',
    tcb: { statuses: 'any', advisories: 'any' },
    ...changes,
  })
}
