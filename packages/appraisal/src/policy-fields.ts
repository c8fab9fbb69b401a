// The appraisal policy, field by field: what may be written, what it is compared with, what it means and what to do
// when it is not met. Parser, JSON Schema, types and checks are all derived from these tables.
// Field names are the vendors' (SGX_REPORT_BODY, TD_QUOTE_BODY, ATTESTATION_REPORT).

import { KINDS, TCB_STATUSES } from '@casemate/evidence'
import { block, field, type ValueOf } from './block.ts'
import { configuration, executables } from './details.ts'
import { expect } from './expectation.ts'
import { POLICY_BLOCKS } from './kinds/kinds.ts'
import {
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
  texts,
  word,
  wordList,
  words,
} from './leaf.ts'
import { NAME_PATTERN, name } from './names.ts'
import { shortOfAccepted } from './shortfall.ts'

const U16 = 65_535
const U32 = 4_294_967_295

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
  ...POLICY_BLOCKS,
  enclave: ENCLAVE,
})

/** A complete appraisal policy, every field stated; made by `parsePolicy`, frozen. */
export type AppraisalPolicy = ValueOf<typeof POLICY>
