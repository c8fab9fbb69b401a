// The record of an attestation: explanation and evidence in the store, who and why in the ledger, in one commit.

import { hash } from 'node:crypto'
import type { BrokerContext } from '../context.ts'
import { entry } from '../entry.ts'
import type { JsonObject } from '../json.ts'
import type { Explanation } from './explanation.ts'
import type { AttestRequest } from './pipeline.ts'

/** Largest evidence of a refused attestation that is kept; anybody can send some, so it must not fill the disk. */
export const MAX_REFUSED_EVIDENCE_BYTES = 256 * 1024

/** One verdict. */
export interface AttestationToRecord {
  readonly id: string
  readonly at: Date
  readonly request: AttestRequest
  readonly explanation: Explanation
}

export async function recordAttestation(context: BrokerContext, verdict: AttestationToRecord): Promise<void> {
  const { id, at, request, explanation } = verdict
  const evidence = Buffer.from(JSON.stringify(request.primaryEvidence) ?? 'null')
  const accepted = explanation.verdict === 'accepted'
  const kept = accepted || evidence.length <= MAX_REFUSED_EVIDENCE_BYTES
  await context.store.attestations.insert(
    {
      id,
      at,
      verdict: explanation.verdict,
      kind: request.tee,
      code: explanation.code,
      explanation: { ...explanation, session: sessionOf(request) },
      evidence: kept ? evidence : new Uint8Array(),
    },
    entry(
      {
        type: accepted ? 'attestation.accepted' : 'attestation.refused',
        at,
        actor: { attestation: id },
      },
      {
        kind: request.tee,
        evidenceDigest: `sha256:${hash('sha256', evidence, 'hex')}`,
        evidenceBytes: evidence.length,
        ...reasonsOf(explanation),
      },
    ),
  )
}

function sessionOf({ protocolVersion, runtimeData, initData }: AttestRequest): JsonObject {
  return { protocolVersion, runtimeData, initDataDigest: initData?.digest ?? null }
}

/** The part of the explanation that says why, without the claims: those are with the attestation. */
function reasonsOf({ code, refusal, result, claims }: Explanation): JsonObject {
  return {
    code,
    refusal,
    measurement: claims?.['measurement'] ?? null,
    status: result?.['status'] ?? null,
    policy: result?.['policyId'] ?? null,
    policyVersion: result?.['policyVersion'] ?? null,
    workload: result?.['workload'] ?? null,
    simulated: result?.['simulated'] ?? null,
    violations: result?.['violations'] ?? [],
  }
}
