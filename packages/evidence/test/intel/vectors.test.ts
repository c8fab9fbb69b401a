// Every captured SGX and TDX quote, at its suggested time and with its suggested collateral. What to expect is written
// out here; the metadata beside the vectors was made with OpenSSL and Python, and is compared field by field.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeUtf8 } from '../../src/bytes.ts'
import {
  type Endorsements,
  parse,
  Refusal,
  type RefusalCode,
  type TcbStatus,
  VENDOR_ANCHORS,
  type Verified,
  verify,
} from '../../src/index.ts'
import { readPckExtension } from '../../src/intel/pck.ts'
import { judgeQuotingEnclave } from '../../src/intel/qe-identity.ts'
import { parseIntelQuote } from '../../src/intel/quote.ts'
import { judgeTdxModule, matchTcbLevels } from '../../src/intel/tcb-status.ts'
import { readEndorsements } from '../../src/read-endorsements.ts'
import { parseCertificate, readPem } from '../../src/x509.ts'
import {
  type IntelVector,
  readIntelVector,
  readIntelVectors,
  readVectorFile,
  skipVectors,
  suggestedEndorsements,
} from './vectors.ts'

type Expected = { readonly status: TcbStatus } | { readonly code: RefusalCode; readonly steps: number }

/** Steps that pass before revocation: chain, QE report, binding, quote signature. */
const SIGNATURES = 4
/** Where no list of the Processor CA of that time was captured, everything up to it is verified. */
const NO_PCK_CRL: Expected = { code: 'crl-missing', steps: SIGNATURES }
/** Older than anything in the TCB info; every step before the level has passed. */
const NO_LEVEL: Expected = { code: 'tcb-level-unknown', steps: 9 }

const EXPECTED: Readonly<Record<string, Expected>> = {
  'sgx/automata-automatadcaponchainattestationtest': { status: 'SWHardeningNeeded' },
  'sgx/automata-lib': { status: 'OutOfDate' },
  'sgx/automata-quote-sgx': { status: 'ConfigurationAndSWHardeningNeeded' },
  'sgx/automata-sample-quotes': { status: 'SWHardeningNeeded' },
  'sgx/azsamples-enclave': NO_PCK_CRL,
  'sgx/azsamples-enclave-075b64': NO_PCK_CRL,
  'sgx/azsamples-enclave-91831a': NO_PCK_CRL,
  'sgx/azsamples-enclave-e9f0aa': NO_PCK_CRL,
  'sgx/coco-occlum-quote': { status: 'OutOfDate' },
  'sgx/fortanix-quote': NO_PCK_CRL,
  'sgx/fortanix-quote-pck-cert-chain': NO_PCK_CRL,
  'sgx/fortanix-quote-pck-cert-chain-corrupted': { code: 'quote-signature-invalid', steps: 3 },
  'sgx/fortanix-quote-raw-tcb': { code: 'chain-incomplete', steps: 0 },
  'sgx/mobilecoin-hw-quote': NO_PCK_CRL,
  'sgx/oasis-quote-v3-ecdsa-p256-eppid': { code: 'chain-incomplete', steps: 0 },
  'sgx/oasis-quote-v3-ecdsa-p256-pck-chain': NO_PCK_CRL,
  'sgx/oe-sgx-cert-ec-bad': { code: 'evidence-unsupported', steps: 0 },
  'sgx/oe-sgx-cert-rsa-bad': { code: 'evidence-unsupported', steps: 0 },
  'sgx/oe-sgx-quote': NO_PCK_CRL,
  'sgx/oe-sgx-report-bad': { code: 'evidence-unsupported', steps: 0 },
  'sgx/phala-sgx-quote': { status: 'ConfigurationAndSWHardeningNeeded' },
  'tdx/automata-quote-tdx-00806f050000': { status: 'OutOfDate' },
  'tdx/cdai-live-evidence': { status: 'UpToDate' },
  // The suggested identity of TD_QE had expired 11 days before the suggested time; see below.
  'tdx/cdai-tdx-quote-live': { code: 'endorsement-expired', steps: 5 },
  'tdx/coco-td-quote': { status: 'OutOfDate' },
  'tdx/coco-tdx-quote-4': { status: 'UpToDate' },
  'tdx/dstack-tdx-quote': NO_LEVEL,
  'tdx/flashbots-azure-tdx-with-ak-intermediate-74a7cf': { status: 'UpToDate' },
  'tdx/flashbots-dcap-tdx-1766059550570652607': { status: 'UpToDate' },
  // Docs: decision 0010. A module of version 1 is judged by its identity, not by the first two TDX components.
  'tdx/google-cos-113-tdx-quote': { status: 'UpToDate' },
  'tdx/google-quote-v5-sample': { status: 'UpToDate' },
  'tdx/intel-aztdx-adapter-test': { status: 'UpToDate' },
  'tdx/oe-tdx-quote': { status: 'UpToDate' },
  'tdx/oe-tdx-quote-moduleupdate-seamldr5': { status: 'UpToDate' },
  'tdx/oe-tdx-quote-v5': { status: 'OutOfDate' },
  'tdx/openpcc-azure-tdx-report': { status: 'UpToDate' },
  'tdx/openpcc-gce-tdx-report': { status: 'UpToDate' },
  'tdx/phala-quote-from-tappd': NO_LEVEL,
  'tdx/phala-quote-hex': { status: 'UpToDate' },
  'tdx/phala-tdx-quote': NO_LEVEL,
  'tdx/phala-tdx-quote-c42f91': { status: 'UpToDate' },
  'tdx/phala-tdx-quote-outdated': NO_LEVEL,
}

const vectors = (['sgx', 'tdx'] as const).flatMap(kind =>
  readIntelVectors(kind).map(vector => ({ kind, key: `${kind}/${vector.name}`, vector })),
)

/** Any time does where the evidence is refused before a window counts. */
const ANY_TIME = '2025-03-01T00:00:00Z'

async function verifyVector(
  vector: IntelVector,
  endorsements: Endorsements = suggestedEndorsements(vector),
  at = vector.meta.suggested_time ?? ANY_TIME,
): Promise<Verified> {
  return verify(parse(vector.quote), endorsements, {
    now: new Date(at),
    anchors: VENDOR_ANCHORS,
    minTcbEvaluationDataNumber: 'any',
  })
}

async function refusalOf(work: () => Promise<unknown>): Promise<Refusal> {
  try {
    await work()
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    return error
  }
  return assert.fail('accepted')
}

test('the captured vectors are those whose verdict is written here', t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  assert.deepEqual(vectors.map(({ key }) => key).toSorted(), Object.keys(EXPECTED).toSorted())
})

for (const { key, vector } of vectors) {
  const expected = EXPECTED[key]
  if (!expected) continue
  if ('code' in expected) {
    test(`${key} is refused: ${expected.code}`, async () => {
      const refusal = await refusalOf(() => verifyVector(vector))
      assert.equal(refusal.code, expected.code, refusal.message)
      assert.equal(refusal.steps.length, expected.steps)
    })
    continue
  }
  test(`${key} verifies: ${expected.status}`, async () => {
    const { claims, validUntil } = await verifyVector(vector)
    const { meta } = vector
    assert.equal(claims.tcbStatus, expected.status)
    assert.equal(claims.tcbStatus, meta.suggested_collateral?.expected_tcb)
    assert.deepEqual([...claims.advisoryIds], meta.suggested_collateral?.detail.advisoryIDs ?? [])
    assertTcbDates(claims, meta.suggested_collateral?.detail.tcbDate)
    assertShortfalls(claims)
    assert.equal(claims.simulated, false)
    assert.ok(validUntil > new Date(meta.suggested_time ?? ANY_TIME))
    assertFields(claims, meta)
  })
}

/** What is out of date lacks something that a better level has, and what is up to date lacks nothing. */
function assertShortfalls({ kind, tcbStatus, ...claims }: Verified['claims']): void {
  assert.ok((kind === 'sgx' || kind === 'tdx') && 'platform' in claims)
  const { tcbShortfalls } = claims.platform
  if (tcbStatus === 'UpToDate') assert.deepEqual(tcbShortfalls, [])
  if (tcbStatus?.startsWith('OutOfDate')) assert.ok(tcbShortfalls.length > 0)
  for (const { part, name, got, wanted } of tcbShortfalls) {
    assert.ok(got < wanted)
    if (part === 'tdx') assert.match(name ?? '', /^OS\/VMM, TDX /)
  }
}

/** The platform’s level is known beforehand; the whole is as old as its oldest part. */
function assertTcbDates(claims: Verified['claims'], platformDate: string | undefined): void {
  assert.ok(claims.kind === 'sgx' || claims.kind === 'tdx')
  const { platformTcbDate, qeTcbDate } = claims.platform
  const moduleTcbDate = claims.kind === 'tdx' ? claims.tdx.moduleTcbDate : null
  assert.equal(platformTcbDate, platformDate)
  const [oldest] = [platformTcbDate, qeTcbDate, moduleTcbDate ?? platformTcbDate].toSorted()
  assert.equal(claims.tcbDate, oldest)
}

/** Every field that an independent reader of the same bytes has noted. */
function assertFields(claims: Verified['claims'], meta: IntelVector['meta']): void {
  assert.ok(claims.kind === 'sgx' || claims.kind === 'tdx')
  assert.equal(claims.debug, meta.debug)
  assert.equal(claims.reportData, meta.report_data)
  assert.equal(claims.hardwareId, meta.pck?.ppid)
  assert.equal(claims.platform.fmspc, meta.fmspc)
  assert.equal(claims.platform.pceId, meta.pck?.pceid)
  assert.equal(BigInt(`0x${claims.platform.pckSerial}`), BigInt(meta.pck?.serial ?? 0))
  assert.deepEqual(claims.platform.cpuSvn, meta.pck?.svns)
  assert.equal(claims.platform.pceSvn, meta.pck?.pcesvn)
  assert.equal(claims.platform.qeSvn, meta.qe?.isvsvn)
  assert.equal(claims.platform.trailingBytes, meta.trailing_bytes)
  const { identity = {} } = meta
  if (claims.kind === 'sgx') {
    assert.equal(claims.measurement, identity['mrenclave'])
    assert.equal(claims.sgx.mrSigner, identity['mrsigner'])
    assert.equal(claims.sgx.isvProdId, identity['isvprodid'])
    assert.equal(claims.sgx.isvSvn, identity['isvsvn'])
    assert.equal(claims.sgx.attributesFlags + claims.sgx.attributesXfrm, identity['attributes'])
    assert.equal(claims.sgx.cpuSvn, identity['cpusvn'])
    return
  }
  const { tdx } = claims
  assert.equal(claims.measurement, identity['mrtd'])
  assert.deepEqual([tdx.rtmr0, tdx.rtmr1, tdx.rtmr2, tdx.rtmr3], identity['rtmr'])
  assert.equal(tdx.tdAttributes, identity['tdattributes'])
  assert.equal(tdx.xfam, identity['xfam'])
  assert.equal(tdx.mrSeam, identity['mrseam'])
  assert.equal(tdx.mrSignerSeam, identity['mrsignerseam'])
  assert.equal(tdx.teeTcbSvn, identity['tee_tcb_svn'])
  assert.equal(claims.hostData, identity['mrconfigid'])
}

for (const { key, vector } of vectors.filter(({ vector }) => vector.meta.tcb_evaluations?.length)) {
  test(`${key} is judged like the independent evaluator by every TCB info of its family`, () => {
    const quote = parseIntelQuote(vector.quote)
    const [pem] = readPem(decodeUtf8(quote.certificationData) ?? '')
    assert.ok(pem)
    const pck = readPckExtension(parseCertificate(pem.der))
    for (const evaluation of vector.meta.tcb_evaluations ?? []) {
      const [info] = endorsementsOf(evaluation.tcbinfo).tcbInfos
      assert.ok(info)
      const svn = quote.kind === 'tdx' ? quote.body.teeTcbSvn : null
      const level = outcomeOf(() => matchTcbLevels(info, pck, svn).level)
      assert.equal(level?.status ?? 'NotSupported', evaluation.status.platform, evaluation.tcbinfo)
      assert.deepEqual([...(level?.advisoryIds ?? [])], evaluation.status.advisoryIDs ?? [])
      if (quote.kind === 'tdx') {
        const module = outcomeOf(() => judgeTdxModule(info, quote.body))
        assert.equal(module?.status, evaluation.status.module, evaluation.tcbinfo)
      }
      const [identity] = evaluation.qe_identity
        ? endorsementsOf(evaluation.qe_identity).enclaveIdentities
        : []
      const qe = identity && outcomeOf(() => judgeQuotingEnclave(quote.qeReport, identity))
      assert.equal(qe?.status ?? null, evaluation.qe_status, evaluation.qe_identity ?? '')
    }
  })
}

function endorsementsOf(path: string): Endorsements {
  return readEndorsements([{ name: path, bytes: readVectorFile(path) }])
}

const UNKNOWN: ReadonlySet<RefusalCode> = new Set(['tcb-level-unknown', 'tdx-module-mismatch'])

function outcomeOf<T>(judge: () => T): T | null {
  try {
    return judge()
  } catch (error) {
    // TCB info from before modules had identities knows nothing of newer modules, and the evaluator no verdict.
    const isUnknown = error instanceof Refusal && UNKNOWN.has(error.code)
    if (isUnknown) return null
    throw error
  }
}

test('a quote whose suggested identity has expired verifies with the one of its time', async t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  const vector = readIntelVector('tdx', 'cdai-tdx-quote-live')
  const refusal = await refusalOf(() => verifyVector(vector))
  assert.match(refusal.expected ?? '', /2026-02-18T10:42:15Z and 2026-03-20T10:42:15Z/)
  assert.equal(refusal.got, '2026-03-31T19:08:31Z')
  const endorsements = suggestedEndorsements(vector, ['collateral/intel/qeidentity/td_qe-e18-20260316.json'])
  const { claims } = await verifyVector(vector, endorsements, '2026-03-31T10:00:00Z')
  assert.equal(claims.tcbStatus, 'UpToDate')
})

test('the bundle that was captured with a quote is all that its verification needs', async t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  for (const { kind, vector } of vectors.filter(({ vector }) => vector.bundle)) {
    const endorsements = readEndorsements([
      { name: `${kind}/${vector.name}`, bytes: vector.bundle ?? new Uint8Array() },
    ])
    assert.equal(endorsements.tcbInfos.length, 1, vector.name)
    assert.equal(endorsements.enclaveIdentities.length, 1)
    assert.equal(endorsements.crls.length, 2)
    const outcome = await verifyVector(vector, endorsements).then(
      ({ claims }) => claims.tcbStatus,
      (error: unknown) => (error instanceof Refusal ? error.code : Promise.reject(error)),
    )
    const expected = vector.meta.suggested_collateral?.expected_tcb
    const unknown = expected === 'NotSupported' ? 'tcb-level-unknown' : expected
    // A bundle of another week than the suggested time names its window instead.
    assert.ok(
      [
        unknown,
        'endorsement-not-yet-valid',
        'endorsement-expired',
        'crl-not-yet-valid',
        'crl-expired',
      ].includes(outcome ?? ''),
      `${vector.name}: ${outcome}`,
    )
  }
})

test('a quote that names its PCK by PPID verifies with the PCK certificate from the endorsements', async t => {
  if (skipVectors !== false) return t.skip(skipVectors)
  const vector = readIntelVector('sgx', 'fortanix-quote-raw-tcb')
  const refusal = await refusalOf(() => verifyVector(vector))
  assert.match(refusal.hint ?? '', /PCK certificate/)
})
