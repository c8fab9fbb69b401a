// The appraisal policy, field by field: what may be written, what it is compared with, what it means and what to do
// when it is not met. Parser, JSON Schema, types and checks are all derived from these tables.
// Field names are the vendors' (SGX_REPORT_BODY, TD_QUOTE_BODY, ATTESTATION_REPORT).

import { KINDS, TCB_STATUSES, type TdMigrationClaims } from '@casemate/evidence'
import { block, choice, field, type ValueOf } from './block.ts'
import { type ExpectationDetail, expect } from './expectation.ts'
import {
  bits,
  counter,
  flag,
  hardwareIds,
  hexes,
  hexList,
  integers,
  maxAge,
  minimum,
  notBefore,
  orWord,
  text,
  texts,
  word,
  wordList,
  words,
} from './leaf.ts'
import { shortOfAccepted } from './shortfall.ts'

/** Names of policies and workloads: they appear in tokens, URLs and messages. Words of the policy are no names. */
export const NAME_PATTERN = '^(?!(?:any|known|none|bound)$)[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$'
const NAME =
  'a name of 1 to 64 lower-case letters, digits, dots, dashes and underscores, other than any, known, none and bound'

/** A leaf for such a name. */
export const name = () => text(NAME_PATTERN, NAME)

const U8 = 255
const U16 = 65_535
const U32 = 4_294_967_295

const executables = (claim: ExpectationDetail['claim'], meaning: string): ExpectationDetail => ({
  claim,
  facet: 'executables',
  meaning,
  remedy: 'this is other code than the policy names; add the value if it is yours',
})

const configuration = (
  claim: ExpectationDetail['claim'],
  meaning: string,
  remedy = 'start the workload with the configuration that the policy states',
): ExpectationDetail => ({ claim, facet: 'configuration', meaning, remedy })

/** Which of them a single duration bounds: those that are issued for a month. Lists of roots are issued for a year. */
const MONTHLY = ['tcbInfo', 'qeIdentity', 'pckCrl'] as const

const COLLATERAL = block(
  'How long ago the vendor may have issued what was used, as 7d, 12h or 30m. One duration bounds TCB info, identity and PCK CRL, which are issued for a month; the lists of the roots are issued for a year, and bounded by their own fields alone. What was not used at all, though it is bounded, is refused.',
  {
    tcbInfo: field(maxAge(), 'TCB info (sgx and tdx).'),
    qeIdentity: field(maxAge(), "The quoting enclave's identity (sgx and tdx)."),
    pckCrl: field(maxAge(), 'The revocation list of the CA that issued the PCK certificate (sgx and tdx).'),
    rootCrl: field(maxAge(), "The revocation list of Intel's root (sgx and tdx)."),
    arkCrl: field(maxAge(), "The revocation list of AMD's root (snp)."),
  },
  {
    leaf: maxAge(),
    expand: age => ({
      rootCrl: 'any',
      arkCrl: 'any',
      ...Object.fromEntries(MONTHLY.map(kind => [kind, age])),
    }),
  },
)

/** The vendor's word on the platform: Intel's TCB evaluation, and for all kinds how old what was used may be. */
const TCB = block("Intel's TCB evaluation of platform, quoting enclave and TDX module (sgx and tdx).", {
  statuses: expect(words(TCB_STATUSES), {
    claim: 'tcbStatus',
    facet: 'hardware',
    meaning: 'TCB statuses that are accepted.',
    remedy: 'update the platform, or accept the status by name once its advisories have been read',
    reason: shortOfAccepted,
  }),
  advisories: field(
    orWord(['any', 'none'], texts('^[A-Z]{2,16}-SA-[0-9]{3,6}$', 'Intel advisory ids as INTEL-SA-00615')),
    "Advisories that are accepted: every advisory that the TCB level carries has to be listed; 'none' accepts no advisory.",
  ),
  minEvaluationDataNumber: expect(minimum(U32), {
    claim: 'tcbEvaluationDataNumber',
    facet: 'hardware',
    meaning: 'The lowest tcbEvaluationDataNumber of the TCB info and identities that were used.',
    remedy: 'verify with newer TCB info; the number grows with every TCB recovery',
  }),
  minDate: expect(notBefore(), {
    claim: 'tcbDate',
    facet: 'hardware',
    meaning:
      'The earliest date of the TCB levels that platform, TDX module and quoting enclave reach; the oldest counts.',
    remedy:
      'update the oldest part: microcode and firmware, TDX module or quoting enclave; the claims have a date of each',
  }),
  maxCollateralAge: COLLATERAL,
})

const OTHER_MACHINE = 'start the workload on a machine that is set up as the policy states'

const PLATFORM = block('What the PCK certificate says of the machine (sgx and tdx).', {
  sgxType: expect(words(['standard', 'scalable', 'scalable-with-integrity']), {
    claim: 'platform.sgxType',
    facet: 'hardware',
    meaning: 'How memory is protected.',
    remedy: OTHER_MACHINE,
  }),
  platformInstanceId: expect(hexes(16), {
    claim: 'platform.platformInstanceId',
    facet: 'instance-identity',
    meaning: 'Platforms of several processor packages; only certificates of the Platform CA have the id.',
    remedy: 'start the workload on a listed platform, or list this one',
  }),
  dynamicPlatform: expect(
    flag(),
    configuration(
      'platform.dynamicPlatform',
      'Whether packages may be added to the platform; only certificates of the Platform CA say it.',
      OTHER_MACHINE,
    ),
  ),
  cachedKeys: expect(
    flag(),
    configuration(
      'platform.cachedKeys',
      "Whether Intel's registration service keeps the platform's root keys; only certificates of the Platform CA say it.",
      OTHER_MACHINE,
    ),
  ),
  smtEnabled: expect(
    flag(),
    configuration(
      'platform.smtEnabled',
      'Whether SMT (hyper-threading) is on; only certificates of the Platform CA say it.',
      OTHER_MACHINE,
    ),
  ),
})

const MIGRATED =
  'the domain, its history or its migration TD is another than the policy states; start it anew'
const migration = (field: keyof TdMigrationClaims, meaning: string) =>
  configuration(`tdx.migration.${field}`, meaning, MIGRATED)

const MIGRATION = block(
  'What a body of 1.5 with migration fields says of the domain, whatever host it is on. Naming anything here demands such a body.',
  {
    vmId: expect(integers(0, U8), migration('vmId', 'VMID.')),
    tdId: expect(hexes(32), migration('tdId', 'TD_ID: the same on every host.')),
    devInfo: expect(hexes(48), migration('devInfo', 'DEVINFO.')),
    initServiceTdHash: expect(
      hexes(48),
      migration('initServiceTdHash', 'INIT_SERVTD_HASH: service domains that the domain was created with.'),
    ),
    initServiceTdAttributes: expect(
      bits(8),
      migration('initServiceTdAttributes', 'INIT_SERVTD_ATTR, masked.'),
    ),
    initCpuSvn: expect(hexes(16), migration('initCpuSvn', 'INIT_CPUSVN: of the host that created it.')),
    initTeeTcbSvn: expect(hexes(16), migration('initTeeTcbSvn', 'INIT_TEE_TCB_SVN: of that host.')),
    initTeeFmspc: expect(hexes(12), migration('initTeeFmspc', 'INIT_TEE_FMSPC: of that host.')),
    currentServiceTdHash: expect(
      hexes(48),
      migration('currentServiceTdHash', 'CURR_SERVTD_HASH: service domains that it has now.'),
    ),
    currentServiceTdAttributes: expect(
      bits(8),
      migration('currentServiceTdAttributes', 'CURR_SERVTD_ATTR, masked.'),
    ),
  },
)

const SGX = block('SGX enclaves (SGX_REPORT_BODY).', {
  mrEnclave: expect(hexes(32), executables('sgx.mrEnclave', 'Enclave measurements.')),
  mrSigner: expect(hexes(32), executables('sgx.mrSigner', "Digests of the signers' public keys.")),
  isvProdId: expect(
    integers(0, U16),
    executables('sgx.isvProdId', 'Product ids; they mean something per mrSigner only.'),
  ),
  minIsvSvn: expect(
    minimum(U16),
    executables('sgx.isvSvn', 'Lowest security version; it means something per mrSigner only.'),
  ),
  isvExtProdId: expect(hexes(16), executables('sgx.isvExtProdId', 'Extended product ids (KSS).')),
  isvFamilyId: expect(hexes(16), executables('sgx.isvFamilyId', 'Family ids (KSS).')),
  attributesFlags: expect(bits(8), configuration('sgx.attributesFlags', 'ATTRIBUTES.FLAGS, masked.')),
  attributesXfrm: expect(bits(8), configuration('sgx.attributesXfrm', 'ATTRIBUTES.XFRM, masked.')),
  miscSelect: expect(bits(4), configuration('sgx.miscSelect', 'MISCSELECT, masked.')),
  configId: expect(hexes(64), configuration('sgx.configId', 'CONFIGID values (KSS).')),
  minConfigSvn: expect(minimum(U16), configuration('sgx.configSvn', 'Lowest CONFIGSVN (KSS).')),
})

const TDX = block('TDX domains (TD_QUOTE_BODY).', {
  mrTd: expect(hexes(48), executables('tdx.mrTd', 'Measurements of the initial domain: its firmware.')),
  rtmr0: expect(hexes(48), executables('tdx.rtmr0', 'Firmware configuration and boot variables.')),
  rtmr1: expect(hexes(48), executables('tdx.rtmr1', 'Boot loader and kernel.')),
  rtmr2: expect(hexes(48), executables('tdx.rtmr2', 'Kernel command line and initial RAM disk.')),
  rtmr3: expect(hexes(48), executables('tdx.rtmr3', 'What the guest extends at run time.')),
  mrSeam: expect(hexes(48), {
    claim: 'tdx.mrSeam',
    facet: 'hardware',
    meaning: 'Measurements of the TDX module.',
    remedy: 'the host runs another TDX module; update it, or add its measurement',
  }),
  mrConfigId: expect(hexes(48), configuration('tdx.mrConfigId', 'MRCONFIGID values.')),
  mrOwner: expect(hexes(48), executables('tdx.mrOwner', 'MROWNER values.')),
  mrOwnerConfig: expect(hexes(48), configuration('tdx.mrOwnerConfig', 'MROWNERCONFIG values.')),
  mrServiceTd: expect(hexes(48), executables('tdx.mrServiceTd', 'Service domains (1.5 bodies only).')),
  migration: MIGRATION,
  tdAttributes: expect(bits(8), configuration('tdx.tdAttributes', 'TDATTRIBUTES, masked.')),
  xfam: expect(bits(8), configuration('tdx.xfam', 'XFAM, masked.')),
  attributes: block('TDATTRIBUTES by name; `debug` covers those that make a TD untrusted.', {
    migratable: expect(
      flag(),
      configuration(
        'tdx.attributes.migratable',
        'MIGRATABLE: a migration TD may move the domain, memory and all, to another host.',
        'start the domain without migration, or accept it where you know the migration TD',
      ),
    ),
    icssd: expect(flag(), configuration('tdx.attributes.icssd', 'ICSSD.')),
    servtdExt: expect(
      flag(),
      configuration(
        'tdx.attributes.servtdExt',
        'SERVTD_EXT: service domains, as a migration TD, may be bound anew.',
        'start the domain without it, or accept it where `tdx.migration` names the service domains that you know',
      ),
    ),
    lass: expect(flag(), configuration('tdx.attributes.lass', 'LASS: linear address space separation.')),
    septVeDisable: expect(
      flag(),
      configuration('tdx.attributes.septVeDisable', 'SEPT_VE_DISABLE: no #VE on pending pages.'),
    ),
    protectionKeys: expect(
      flag(),
      configuration('tdx.attributes.protectionKeys', 'PKS: supervisor protection keys.'),
    ),
    keyLocker: expect(flag(), configuration('tdx.attributes.keyLocker', 'KL: Key Locker.')),
    tpa: expect(flag(), configuration('tdx.attributes.tpa', 'TPA: a TDX Connect provisioning agent.')),
    perfmon: expect(flag(), configuration('tdx.attributes.perfmon', 'PERFMON: performance counters.')),
    unknownBits: expect(
      bits(8),
      configuration(
        'tdx.attributes.unknownBits',
        'Set bits that have no name here, masked; bits 8 to 31 are security attributes.',
        'find out what the bit means in the TDX module’s ABI, then take it out of the mask',
      ),
    ),
  }),
})

const COMPONENTS = {
  bootloader: field(minimum(U8), 'Boot loader SVN.'),
  tee: field(minimum(U8), 'ASP operating system SVN.'),
  snp: field(minimum(U8), 'SNP firmware SVN.'),
  microcode: field(minimum(U8), 'Microcode SVN.'),
}
const MINIMUM_TCB =
  "Lowest SVN of each component, demanded of the reported and of the launch TCB. AMD publishes no TCB status, so this is the gate: 'unstated' refuses every report until a minimum is stated; 'any' accepts every firmware."

const GUEST_POLICY = block('Bits of the guest POLICY.', {
  smtAllowed: expect(flag(), configuration('snp.policy.smtAllowed', 'SMT.')),
  migrateMaAllowed: expect(
    flag(),
    configuration('snp.policy.migrateMaAllowed', 'MIGRATE_MA: a migration agent may export the guest.'),
  ),
  singleSocketRequired: expect(flag(), configuration('snp.policy.singleSocketRequired', 'SINGLE_SOCKET.')),
  cxlAllowed: expect(flag(), configuration('snp.policy.cxlAllowed', 'CXL_ALLOW.')),
  memAes256XtsRequired: expect(flag(), configuration('snp.policy.memAes256XtsRequired', 'MEM_AES_256_XTS.')),
  raplDisabled: expect(flag(), configuration('snp.policy.raplDisabled', 'RAPL_DIS.')),
  ciphertextHidingRequired: expect(
    flag(),
    configuration('snp.policy.ciphertextHidingRequired', 'CIPHERTEXT_HIDING_DRAM.'),
  ),
  pageSwapDisabled: expect(flag(), configuration('snp.policy.pageSwapDisabled', 'PAGE_SWAP_DISABLE.')),
})

const HOST = 'the host has to be set up so; start the workload on another one'
const PLATFORM_INFO = block('Bits of PLATFORM_INFO.', {
  smtEnabled: expect(flag(), configuration('snp.platformInfo.smtEnabled', 'SMT_EN.', HOST)),
  tsmeEnabled: expect(flag(), configuration('snp.platformInfo.tsmeEnabled', 'TSME_EN.', HOST)),
  eccEnabled: expect(flag(), configuration('snp.platformInfo.eccEnabled', 'ECC_EN.', HOST)),
  raplDisabled: expect(flag(), configuration('snp.platformInfo.raplDisabled', 'RAPL_DIS.', HOST)),
  ciphertextHidingEnabled: expect(
    flag(),
    configuration('snp.platformInfo.ciphertextHidingEnabled', 'CIPHERTEXT_HIDING_DRAM_EN.', HOST),
  ),
  aliasCheckComplete: expect(
    flag(),
    configuration('snp.platformInfo.aliasCheckComplete', 'ALIAS_CHECK_COMPLETE: no aliased memory.', HOST),
  ),
  tioEnabled: expect(flag(), configuration('snp.platformInfo.tioEnabled', 'TIO_EN.', HOST)),
})

const SNP = block('SEV-SNP guests (ATTESTATION_REPORT).', {
  measurement: expect(hexes(48), executables('snp.measurement', 'Launch measurements.')),
  idKeyDigest: expect(hexes(48), executables('snp.idKeyDigest', 'Digests of the ID keys.')),
  authorKeyDigest: expect(hexes(48), executables('snp.authorKeyDigest', 'Digests of the author keys.')),
  familyId: expect(hexes(16), executables('snp.familyId', 'Family ids of the ID block.')),
  imageId: expect(hexes(16), executables('snp.imageId', 'Image ids of the ID block.')),
  minGuestSvn: expect(minimum(U32), executables('snp.guestSvn', 'Lowest guest SVN of the ID block.')),
  vmpl: expect(
    integers(0, 3),
    configuration('snp.vmpl', 'Privilege levels that may ask for the report; 0 is the most privileged.'),
  ),
  products: expect(words(['Milan', 'Genoa', 'Turin']), {
    claim: 'snp.product',
    facet: 'hardware',
    meaning: 'Processor families.',
    remedy: 'start the workload on a processor of a family that the policy names',
  }),
  signingKeys: expect(words(['VCEK', 'VLEK']), {
    claim: 'snp.signingKey',
    facet: 'hardware',
    meaning: 'Keys that may sign the report: VCEK (of the chip) or VLEK (loaded by a cloud provider).',
    remedy: 'have the host sign with the other key, or add it here',
  }),
  revocation: expect(words(['checked']), {
    claim: 'snp.revocation',
    facet: 'hardware',
    meaning:
      "'checked': a revocation list of AMD's root that covers the time has to be supplied to the verification.",
    remedy: "supply the product's newest CRL from AMD's key distribution service",
  }),
  minimumTcb: block('Minimum TCB per processor family; the numbers of different families do not compare.', {
    Milan: choice(MINIMUM_TCB, ['any', 'unstated'], COMPONENTS),
    Genoa: choice(MINIMUM_TCB, ['any', 'unstated'], COMPONENTS),
    Turin: choice(MINIMUM_TCB, ['any', 'unstated'], {
      fmc: field(minimum(U8), 'FMC SVN.'),
      ...COMPONENTS,
    }),
  }),
  guestPolicy: GUEST_POLICY,
  platformInfo: PLATFORM_INFO,
})

const ENCLAVE = block(
  "The enclave that the platform says it runs, whatever kind the platform is. Naming anything here demands that one is stated. Where the platform measured it, the platform vouches for it: so `workloads`, or the platform's own block, has to say which platforms are believed.",
  {
    mrEnclave: expect(hexes(32), executables('enclave.mrEnclave', 'Measurements of enclave images.')),
    mrSigner: expect(
      hexes(32),
      executables('enclave.mrSigner', "Digests of the public keys of the images' signers."),
    ),
    isvProdId: expect(
      integers(0, U16),
      executables('enclave.isvProdId', 'Product ids; they mean something per mrSigner only.'),
    ),
    minIsvSvn: expect(minimum(U16), {
      ...executables('enclave.isvSvn', 'Lowest security version; it means something per mrSigner only.'),
      remedy: 'run the newer image; older ones were given up for what they lack',
    }),
    isvExtProdId: expect(hexes(16), executables('enclave.isvExtProdId', 'Extended product ids.')),
    isvFamilyId: expect(hexes(16), executables('enclave.isvFamilyId', 'Family ids.')),
    debug: expect(
      flag(),
      configuration(
        'enclave.debug',
        'Whether the image may be debugged; `debug: false` of the whole policy covers the enclave as well.',
        'build and sign the image without debug',
      ),
    ),
    measuredBy: expect(words(['processor', 'host']), {
      claim: 'enclave.measuredBy',
      facet: 'executables',
      meaning:
        "Who may have measured it: 'processor' (SGX, where the enclave is the image itself) or 'host'.",
      remedy: 'run the enclave where it is measured as the policy wants',
    }),
    register: expect(words(['extended']), {
      claim: 'enclave.register',
      facet: 'executables',
      meaning: "'extended': RTMR3 has to show that the TD stated this enclave when it started (tdx only).",
      remedy: 'let the TD extend RTMR3 with the enclave before it attests',
    }),
  },
)

/** The whole policy. `sample` evidence has no block: nothing about it can be relied upon. */
export const POLICY = block('An appraisal policy: what evidence has to say to be accepted.', {
  name: field(name(), 'Name of the policy; it becomes ear.appraisal-policy-id.'),
  version: field(counter(), 'Counts up by one with every change of the policy.'),
  kinds: expect(wordList(KINDS), {
    claim: 'kind',
    facet: 'hardware',
    meaning: 'Kinds of evidence that are accepted; `sample` only by name, and simulated besides.',
    remedy: 'use a TEE that the policy names, or add the kind',
  }),
  simulated: expect(flag(), {
    claim: 'simulated',
    facet: 'hardware',
    meaning:
      "Whether the evidence may be simulated: false, or 'any' for laptops and tests. Never trusted as hardware.",
    remedy: 'simulated evidence protects nothing; accept it by `simulated: any`, for development only',
  }),
  debug: expect(flag(), {
    claim: 'debug',
    facet: 'configuration',
    meaning: 'Whether the TEE may be debugged: with debugging, the host reads its memory.',
    remedy: 'start the workload without debugging',
  }),
  workloads: field(
    orWord(['known', 'any'], texts(NAME_PATTERN, 'names of workloads')),
    "Which reference values have to match: 'known' (any of them), or those of the named workloads. They have to say which code runs, together with what the policy itself names. 'any' leaves the measurement to the fields below alone.",
  ),
  hardwareIds: expect(hardwareIds(), {
    claim: 'hardwareId',
    facet: 'instance-identity',
    meaning:
      "Machines: PPID (16 bytes) or chip id (64 bytes, or Turin's 8); where the host masks it, that of the VCEK counts.",
    remedy: 'start the workload on a listed machine, or list this one',
    remedyIfNone:
      'the evidence names no machine: have the host show the chip id (MASK_CHIP_ID off), or sign with a VCEK',
  }),
  reportData: field(
    word('bound', 'any'),
    "'bound': the report data has to be what the session demands, so that no evidence can be replayed.",
  ),
  initData: field(
    orWord(['bound', 'any'], hexList(32, 48, 64)),
    "'bound': the guest has to send init-data, and its digest has to be in the evidence. Digests: it also has to be one of them. 'any': none is needed; what is sent is still compared, but for `sample`, which has no field for it.",
  ),
  tcb: TCB,
  platform: PLATFORM,
  sgx: SGX,
  tdx: TDX,
  snp: SNP,
  enclave: ENCLAVE,
})

/** A complete appraisal policy, every field stated; made by `parsePolicy`, frozen. */
export type AppraisalPolicy = ValueOf<typeof POLICY>
