// From evidence to attestation result: parse, verify, appraise, sign, record. Every verdict, accepted or refused, is
// on record with its explanation and in the ledger before anybody learns of it; the guest learns no more than a code.

import { join } from 'node:path'
import { type AppraisalPolicy, type AppraisalResult, appraise } from '@casemate/appraisal'
import {
  type EndorsementSource,
  type Endorsements,
  mergeEndorsements,
  parseKbsEvidence,
  parseStatement,
  Refusal,
  readEndorsements,
  recognise,
  type TrustAnchor,
  type Verified,
  verifyEnclave,
} from '@casemate/evidence'
import { openEndorsementFetcher } from '@casemate/evidence/node'
import type { BrokerConfig } from '../config/settings.ts'
import { BrokerError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Store } from '../store/store.ts'
import { untilUnraced } from '../store/unraced.ts'
import { AppraisalSource, DEFAULT_POLICY, parseGivenPolicy } from './appraisal-source.ts'
import { attestationId } from './attestation-id.ts'
import { type Explanation, explainEnding, explainRefusal, explainResult } from './explanation.ts'
import { type AttestationRecords, type Recorded, RecordedRefusal, recordAttestation } from './record.ts'
import type { AttestRequest } from './request.ts'
import { signResult, type TokenSigning, tokenEnd } from './token.ts'
import { type VerificationParts, verifyEvidence } from './verification.ts'

/** An attestation that was accepted, signed and recorded. */
export interface AcceptedAttestation {
  readonly id: string
  readonly explanation: Explanation
  /** The EAR token. */
  readonly token: string
  /** Never later than anything that the verdict depends on. */
  readonly expiresAt: Date
}

/** A question about evidence, of which nothing is stored. */
export interface ExplainRequest {
  /** Anything that `recognise` of @casemate/evidence reads. */
  readonly evidence: Uint8Array
  /** The time to verify at. */
  readonly at: Date
  /** Beside those that the broker has: collateral of the evidence's time, or of a machine that it never saw. */
  readonly endorsements: readonly EndorsementSource[]
  /** The name of a stored appraisal policy, or a document that is not stored. */
  readonly policy: string | JsonObject
}

export interface AttestationPipeline {
  /** What every attestation needs of what is stored. @throws {BrokerError} `stored-document-invalid` */
  assertAble(): Promise<void>
  /** @throws {BrokerError} `evidence-refused`, `appraisal-refused`, `endorsements-unavailable`, `stored-document-invalid` */
  attest(request: AttestRequest): Promise<AcceptedAttestation>
  /**
   * Evidence in, explanation out (what it is, steps, claims, appraisal result or refusal); refused evidence is an
   * answer, not an error. @throws {BrokerError} `policy-missing`, `policy-invalid`, `endorsement-malformed`
   */
  explain(request: ExplainRequest): Promise<JsonObject>
}

/** What evidence is verified, appraised, recorded and answered with. */
export interface AttestationContext extends AttestationRecords, TokenSigning {
  readonly config: TokenSigning['config'] & FetchSettings
  readonly store: Pick<Store, 'attestations' | 'documents'>
  /** Pinned vendor roots and what the starter added, e.g. a simulator’s. */
  readonly anchors: readonly TrustAnchor[]
  /** Endorsements that were given, as they are now: those of files may be replaced. */
  readonly endorsements: () => Endorsements
  readonly now: () => Date
}

/** From where, and whether at all, other endorsements are fetched. */
type FetchSettings = Pick<
  BrokerConfig,
  'dataDir' | 'offline' | 'pcsUrl' | 'kdsUrl' | 'tcbUpdate' | 'tcbEvaluationDataNumber'
>

export function createPipeline(context: AttestationContext): AttestationPipeline {
  const { config, anchors, endorsements, now } = context
  const cacheDir = join(config.dataDir, 'endorsements')
  const { pcsUrl, kdsUrl } = config
  const update = config.tcbEvaluationDataNumber ?? config.tcbUpdate ?? 'standard'
  const fetcher = config.offline
    ? null
    : openEndorsementFetcher({ cacheDir, pcsUrl, kdsUrl, update, anchors, now })
  const parts: PipelineParts = {
    context,
    source: new AppraisalSource(context.store.documents),
    verification: () => ({ anchors, endorsements: endorsements(), fetcher }),
  }
  return {
    assertAble: async () => {
      const generations = await parts.source.generations()
      await parts.source.policy(DEFAULT_POLICY, generations)
      await parts.source.references(generations)
    },
    // A policy or a reference value may change meanwhile: what is on record first, counts.
    attest: request => untilUnraced('conflict', () => attest(parts, request)),
    explain: request => explain(parts, request),
  }
}

interface PipelineParts {
  readonly context: AttestationContext
  readonly source: AppraisalSource
  /** As it is now; for one piece of evidence. */
  readonly verification: () => VerificationParts
}

async function attest(parts: PipelineParts, request: AttestRequest): Promise<AcceptedAttestation> {
  const { context, source } = parts
  const at = context.now()
  const id = attestationId(at)
  const generations = await source.generations()
  const record = (explanation: Explanation) =>
    recordAttestation(context, { id, at, request, explanation, generations })

  const policy = await source.policy(DEFAULT_POLICY, generations)
  const verified = await verifyOrRecord(parts, { request, policy, at, record })
  const binding = { reportData: request.reportData, initDataDigest: request.initData?.digest ?? 'none' }
  const references = await source.references(generations)
  const appraised = appraise({ claims: verified.claims, references, policy, binding, now: at })
  const result = demandBinding(appraised, verified, request)
  const explanation = explainResult(verified, result)
  if (!result.accepted) {
    const recorded = await record(explanation)
    throw new RecordedRefusal('appraisal-refused', 'the evidence is not what the policy wants', { recorded })
  }
  const expiresAt = tokenEnd(context, { at, verified, result })
  if (expiresAt === null) {
    const recorded = await record(explainEnding(explanation, result.freshUntil))
    throw new RecordedRefusal('evidence-refused', 'what the evidence rests on ends within a second', {
      recorded,
    })
  }
  const token = await signResult(context, { id, at, request, verified, result, expiresAt })
  await record(explanation)
  return { id, explanation, token, expiresAt }
}

interface Attempt {
  readonly request: AttestRequest
  readonly policy: AppraisalPolicy
  /** The one instant as of which the attestation is verified, appraised, recorded and signed. */
  readonly at: Date
  readonly record: (explanation: Explanation) => Promise<Recorded>
}

async function verifyOrRecord(parts: PipelineParts, attempt: Attempt): Promise<Verified> {
  const { request, policy, at, record } = attempt
  try {
    const { enclaveStatement } = request
    const evidence = parseKbsEvidence(request.tee, request.primaryEvidence)
    const statement = enclaveStatement === null ? null : parseStatement(enclaveStatement)
    const toVerify = { evidence, at, client: request.client, policy }
    const verified = await verifyEvidence(parts.verification(), toVerify)
    return statement === null ? verified : await verifyEnclave(verified, statement)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const recorded = await record(explainRefusal(error))
    throw new RecordedRefusal('evidence-refused', 'the evidence did not verify', {
      recorded,
      cause: error,
    })
  }
}

/**
 * A handshake always demands its report data, also where the policy leaves it open for evidence from elsewhere:
 * a secret must never be encrypted to a key that the evidence does not bind.
 */
function demandBinding(result: AppraisalResult, verified: Verified, request: AttestRequest): AppraisalResult {
  const got = verified.claims.reportData
  if (got === request.reportData || result.violations.some(({ path }) => path === 'reportData')) return result
  const violation = {
    path: 'reportData',
    expected: request.reportData,
    got,
    hint: 'the evidence was made for another session or key; attest again with this nonce',
  }
  return { ...result, accepted: false, bound: false, violations: [...result.violations, violation] }
}

async function explain(parts: PipelineParts, request: ExplainRequest): Promise<JsonObject> {
  const { evidence, at, policy } = request
  const given = readGiven(request.endorsements)
  const generations = await parts.source.generations()
  const wanted =
    typeof policy === 'string' ? await parts.source.policy(policy, generations) : parseGivenPolicy(policy)
  try {
    const toVerify = { evidence: recognise(evidence), at, client: null, policy: wanted }
    const verification = parts.verification()
    const endorsements = mergeEndorsements(verification.endorsements, given)
    const verified = await verifyEvidence({ ...verification, endorsements }, toVerify)
    const binding = { reportData: 'any', initDataDigest: 'any' }
    const references = await parts.source.references(generations)
    const { claims } = verified
    return explainResult(verified, appraise({ claims, references, policy: wanted, binding, now: at }))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return explainRefusal(error)
  }
}

/** Endorsements add only what the vendor signed, and serve this one question. */
function readGiven(sources: readonly EndorsementSource[]): Endorsements {
  try {
    return readEndorsements(sources)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { message, expected, got, hint } = error
    throw new BrokerError('endorsement-malformed', message, { expected, got, hint, cause: error })
  }
}
