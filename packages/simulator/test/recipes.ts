// How to make the simulator fail exactly one check: for each refusal code, every recipe that ends in it and in
// no other. Everything that a recipe does not break is intact and signed.

import { type RefusalCode, type TrustAnchor, VENDOR_ANCHORS } from '@casemate/evidence'
import { makeAuthorityKeys } from '../src/amd/platform.ts'
import {
  type AmdEndorsementName,
  type AmdPlatformOptions,
  createAmdPlatform,
  createIntelPlatform,
  type IntelEndorsementName,
  type IntelPlatformOptions,
  type NamedEndorsement,
  type SgxQuoteRequest,
  type SnpReportRequest,
  type TdxQuoteRequest,
} from '../src/index.ts'

export const NOW = new Date('2026-11-22T12:00:00Z')
const AN_HOUR_AGO = new Date(NOW.getTime() - 3_600_000)
const A_SECOND_AGO = new Date(NOW.getTime() - 1000)
const IN_AN_HOUR = new Date(NOW.getTime() + 3_600_000)
const REPORT_DATA = new Uint8Array(64).fill(0x5a)
/** Of the vendor of each machine here: large enough for RSA-PSS SHA-384, and made once, since that takes its time. */
const AUTHORITY = await makeAuthorityKeys(2048)

/** A verifier is given these. */
export interface Case {
  readonly evidence: Uint8Array
  readonly endorsements: readonly NamedEndorsement[]
  readonly anchors: readonly TrustAnchor[]
  readonly minTcbEvaluationDataNumber: number | 'any'
}

/** Its name says what is broken. */
export interface Recipe {
  readonly broken: string
  readonly make: () => Promise<Case>
}

interface Intel {
  readonly platform?: IntelPlatformOptions
  readonly without?: readonly IntelEndorsementName[]
  readonly minTcbEvaluationDataNumber?: number
  readonly anchors?: readonly TrustAnchor[]
  /** Cuts this many bytes off the end of the quote. */
  readonly cut?: number
}

export function tdx(broken: string, how: Intel & { readonly quote?: Partial<TdxQuoteRequest> } = {}): Recipe {
  return {
    broken,
    make: async () => {
      const platform = await createIntelPlatform({ now: NOW, ...how.platform })
      return intelCase(platform, platform.tdxQuote({ reportData: REPORT_DATA, ...how.quote }), how)
    },
  }
}

export function sgx(broken: string, how: Intel & { readonly quote?: Partial<SgxQuoteRequest> } = {}): Recipe {
  return {
    broken,
    make: async () => {
      const platform = await createIntelPlatform({ now: NOW, ...how.platform })
      return intelCase(platform, platform.sgxQuote({ reportData: REPORT_DATA, ...how.quote }), how)
    },
  }
}

function intelCase(
  platform: Pick<Case, 'endorsements' | 'anchors'>,
  quote: Uint8Array,
  { without = [], minTcbEvaluationDataNumber = 'any', anchors = platform.anchors, cut = 0 }: OptionalIntel,
): Case {
  return {
    evidence: quote.subarray(0, quote.length - cut),
    endorsements: platform.endorsements.filter(({ name }) => !without.some(left => left === name)),
    anchors,
    minTcbEvaluationDataNumber,
  }
}

type OptionalIntel = Omit<Intel, 'minTcbEvaluationDataNumber'> & {
  readonly minTcbEvaluationDataNumber?: number | 'any'
}

interface Snp {
  readonly platform?: AmdPlatformOptions
  readonly report?: Partial<SnpReportRequest>
  readonly without?: readonly AmdEndorsementName[]
  readonly anchors?: readonly TrustAnchor[]
}

export function snp(broken: string, { platform: options, report, without, anchors }: Snp = {}): Recipe {
  return {
    broken,
    make: async () => {
      const platform = await createAmdPlatform({ now: NOW, authority: AUTHORITY, ...options })
      return {
        evidence: platform.snpReport({ reportData: REPORT_DATA, ...report }),
        endorsements: platform.endorsements.filter(({ name }) => !without?.includes(name)),
        anchors: anchors ?? platform.anchors,
        minTcbEvaluationDataNumber: 'any',
      }
    },
  }
}

type IntelFaults = NonNullable<IntelPlatformOptions['faults']>
type AmdFaults = NonNullable<AmdPlatformOptions['faults']>

function intelFault(faults: IntelFaults): Intel {
  return { platform: { faults } }
}

function amdFault(faults: AmdFaults): Snp {
  return { platform: { faults } }
}

const SIGNATURE = { damage: 'signature' } as const
const ENCODING = { damage: 'encoding' } as const
const EXPIRED = { notAfter: A_SECOND_AGO } as const
const NOT_YET = { notBefore: IN_AN_HOUR } as const
const EXPIRED_LIST = { thisUpdate: AN_HOUR_AGO, nextUpdate: A_SECOND_AGO } as const
const FUTURE_LIST = { thisUpdate: IN_AN_HOUR } as const
const EXPIRED_DOCUMENT = { issueDate: AN_HOUR_AGO, nextUpdate: A_SECOND_AGO } as const
const FUTURE_DOCUMENT = { issueDate: IN_AN_HOUR } as const
const OTHER_48 = '11'.repeat(48)
const OTHER_32 = '11'.repeat(32)

/** Nothing broken: the control of every refusal below. */
export const INTACT: readonly Recipe[] = [
  sgx('an SGX quote version 3'),
  sgx('an SGX quote with TCB info version 2', { platform: { sgxTcbInfoVersion: 2 } }),
  sgx('an SGX quote with a PCK of the processor CA', { platform: { pckCa: 'processor' } }),
  tdx('a TDX quote version 4'),
  tdx('a TDX quote version 5 of a TD 1.0', { quote: { format: 'v5-1.0' } }),
  tdx('a TDX quote version 5 of a TD 1.5', { quote: { format: 'v5-1.5' } }),
  tdx('a chain in another order', { quote: { chain: ['root', 'pck', 'intermediate'] } }),
  tdx('bytes after the quote', { quote: { trailing: '00'.repeat(1000) } }),
  ...(['Milan', 'Genoa', 'Turin'] as const).flatMap(product =>
    (['VCEK', 'VLEK'] as const).map(signingKey =>
      snp(`an SNP report of ${product} with a ${signingKey}`, { platform: { product, signingKey } }),
    ),
  ),
  ...([2, 3, 4, 5] as const).map(version => snp(`an SNP report version ${version}`, { report: { version } })),
  snp('an SNP report with its certificates', { report: { certificateTable: true }, without: ['leaf.der'] }),
  snp('an SNP report without a revocation list', { without: ['crl.der'] }),
]

/** Statements of enclaves are no evidence; their refusals are made where they are read. */
export type EvidenceRefusalCode = Exclude<RefusalCode, `enclave-${string}`>

export const RECIPES: Readonly<Record<EvidenceRefusalCode, readonly Recipe[]>> = {
  'evidence-malformed': [
    tdx('a TDX quote that is cut short', { cut: 1 }),
    sgx('an SGX quote that is cut short', { cut: 1 }),
    snp('a reserved byte of an SNP report', { report: { reserved4: '01'.padEnd(304, '0') } }),
  ],
  'evidence-unsupported': [
    tdx('an attestation key type', { quote: { header: { attestationKeyType: 3 } } }),
    sgx('a quote version', { quote: { header: { version: 6 } } }),
    snp('a signature algorithm', { report: { signatureAlgorithm: 2 } }),
  ],
  'certificate-malformed': [
    tdx('the encoding of the PCK certificate', intelFault({ certificates: { pck: ENCODING } })),
    snp('the encoding of the VCEK', amdFault({ certificates: { leaf: ENCODING } })),
  ],
  'certificate-expired': [
    tdx('the window of the PCK certificate', intelFault({ certificates: { pck: EXPIRED } })),
    tdx('the window of the PCK CA', intelFault({ certificates: { intermediate: EXPIRED } })),
    tdx('the window of the TCB signing certificate', intelFault({ certificates: { tcbSigning: EXPIRED } })),
    tdx('the window of the root', intelFault({ certificates: { root: EXPIRED } })),
    snp('the window of the VCEK', amdFault({ certificates: { leaf: EXPIRED } })),
    snp('the window of the ASK', amdFault({ certificates: { intermediate: EXPIRED } })),
  ],
  'certificate-not-yet-valid': [
    tdx('the window of the PCK certificate', intelFault({ certificates: { pck: NOT_YET } })),
    tdx('the window of the TCB signing certificate', intelFault({ certificates: { tcbSigning: NOT_YET } })),
    snp('the window of the VCEK', amdFault({ certificates: { leaf: NOT_YET } })),
  ],
  'certificate-revoked': [
    tdx('the standing of the PCK certificate', intelFault({ revoked: ['pck'] })),
    tdx('the standing of the PCK CA', intelFault({ revoked: ['intermediate'] })),
    tdx('the standing of the TCB signing certificate', intelFault({ revoked: ['tcbSigning'] })),
    snp('the standing of the ASK', amdFault({ revoked: ['intermediate'] })),
  ],
  'certificate-usage-invalid': [
    tdx(
      'the constraints of the PCK CA',
      intelFault({ certificates: { intermediate: { constraints: 'leaf' } } }),
    ),
    snp('the constraints of the ASK', amdFault({ certificates: { intermediate: { constraints: 'leaf' } } })),
  ],
  'certificate-signature-invalid': [
    tdx('the signature of the PCK certificate', intelFault({ certificates: { pck: SIGNATURE } })),
    tdx('the signature of the PCK CA', intelFault({ certificates: { intermediate: SIGNATURE } })),
    tdx(
      'the signature of the TCB signing certificate',
      intelFault({ certificates: { tcbSigning: SIGNATURE } }),
    ),
    snp('the signature of the VCEK', amdFault({ certificates: { leaf: SIGNATURE } })),
  ],
  'chain-incomplete': [
    tdx('the presence of the PCK CA', {
      quote: { chain: ['pck', 'root'] },
      without: ['pck-crl-issuer-chain.pem'],
    }),
    snp('the presence of the ASK', { without: ['cert-chain.pem'] }),
  ],
  'chain-untrusted': [
    tdx('the trust in the root of a TDX quote', { anchors: VENDOR_ANCHORS }),
    sgx('the trust in the root of an SGX quote', { anchors: VENDOR_ANCHORS }),
    snp('the trust in the root of an SNP report', { anchors: VENDOR_ANCHORS }),
    snp('the trust in the root of an SNP report from Turin', {
      platform: { product: 'Turin' },
      anchors: VENDOR_ANCHORS,
    }),
  ],
  'crl-malformed': [
    tdx('the encoding of the PCK CRL', intelFault({ crls: { pck: ENCODING } })),
    snp('the encoding of the ARK’s CRL', amdFault({ crl: ENCODING })),
  ],
  'crl-missing': [
    tdx('the presence of the PCK CRL', { without: ['pck-crl.der'] }),
    tdx('the presence of the root’s CRL', { without: ['root-ca-crl.der'] }),
  ],
  'crl-expired': [
    tdx('the window of the PCK CRL', intelFault({ crls: { pck: EXPIRED_LIST } })),
    tdx('the window of the root’s CRL', intelFault({ crls: { root: EXPIRED_LIST } })),
  ],
  'crl-not-yet-valid': [
    tdx('the window of the PCK CRL', intelFault({ crls: { pck: FUTURE_LIST } })),
    tdx('the window of the root’s CRL', intelFault({ crls: { root: FUTURE_LIST } })),
  ],
  'crl-signature-invalid': [
    tdx('the signature of the PCK CRL', intelFault({ crls: { pck: SIGNATURE } })),
    tdx('the signature of the root’s CRL', intelFault({ crls: { root: SIGNATURE } })),
    snp('the signature of the ARK’s CRL', amdFault({ crl: SIGNATURE })),
  ],
  'endorsement-malformed': [
    tdx(
      'the levels of the TCB info',
      intelFault({ documents: { tdxTcbInfo: { edit: document => delete document['tcbLevels'] } } }),
    ),
    sgx(
      'the MRSIGNER of the QE identity',
      intelFault({ documents: { qeIdentity: { edit: document => (document['mrsigner'] = 'none') } } }),
    ),
  ],
  'endorsement-missing': [
    tdx('the presence of the TCB info for TDX', { without: ['tdx-tcb-info.json'] }),
    tdx('the presence of the TD QE identity', { without: ['td-qe-identity.json'] }),
    sgx('the presence of the TCB info for SGX', { without: ['sgx-tcb-info.json'] }),
    sgx('the presence of the QE identity', { without: ['qe-identity.json'] }),
    snp('the presence of the VCEK', { without: ['leaf.der'] }),
  ],
  'endorsement-expired': [
    tdx('the window of the TCB info', intelFault({ documents: { tdxTcbInfo: EXPIRED_DOCUMENT } })),
    tdx('the window of the TD QE identity', intelFault({ documents: { tdQeIdentity: EXPIRED_DOCUMENT } })),
    sgx('the window of the QE identity', intelFault({ documents: { qeIdentity: EXPIRED_DOCUMENT } })),
  ],
  'endorsement-not-yet-valid': [
    tdx('the window of the TCB info', intelFault({ documents: { tdxTcbInfo: FUTURE_DOCUMENT } })),
    tdx('the window of the TD QE identity', intelFault({ documents: { tdQeIdentity: FUTURE_DOCUMENT } })),
    sgx('the window of the QE identity', intelFault({ documents: { qeIdentity: FUTURE_DOCUMENT } })),
  ],
  'endorsement-signature-invalid': [
    tdx('the signature of the TCB info', intelFault({ documents: { tdxTcbInfo: SIGNATURE } })),
    tdx('the signature of the TD QE identity', intelFault({ documents: { tdQeIdentity: SIGNATURE } })),
    sgx('the signature of the TCB info', intelFault({ documents: { sgxTcbInfo: SIGNATURE } })),
    sgx('the signature of the QE identity', intelFault({ documents: { qeIdentity: SIGNATURE } })),
  ],
  'evaluation-number-too-low': [
    tdx('the evaluation number', {
      platform: { tcbEvaluationDataNumber: 19 },
      minTcbEvaluationDataNumber: 20,
    }),
  ],
  'quote-signature-invalid': [
    tdx('a field of the TD body', { quote: { tamper: ['rtmr3'] } }),
    tdx('the signature of the quote', { quote: { tamper: ['quoteSignature'] } }),
    sgx('a field of the enclave report', { quote: { tamper: ['mrEnclave'] } }),
    snp('a field of the report', { report: { tamper: ['measurement'] } }),
    snp('the signature of the report', { report: { tamper: ['signatureR'] } }),
  ],
  'qe-report-signature-invalid': [
    tdx('the signature of the QE report', { quote: { tamper: ['qeReportSignature'] } }),
    sgx('a field of the QE report', { quote: { tamper: ['qeReport'] } }),
  ],
  'qe-binding-mismatch': [
    tdx('the binding of the attestation key', { quote: { qeReport: { reportData: new Uint8Array(64) } } }),
    sgx('the authentication data', { quote: { tamper: ['authenticationData'] } }),
  ],
  'qe-identity-mismatch': [
    tdx('the signer of the TD QE', { quote: { qeReport: { mrSigner: OTHER_32 } } }),
    tdx('the product of the TD QE', { quote: { qeReport: { isvProdId: 1 } } }),
    sgx('the debug attribute of the QE', { quote: { qeReport: { attributesFlags: 0x17 } } }),
    sgx('the miscSelect of the QE', { quote: { qeReport: { miscSelect: 1 } } }),
  ],
  'pce-mismatch': [
    tdx(
      'the PCE id of the TCB info',
      intelFault({ documents: { tdxTcbInfo: { edit: document => (document['pceId'] = '0001') } } }),
    ),
  ],
  'tcb-level-unknown': [
    tdx('the component SVNs', { platform: { cpuSvn: Array<number>(16).fill(0) } }),
    sgx('the PCE’s SVN', { platform: { pceSvn: 1 } }),
    sgx('the SVN of the QE', { quote: { qeReport: { isvSvn: 1 } } }),
  ],
  'tdx-module-mismatch': [
    tdx('the signer of the TDX module', { quote: { mrSignerSeam: OTHER_48 } }),
    tdx('the attributes of the TDX module', { quote: { seamAttributes: 1 } }),
  ],
  'hardware-id-mismatch': [snp('the chip id', { report: { chipId: '11'.repeat(64) } })],
  'product-mismatch': [snp('the processor model', { report: { cpuidModel: 0x11 } })],
  'tcb-mismatch': [
    snp('the reported TCB', { report: { reportedTcb: { microcode: 200 } } }),
    snp('the reported FMC', { platform: { product: 'Turin' }, report: { reportedTcb: { fmc: 0 } } }),
  ],
  'tcb-inconsistent': [
    snp('the committed TCB', { report: { committedTcb: { snp: 25 } } }),
    snp('the reported TCB', {
      report: { currentTcb: { snp: 23 }, committedTcb: { snp: 23 }, launchTcb: { snp: 23 } },
    }),
    snp('the launch TCB', { report: { launchTcb: { snp: 25 } } }),
    snp('the committed firmware version', { report: { committedBuild: 41 } }),
  ],
}
