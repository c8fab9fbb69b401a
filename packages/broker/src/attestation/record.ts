// The record of an attestation: explanation and evidence in the store, who and why in the ledger, in one commit.
// Everything in it that a guest chose is bounded.

import { hash } from 'node:crypto'
import { canonicalJson } from '@casemate/ledger'
import type { CountedEntries } from '../counted-entries.ts'
import { entry } from '../entry.ts'
import { BrokerError } from '../errors.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import type { Generations, Store } from '../store/store.ts'
import { clip } from './clip.ts'
import type { Explanation } from './explanation.ts'
import type { RefusalLimit } from './refusal-limit.ts'
import type { AttestRequest } from './request.ts'

/**
 * Largest evidence that is kept, in bytes of JSON; quotes with their event logs have some 100 KiB. The ledger has its
 * digest in any case, without texts that alone are longer.
 */
export const MAX_KEPT_EVIDENCE_BYTES = 256 * 1024

/** A refused attestation whose explanation is larger keeps its reason, without claims and result. */
const MAX_REFUSED_EXPLANATION_BYTES = 64 * 1024

/** Longest text of an entry, and most violations in it: entries are 64 KiB at most. All are with the attestation. */
const MAX_ENTRY_TEXT_CHARS = 200
const MAX_ENTRY_VIOLATIONS = 24

/** Where verdicts are recorded. */
export interface AttestationRecords {
  readonly store: Pick<Store, 'attestations'>
  /** Which refusals are recorded in full. */
  readonly refusals: RefusalLimit
  /** All others. */
  readonly counted: CountedEntries
}

/** One verdict. */
export interface AttestationToRecord {
  readonly id: string
  readonly at: Date
  readonly request: AttestRequest
  readonly explanation: Explanation
  /** Of the documents that it was appraised with. */
  readonly generations: Generations
}

/** What can be looked up: the id, or nothing where it was only counted. Only {@link recordAttestation} gives one. */
export interface Recorded {
  readonly attestation?: string
}

/** A verdict of refusal, made of what its recording gave: whoever catches it has nothing to record. */
export class RecordedRefusal extends BrokerError {
  constructor(
    code: 'evidence-refused' | 'appraisal-refused',
    message: string,
    { recorded, cause }: { readonly recorded: Recorded; readonly cause?: unknown },
  ) {
    super(code, message, { ...recorded, cause })
  }
}

/** Of refusals beyond the limit, a count is recorded; see `RefusalLimit`. */
export async function recordAttestation(
  records: AttestationRecords,
  verdict: AttestationToRecord,
): Promise<Recorded> {
  const { request, explanation } = verdict
  if (explanation.verdict === 'refused' && !records.refusals.take(request.client)) {
    const { tee: kind, client } = request
    countRefusal(records, { kind, code: explanation.code, client })
    return {}
  }
  await recordWhole(records, verdict)
  return { attestation: verdict.id }
}

/** What is recorded of a refusal beyond the limit, or without a session. */
export function countRefusal({ counted }: Pick<AttestationRecords, 'counted'>, details: JsonObject): void {
  counted.add({ type: 'attestation.refused', actor: { system: 'attestation' }, details })
}

async function recordWhole({ store }: AttestationRecords, verdict: AttestationToRecord): Promise<void> {
  const { id, at, request, explanation, generations } = verdict
  const { json, leftOut } = recorded(request.primaryEvidence)
  const isKept = leftOut === 0 && json.length <= MAX_KEPT_EVIDENCE_BYTES
  const accepted = explanation.verdict === 'accepted'
  await store.attestations.insert(
    {
      id,
      at,
      verdict: explanation.verdict,
      kind: request.tee,
      code: explanation.code,
      explanation: { ...bounded(explanation), session: sessionOf(request, accepted) },
      evidence: isKept ? json : null,
    },
    entry(
      {
        type: accepted ? 'attestation.accepted' : 'attestation.refused',
        at,
        actor: { attestation: id },
      },
      {
        kind: request.tee,
        evidenceDigest: `sha256:${hash('sha256', json, 'hex')}`,
        evidenceBytes: json.length + leftOut,
        ...clip(reasonsOf(explanation), MAX_ENTRY_TEXT_CHARS),
      },
    ),
    { challenge: request.challenge, generations },
  )
}

interface RecordedEvidence {
  readonly json: Buffer
  /** Bytes of the texts that are not in it. */
  readonly leftOut: number
}

/**
 * A text that alone is more than is kept is an event log of firmware, which is no evidence, or what will not verify: it is
 * not worth a digest, which would cost more than to verify a quote.
 */
function recorded(evidence: unknown): RecordedEvidence {
  let leftOut = 0
  const short = (value: unknown): unknown => {
    if (typeof value !== 'string' || value.length <= MAX_KEPT_EVIDENCE_BYTES) return value
    leftOut += Buffer.byteLength(value)
    return ''
  }
  const isFlat = typeof evidence === 'object' && evidence !== null && !Array.isArray(evidence)
  const members = isFlat ? Object.entries(evidence).map(([name, value]) => [name, short(value)] as const) : []
  const value = leftOut > 0 ? Object.fromEntries(members) : isFlat ? evidence : short(evidence)
  return { json: Buffer.from(JSON.stringify(value) ?? 'null'), leftOut }
}

function bounded(explanation: Explanation): Explanation {
  if (explanation.verdict === 'accepted') return explanation
  const isLarge = Buffer.byteLength(JSON.stringify(explanation)) > MAX_REFUSED_EXPLANATION_BYTES
  return isLarge ? { ...explanation, claims: null, result: null } : explanation
}

/** Runtime data of a refused attestation is whatever somebody sent: its digest (SHA-256 of RFC 8785) will do. */
function sessionOf(request: AttestRequest, accepted: boolean): JsonObject {
  const { client, protocolVersion, runtimeData, initData } = request
  const initDataDigest = initData?.digest ?? null
  if (accepted) return { client, protocolVersion, runtimeData, initDataDigest }
  return {
    client,
    protocolVersion,
    runtimeDataDigest: `sha256:${hash('sha256', canonicalJson(runtimeData), 'hex')}`,
    initDataDigest,
  }
}

/** The part of the explanation that says why, without the claims: those are with the attestation. */
function reasonsOf({ code, refusal, result, claims }: Explanation): JsonObject {
  return {
    code,
    refusal,
    measurement: claims?.['measurement'] ?? null,
    enclave: enclaveOf(claims),
    status: result?.['status'] ?? null,
    policy: result?.['policyId'] ?? null,
    policyVersion: result?.['policyVersion'] ?? null,
    workload: result?.['workload'] ?? null,
    simulated: result?.['simulated'] ?? null,
    violations: violationsOf(result),
  }
}

/** The measurement of the stated enclave. */
function enclaveOf(claims: JsonObject | null): JsonValue {
  const enclave = (claims?.['enclave'] ?? null) as JsonObject | null
  return enclave?.['mrEnclave'] ?? null
}

function violationsOf(result: JsonObject | null): readonly JsonValue[] {
  const violations = result?.['violations']
  return Array.isArray(violations) ? violations.slice(0, MAX_ENTRY_VIOLATIONS) : []
}
