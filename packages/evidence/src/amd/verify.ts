// Verifies a SEV-SNP report: pinned ARK → ASK or ASVK → VCEK or VLEK → report (AMD 56860 and 57230). Every check is
// one function and one step. Needs no network: only the VCEK or VLEK is not built in.

import type { TrustAnchor } from '../anchor.ts'
import { equal, isZero, toHex } from '../bytes.ts'
import { type Revocation, type VerifiedChain, verifyChain, verifyRevocation } from '../chain.ts'
import type { Crl } from '../crl.ts'
import type { VerifiedClaims, VerifyOptions } from '../kind.ts'
import { Refusal } from '../refusal.ts'
import { checkSignature } from '../signature.ts'
import type { Step } from '../step.ts'
import { formatTime, recordSteps } from '../steps.ts'
import { nearestFirst } from '../window.ts'
import { type Certificate, describeCertificate, windowOfCertificate } from '../x509.ts'
import { certificatePool, type LeafCertificate, leafCertificates } from './certificates.ts'
import type { SnpClaims, SnpTcb } from './claims.ts'
import { decodeTcbs, describeVersion, type SnpTcbs, snpClaims } from './claims-of-report.ts'
import type { SnpEvidence } from './evidence.ts'
import type { SnpKeyKind } from './leaf.ts'
import {
  decodeTcb,
  describeCpuid,
  describeTcb,
  differingComponents,
  isTcbAtMost,
  productInName,
  productOfCpuid,
  SNP_PRODUCTS,
  type SnpProduct,
} from './product.ts'
import { p1363Signature, SNP_SIGNED_SIZE, type SnpFirmwareVersion, type SnpReport } from './report.ts'

/** Certificates that fit a report as well as the first and are looked at beside it. */
const MAX_RIVALS = 15

/** What of the endorsements counts here. */
export interface SnpEndorsements {
  readonly certificates: readonly Certificate[]
  readonly crls: readonly Crl[]
}

/**
 * Verifies one report at `now`, with AMD’s of the anchors: valid until the first end of the windows of the chain and of the
 * revocation list, if one was supplied.
 * @throws {Refusal} `endorsement-missing`, `product-mismatch`, `tcb-mismatch`, `hardware-id-mismatch`,
 * `quote-signature-invalid`, `tcb-inconsistent`, `evidence-malformed`, `evidence-unsupported`, and the codes of
 * `chain-…`, `certificate-…` and `crl-…`
 */
export async function verifySnp(
  evidence: SnpEvidence,
  endorsements: SnpEndorsements,
  options: Pick<VerifyOptions, 'now' | 'anchors'>,
): Promise<VerifiedClaims<SnpClaims>> {
  const { report } = evidence
  const now = options.now.getTime()
  return recordSteps(async steps => {
    refuseUnknownProduct(report)
    const pool = certificatePool(evidence, endorsements.certificates)
    const anchors = options.anchors.filter(({ vendor }) => vendor === 'amd')
    const { signer, chain } = await verifySigner({ report, pool, anchors, now }, steps)

    const revocation = await verifyRevocation(chain, {
      pool,
      crls: endorsements.crls,
      now,
      required: 'where-supplied',
    })
    steps.push(revocationStep(chain, revocation))

    steps.push(verifyProduct(report, signer, chain.anchor))
    const tcbs = decodeTcbs(report, signer.leaf.product)
    steps.push(verifyReportedTcb(evidence.report, tcbs, signer))
    steps.push(verifyChipId(report, signer))
    steps.push(await verifyReportSignature(report, signer))
    steps.push(verifyTcbRelations(report, tcbs))

    const claims = snpClaims(report, {
      leaf: signer.leaf,
      tcbs,
      simulated: chain.anchor.simulated,
      revocation: revocation.lists.find(list => list !== null) ?? null,
      hasListOutside: revocation.hasOutside,
    })
    return { claims, steps, validUntil: new Date(Math.min(chain.validUntil, revocation.validUntil)) }
  })
}

/** Which key KEY_INFO says signed the report. */
export function signingKey(report: SnpReport): SnpKeyKind {
  return report.keyInfo >>> 2 === 0 ? 'VCEK' : 'VLEK'
}

/** Whether AMD gives the certificate of the signing key to whoever asks: a VLEK to cloud providers alone, a VCEK by chip. */
export function isLeafPublished(report: SnpReport): boolean {
  return signingKey(report) === 'VCEK' && !isZero(report.chipId)
}

// Of several certificates those that fit best are looked at, so that what is wrong with them can be named. Where several
// fit alike, as VLEKs of two authorities do, the report's own signature tells whose is meant.
async function selectLeaves(
  report: SnpReport,
  leaves: readonly LeafCertificate[],
  now: number,
): Promise<readonly [LeafCertificate, ...LeafCertificate[]]> {
  const kind = signingKey(report)
  const ofKind = leaves.filter(({ leaf }) => leaf.kind === kind)
  const fits = ofKind.map(it => fit(report, it, now))
  const best = Math.max(...fits)
  const fitting = ofKind.filter((_, index) => fits[index] === best)
  const [first, ...others] = nearestFirst(fitting, it => windowOfCertificate(it.certificate), now)
  if (first === undefined) throw missingLeaf(report, kind, leaves)
  const copy = first.certificate.der
  const alike = others.filter(({ certificate }) => !equal(certificate.der, copy))
  const rivals = alike.slice(0, MAX_RIVALS)
  if (rivals.length === 0) return [first]
  const signers: LeafCertificate[] = []
  for (const it of [first, ...rivals]) {
    if (await isReportSignedBy(report, it.certificate)) signers.push(it)
  }
  if (signers.length === 0 && alike.length > rivals.length) throw tooManyAlike(kind, alike.length + 1)
  const [signer = first, ...more] = signers
  return [signer, ...more]
}

interface SignerSearch {
  readonly report: SnpReport
  readonly pool: readonly Certificate[]
  readonly anchors: readonly TrustAnchor[]
  readonly now: number
}

/** The leaf and its chain: the first that a pinned root stands behind, else the refusal of the first. */
async function verifySigner(
  { report, pool, anchors, now }: SignerSearch,
  steps: Step[],
): Promise<{ readonly signer: LeafCertificate; readonly chain: VerifiedChain }> {
  const leaves = await selectLeaves(report, leafCertificates(pool), now)
  let refusal: Refusal | null = null
  for (const signer of leaves) {
    try {
      const chain = await verifyChain(signer.certificate, { pool, anchors, now })
      steps.push(signerStep(signer), chainStep(chain))
      return { signer, chain }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refusal ??= error
    }
  }
  steps.push(signerStep(leaves[0]))
  throw refusal
}

/** As where a host masks the chip's id, and the VCEKs of a fleet are at hand. */
function tooManyAlike(kind: SnpKeyKind, count: number): Refusal {
  const tried = MAX_RIVALS + 1
  const message = `${count} ${kind} certificates fit the report alike, and none of the ${tried} that were tried signed it`
  return new Refusal('endorsement-missing', message, {
    expected: `the ${kind} that signed among the first ${tried}`,
    got: `${count}`,
    hint: 'have the guest send its certificate table along, which is tried first, or the host show CHIP_ID',
  })
}

function missingLeaf(report: SnpReport, kind: SnpKeyKind, leaves: readonly LeafCertificate[]): Refusal {
  return new Refusal(
    'endorsement-missing',
    `KEY_INFO says that a ${kind} signed, and no ${kind} was supplied`,
    {
      expected: `the ${kind} certificate${isLeafPublished(report) ? ` of chip ${toHex(report.chipId)}` : ''}`,
      got: leaves.map(({ leaf }) => leaf.kind).join(', ') || 'none',
      hint: isLeafPublished(report)
        ? 'fetch it from AMD’s Key Distribution Service, or have the guest send its certificate table along'
        : `AMD gives no ${kind} for this report to whoever asks: have the guest send its certificate table along`,
    },
  )
}

/** Whether a leaf is of the kind, TCB and, for a VCEK, chip that the report names. */
export function isIssuedFor(report: SnpReport, { leaf }: LeafCertificate): boolean {
  const isOfChip = leaf.hwId === null || isZero(report.chipId) || isOfChipId(leaf.hwId, report)
  return leaf.kind === signingKey(report) && hasTcb(report.reportedTcb, leaf.product, leaf.tcb) && isOfChip
}

function isOfChipId(hwId: Uint8Array, { chipId }: SnpReport): boolean {
  return equal(chipId.subarray(0, hwId.length), hwId) && isZero(chipId.subarray(hwId.length))
}

function fit(report: SnpReport, { certificate, leaf }: LeafCertificate, now: number): number {
  // A masked CHIP_ID is all zero, and fits no certificate better than another.
  const isOfChip = leaf.hwId !== null && !isZero(report.chipId) && isOfChipId(leaf.hwId, report)
  const isOfTcb = hasTcb(report.reportedTcb, leaf.product, leaf.tcb)
  const isInWindow = certificate.notBefore <= now && now <= certificate.notAfter
  return (isOfChip ? 4 : 0) + (isOfTcb ? 2 : 0) + (isInWindow ? 1 : 0)
}

function hasTcb(bytes: Uint8Array, product: SnpProduct, tcb: SnpTcb): boolean {
  try {
    return sameTcb(decodeTcb(bytes, product), tcb)
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

function signerStep({ certificate, leaf }: LeafCertificate): Step {
  const of = leaf.cspId === null ? '' : ` of ${leaf.cspId}`
  return {
    name: 'amd-signer',
    looked: `KEY_INFO, ${leaf.kind}${of} for ${leaf.product}: ${describeCertificate(certificate)}`,
  }
}

function chainStep({ certificates, anchor }: VerifiedChain): Step {
  const path = certificates.map(describeCertificate).toReversed().join(' → ')
  return {
    name: 'amd-chain',
    looked: `${anchor.name}${anchor.simulated ? ' (simulated)' : ''}: ${path}`,
  }
}

function revocationStep({ anchor }: VerifiedChain, { validUntil, hasOutside }: Revocation): Step {
  const name = 'amd-revocation'
  if (validUntil !== Number.POSITIVE_INFINITY) {
    return { name, looked: `revocation list of ${anchor.name}, valid until ${formatTime(validUntil)}` }
  }
  return hasOutside
    ? {
        name,
        looked: `OUTSIDE ITS WINDOW: the revocation list of ${anchor.name} vouches for nobody at this time`,
      }
    : { name, looked: `NOT SUPPLIED: no revocation list of ${anchor.name} was consulted` }
}

// CPUID is in the report from version 3 on; a version 2 report names no product, and the chain alone decides.
function verifyProduct(report: SnpReport, { leaf }: LeafCertificate, anchor: TrustAnchor): Step {
  const ofRoot = productInName(anchor.name)
  if (ofRoot !== leaf.product)
    throw productMismatch(`of ${anchor.name}`, ofRoot ?? 'no product', leaf.product)
  if (report.cpuid === null) {
    return { name: 'amd-product', looked: `${leaf.product} by ${anchor.name}; the report names none` }
  }
  const ofCpuid = productOfCpuid(report.cpuid)
  const cpuid = describeCpuid(report.cpuid)
  if (ofCpuid !== leaf.product) {
    throw productMismatch('by CPUID family and model', ofCpuid ?? 'unknown', leaf.product)
  }
  return { name: 'amd-product', looked: `by ${anchor.name} and by the report: ${cpuid}` }
}

// Before anything is asked for: no certificate could make such a report acceptable.
function refuseUnknownProduct({ cpuid }: SnpReport): void {
  if (cpuid === null || productOfCpuid(cpuid) !== null) return
  const got = describeCpuid(cpuid)
  throw new Refusal('evidence-unsupported', `no root of AMD’s is pinned here for ${got}`, {
    expected: SNP_PRODUCTS.join(', '),
    got,
    hint: 'the report is of another generation of processors than this version of Casemate verifies',
  })
}

function productMismatch(what: string, product: string, ofLeaf: SnpProduct): Refusal {
  return new Refusal('product-mismatch', `the product ${what} is ${product}, the leaf’s is ${ofLeaf}`, {
    expected: ofLeaf,
    got: product,
  })
}

// The signing key is derived from REPORTED_TCB, so a certificate for any other TCB certifies another key.
function verifyReportedTcb(
  report: SnpReport,
  { reportedTcb: reported }: SnpTcbs,
  { leaf }: LeafCertificate,
): Step {
  if (!sameTcb(reported, leaf.tcb)) {
    const other = differingComponents(reported, leaf.tcb).map(({ name, a, b }) => `${name} ${a}, not ${b}`)
    const message = `the ${leaf.kind} was issued for another TCB than REPORTED_TCB: ${other.join('; ')}`
    throw new Refusal('tcb-mismatch', message, {
      expected: describeTcb(leaf.tcb),
      got: describeTcb(reported),
      hint: isLeafPublished(report)
        ? `fetch the ${leaf.kind} for the reported TCB`
        : `have the host load the ${leaf.kind} for the reported TCB, and the guest send it along`,
    })
  }
  return { name: 'amd-reported-tcb', looked: `REPORTED_TCB and the ${leaf.kind}: ${describeTcb(reported)}` }
}

// CHIP_ID is all zero where the host set MASK_CHIP_ID; from Turin on it has 8 bytes and zeros. A VLEK names no chip.
function verifyChipId(report: SnpReport, { leaf }: LeafCertificate): Step {
  const name = 'amd-chip-id'
  if (leaf.hwId === null) return { name, looked: 'a VLEK belongs to a cloud provider, not to a chip' }
  if (isZero(report.chipId)) {
    return { name, looked: `CHIP_ID is masked by the host; the VCEK is of chip ${toHex(leaf.hwId)}` }
  }
  if (!isOfChipId(leaf.hwId, report)) {
    throw new Refusal('hardware-id-mismatch', 'CHIP_ID is not the hwID that the VCEK was issued for', {
      expected: toHex(leaf.hwId),
      got: toHex(report.chipId),
    })
  }
  return { name, looked: `CHIP_ID and the VCEK: ${toHex(leaf.hwId)}` }
}

async function verifyReportSignature(
  report: SnpReport,
  { certificate, leaf }: LeafCertificate,
): Promise<Step> {
  if (!(await isReportSignedBy(report, certificate))) {
    throw new Refusal('quote-signature-invalid', `the report is not signed by the ${leaf.kind}`, {
      hint: 'the report was changed after it was signed, or the certificate belongs to another key',
    })
  }
  return { name: 'snp-report-signature', looked: `ECDSA P-384 by the ${leaf.kind} over bytes 0 to 29Fh` }
}

function isReportSignedBy(report: SnpReport, { spki }: Certificate): Promise<boolean> {
  return checkSignature(spki, {
    scheme: 'ecdsa-sha384',
    encoding: 'p1363',
    signature: p1363Signature(report),
    message: report.bytes.subarray(0, SNP_SIGNED_SIZE),
  })
}

// What the firmware guarantees (56860): it never runs below what was committed, and never reports more than it runs.
// LAUNCH_TCB was current when the guest started, and is above the current one only where the platform went back
// to provisional firmware under a running guest, which is refused; or where a migration agent brought the guest from
// another platform, which POLICY must allow. Between reported, committed and launch TCB nothing more is guaranteed.
function verifyTcbRelations(report: SnpReport, tcbs: SnpTcbs): Step {
  const current = tcbs.currentTcb
  requireAtMost('COMMITTED_TCB', tcbs.committedTcb, current)
  requireAtMost('REPORTED_TCB', tcbs.reportedTcb, current)
  const mayMigrate = (report.policy >> 18n) % 2n === 1n
  if (!mayMigrate) requireAtMost('LAUNCH_TCB', tcbs.launchTcb, current)
  if (compareVersions(report.committedVersion, report.currentVersion) > 0) {
    throw new Refusal('tcb-inconsistent', 'the committed firmware version is above the current one', {
      expected: `at most ${describeVersion(report.currentVersion)}`,
      got: describeVersion(report.committedVersion),
    })
  }
  const compared = mayMigrate ? 'committed and reported' : 'committed, reported and launch'
  const firmware = describeVersion(report.currentVersion)
  return {
    name: 'snp-tcb-relations',
    looked: `${compared} TCB at most the current one: ${describeTcb(current)}; firmware ${firmware}`,
  }
}

function requireAtMost(name: string, tcb: SnpTcb, current: SnpTcb): void {
  if (isTcbAtMost(tcb, current)) return
  const above = differingComponents(tcb, current).filter(({ a, b }) => a > b)
  const parts = above.map(it => `${it.name} ${it.a}, at most ${it.b}`)
  throw new Refusal('tcb-inconsistent', `${name} is above CURRENT_TCB: ${parts.join('; ')}`, {
    expected: `at most ${describeTcb(current)}`,
    got: describeTcb(tcb),
  })
}

function compareVersions(a: SnpFirmwareVersion, b: SnpFirmwareVersion): number {
  return a.major - b.major || a.minor - b.minor || a.build - b.build
}

function sameTcb(a: SnpTcb, b: SnpTcb): boolean {
  return isTcbAtMost(a, b) && isTcbAtMost(b, a)
}
