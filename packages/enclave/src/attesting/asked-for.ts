// Evidence is checked before it leaves this machine: of the kind that was asked for, and with our report data in it. What
// somebody else asked for at the same moment would be refused by every verifier, later and with less to say.
import { kindOf, parse, Refusal } from '@casemate/evidence'
import { EnclaveError } from '../errors.ts'
import type { Quote } from './driver.ts'

/** The 64 bytes in evidence of this kind. @throws {EnclaveError} attestation-failed if it is something else */
export function reportDataIn(kind: Quote['kind'], evidence: Uint8Array): Uint8Array {
  const parsed = parsedEvidence(kind, evidence)
  if (parsed.kind !== kind) {
    const detail = { expected: kind, got: parsed.kind }
    throw new EnclaveError('attestation-failed', 'the platform gave evidence of another kind', detail)
  }
  return kindOf(parsed).reportData(parsed)
}

function parsedEvidence(kind: Quote['kind'], evidence: Uint8Array): ReturnType<typeof parse> {
  try {
    return parse(evidence)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new EnclaveError('attestation-failed', `what the platform gave is no evidence: ${cause.message}`, {
      expected: `evidence of ${kind}`,
      got: `${evidence.length} bytes`,
      cause,
    })
  }
}
