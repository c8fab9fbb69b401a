// The explanation of a verdict, as it is stored, listed and answered: what was looked at, what it said, and what it
// lacked. Plain JSON with the same members whatever the verdict; null where a member does not apply.

import type { AppraisalResult } from '@casemate/appraisal'
import type { Claims, Refusal, Step, Verified } from '@casemate/evidence'
import type { JsonObject } from '../json.ts'
import { clip } from './clip.ts'

/** Longest text of an explanation; those that hardware signs and vendors publish are shorter. */
const MAX_TEXT_CHARS = 2048

/** Why evidence did not verify. */
export interface ExplainedRefusal extends JsonObject {
  readonly code: string
  readonly message: string
  readonly expected: string | null
  readonly got: string | null
  readonly hint: string | null
}

export interface Explanation extends JsonObject {
  readonly verdict: 'accepted' | 'refused'
  /** Null when accepted; the refusal's code, or `appraisal-refused` with the violations in the result. */
  readonly code: string | null
  readonly steps: readonly JsonObject[]
  readonly claims: JsonObject | null
  readonly result: JsonObject | null
  readonly refusal: ExplainedRefusal | null
  /** The earliest end of everything that the verdict depends on, RFC 3339. */
  readonly validUntil: string | null
}

/** Of evidence that did not verify. */
export function explainRefusal(refusal: Refusal): Explanation {
  const { code, message, expected = null, got = null, hint = null } = refusal
  return {
    verdict: 'refused',
    code,
    steps: stepsOf(refusal.steps),
    claims: null,
    result: null,
    refusal: clip({ code, message, expected, got, hint }, MAX_TEXT_CHARS),
    validUntil: null,
  }
}

/** Of evidence that verified and was appraised. */
export function explainResult(verified: Verified, result: AppraisalResult): Explanation {
  return {
    verdict: result.accepted ? 'accepted' : 'refused',
    code: result.accepted ? null : 'appraisal-refused',
    steps: stepsOf(verified.steps),
    claims: toJson(verified.claims),
    result: toJson(result),
    refusal: null,
    validUntil: verified.validUntil.toISOString(),
  }
}

/** Of evidence that would have been accepted, but for the end of what it rests on, which is too near for a token. */
export function explainEnding(accepted: Explanation, freshUntil: string | null): Explanation {
  const ends = [accepted.validUntil, freshUntil].filter(it => it !== null)
  const code = 'endorsement-expired'
  const refusal = {
    code,
    message: 'what the verdict rests on ends before a token of it could be used',
    expected: 'a second at least',
    got: `an end at ${ends.toSorted()[0] ?? 'no time'}`,
    hint: 'supply newer endorsements',
  }
  return { ...accepted, verdict: 'refused', code, refusal }
}

function stepsOf(steps: readonly Step[]): readonly JsonObject[] {
  return clip(
    steps.map(({ name, looked }) => ({ name, looked: inOnePiece(looked) })),
    MAX_TEXT_CHARS,
  )
}

/** A text as V8 keeps those that are not put together of others: with one that is, all of the JSON takes three times as long. */
function inOnePiece(text: string): string {
  return Buffer.from(text).toString()
}

/** Claims and results are plain JSON by construction; their interfaces only lack the index signature. */
function toJson(value: Claims | AppraisalResult): JsonObject {
  return clip(value as unknown as JsonObject, MAX_TEXT_CHARS)
}
